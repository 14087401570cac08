// WordPiece. Tested by tests/unit/prepare/wordpiece_test.cc.
#include "libmod/prepare/text/wordpiece.h"

#include <algorithm>

namespace modnet::text {
namespace {

void note_length(std::string_view text, std::array<int64_t, 256>& longest) {
  if (text.empty()) return;
  int64_t& slot = longest[static_cast<uint8_t>(text[0])];
  slot = std::max(slot, static_cast<int64_t>(text.size()));
}

}  // namespace

WordPiece::WordPiece(const Spec& spec)
    : start_(&spec.vocab), max_chars_(spec.max_chars_per_word), unk_(spec.vocab.find(spec.unk_token.value_or(""))) {
  for (int64_t i = 0; i < start_->size(); ++i) {
    const StringTable::Entry entry = start_->entry(i);
    note_length(entry.text, start_bytes_);
    if (!entry.text.starts_with(spec.continuing_prefix)) continue;
    const std::string_view rest = entry.text.substr(spec.continuing_prefix.size());
    note_length(rest, rest_bytes_);
    rest_.add(rest, entry.id);
  }
  const Status built = rest_.build();
  static_cast<void>(built);  // unique as the vocabulary itself is
}

void WordPiece::encode(std::string_view word, uint64_t hash, std::vector<int32_t>& ids) const {
  const auto size = static_cast<int64_t>(word.size());
  if (size > max_chars_ && count_chars(word) > max_chars_) {
    ids.push_back(unk_);
    return;
  }
  if (const int32_t whole = start_->find(word, hash); whole >= 0) {
    ids.push_back(whole);
    return;
  }
  const size_t before = ids.size();
  for (int64_t begin = 0; begin < size;) {
    const auto first = static_cast<uint8_t>(word[static_cast<size_t>(begin)]);
    const StringTable& table = begin == 0 ? *start_ : rest_;
    int64_t length = std::min(size - begin, (begin == 0 ? start_bytes_ : rest_bytes_)[first]);
    int32_t id = -1;
    // an entry is whole characters, so no cut inside one is ever found: no need to look for boundaries
    for (; length > 0; --length) {
      id = table.find(word.substr(static_cast<size_t>(begin), static_cast<size_t>(length)));
      if (id >= 0) break;
    }
    if (id < 0) {
      ids.resize(before);
      ids.push_back(unk_);
      return;
    }
    ids.push_back(id);
    begin += length;
  }
}

}  // namespace modnet::text
