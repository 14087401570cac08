// Cuts text into words. Tested by tests/unit/prepare/split_test.cc.
#include "libmod/prepare/text/split.h"

namespace modnet::text {
namespace {

constexpr uint16_t kClasses = kLetter | kNumber | kWhite;

// Behind the last character from `at` on whose class (letter, number, white, or none) is `wanted`.
size_t run_end(std::string_view text, size_t at, uint16_t wanted, const CharTable& table) {
  while (at < text.size()) {
    size_t next = at;
    if ((table.flags(next_char(text, next)) & kClasses) != wanted) break;
    at = next;
  }
  return at;
}

// The length of a contraction 's 't 're 've 'm 'll 'd at the front, 0 for none.
size_t contraction(std::string_view text) {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (text.starts_with(ending)) return ending.size();
  return 0;
}

}  // namespace

BertSplitter::BertSplitter(const NormalizerStep& step) : step_(step), table_(&CharTable::get()) {
  for (uint32_t c = 0; c < 256; ++c) {
    const uint16_t flags = table_->flags(c);
    actions_[c] = c >= 0x80                                          ? kOther
                  : step.clean_text && (flags & kRemoved) != 0       ? kDrop
                  : (flags & kWhite) != 0                            ? kSpace
                  : (flags & kPunctuation) != 0                      ? kSplit
                                                                     : kPart;
    lower_[c] = static_cast<char>(c >= 'A' && c <= 'Z' && step.lowercase ? c + 32 : c);
  }
}

size_t gpt2_word_end(std::string_view text, size_t begin, const CharTable& table) {
  if (text[begin] == '\'') {
    if (const size_t size = contraction(text.substr(begin)); size > 0) return begin + size;
  }
  size_t at = begin;
  const uint16_t first = table.flags(next_char(text, at)) & kClasses;
  if ((first & kWhite) == 0) return run_end(text, at, first, table);
  if (text[begin] == ' ' && at < text.size()) {
    size_t next = at;
    const uint16_t second = table.flags(next_char(text, next)) & kClasses;
    if ((second & kWhite) == 0) return run_end(text, next, second, table);
  }
  // White space: all of it at the end of the text, else all but the last, which belongs to what follows, unless it is
  // the only one.
  const size_t end = run_end(text, at, kWhite, table);
  if (end == text.size() || end == at) return end;
  size_t last = end - 1;
  while ((static_cast<uint8_t>(text[last]) & 0xc0) == 0x80) --last;
  return last;
}

}  // namespace modnet::text
