// Remembers the ids of words already seen, one slot a hash: real text repeats its words.
// Tested by tests/unit/prepare/wordpiece_test.cc and bpe_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace modnet::text {

/// A fixed 1 MiB table; a newer word displaces an older one. Belongs to one thread.
class WordCache {
 public:
  static constexpr size_t kMaxBytes = 26, kMaxIds = 9;

  void clear() { slots_.assign(kSlots, Slot{}); }
  /// The ids of a word, empty when it is not here. Only for 1 … kMaxBytes bytes.
  [[nodiscard]] std::span<const int32_t> find(std::string_view word, uint64_t hash) const {
    const Slot& slot = slots_[hash & (kSlots - 1)];
    if (slot.size != word.size() || std::memcmp(slot.word.data(), word.data(), word.size()) != 0) return {};
    return {slot.ids.data(), slot.count};
  }
  void put(std::string_view word, uint64_t hash, std::span<const int32_t> ids) {
    if (ids.empty() || ids.size() > kMaxIds) return;
    Slot& slot = slots_[hash & (kSlots - 1)];
    slot.size = static_cast<uint8_t>(word.size());
    slot.count = static_cast<uint8_t>(ids.size());
    std::memcpy(slot.word.data(), word.data(), word.size());
    std::memcpy(slot.ids.data(), ids.data(), ids.size_bytes());
  }

 private:
  static constexpr size_t kSlots = 1 << 14;
  struct Slot {
    uint8_t size = 0, count = 0;
    std::array<char, kMaxBytes> word{};
    std::array<int32_t, kMaxIds> ids{};
  };
  static_assert(sizeof(Slot) == 64);
  std::vector<Slot> slots_;
};

}  // namespace modnet::text
