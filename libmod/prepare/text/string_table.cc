// A vocabulary: strings ↔ ids. Tested by tests/unit/prepare/string_table_test.cc.
#include "libmod/prepare/text/string_table.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "formats/base/text.h"

namespace modnet::text {

void StringTable::add(std::string_view text, int32_t id) {
  begins_.push_back(static_cast<uint32_t>(arena_.size()));
  ids_.push_back(id);
  arena_.append(text);
  max_id_ = std::max(max_id_, id);
  max_bytes_ = std::max(max_bytes_, static_cast<int64_t>(text.size()));
}

Status StringTable::build() {
  const size_t n = begins_.size();
  slots_.assign(std::bit_ceil(n * 2 + 2), Slot{});
  mask_ = slots_.size() - 1;
  for (size_t i = 0; i < n; ++i) {
    const Entry e = entry(static_cast<int64_t>(i));
    const uint64_t hash = hash_bytes(e.text.data(), e.text.size());
    if (find(e.text, hash) >= 0) return malformed("token \"" + escape_text(e.text) + "\" appears twice");
    uint64_t at = hash & mask_;
    while (slots_[at].entry >= 0) at = (at + 1) & mask_;
    slots_[at] = {static_cast<uint32_t>(hash >> 32), begins_[i], static_cast<uint32_t>(e.text.size()), e.id,
                  static_cast<int32_t>(i)};
  }
  const auto same_id = [&](int32_t a, int32_t b) {
    return malformed("tokens \"" + escape_text(entry(a).text) + "\" and \"" + escape_text(entry(b).text) + "\" have the same id " +
                     std::to_string(ids_[static_cast<size_t>(a)]));
  };
  const auto count = static_cast<int32_t>(n);
  if (static_cast<size_t>(max_id_) < 2 * n) {  // ids of vocabularies have few gaps
    by_id_.assign(static_cast<size_t>(max_id_) + 1, -1);
    for (int32_t i = 0; i < count; ++i) {
      int32_t& place = by_id_[static_cast<size_t>(ids_[static_cast<size_t>(i)])];
      if (place >= 0) return same_id(place, i);
      place = i;
    }
    std::erase(by_id_, -1);
    return ok();
  }
  by_id_.resize(n);
  std::iota(by_id_.begin(), by_id_.end(), 0);
  const auto id_of = [&](int32_t i) { return ids_[static_cast<size_t>(i)]; };
  std::sort(by_id_.begin(), by_id_.end(), [&](int32_t a, int32_t b) { return std::pair(id_of(a), a) < std::pair(id_of(b), b); });
  for (size_t i = 1; i < n; ++i)
    if (id_of(by_id_[i]) == id_of(by_id_[i - 1])) return same_id(by_id_[i - 1], by_id_[i]);
  return ok();
}

std::string_view StringTable::text_of(int32_t id) const {
  const auto it = std::lower_bound(by_id_.begin(), by_id_.end(), id,
                                   [&](int32_t i, int32_t want) { return ids_[static_cast<size_t>(i)] < want; });
  if (it == by_id_.end() || ids_[static_cast<size_t>(*it)] != id) return {};
  return entry(*it).text;
}

}  // namespace modnet::text
