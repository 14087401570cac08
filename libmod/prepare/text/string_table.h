// A vocabulary: strings ↔ ids in one arena with an open-addressing index, made once and then only read.
// Tested by tests/unit/prepare/string_table_test.cc.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"

namespace modnet::text {

/// A fast hash of a few bytes; not for untrusted keys beyond one table (the table bounds the load, not the chains).
[[nodiscard]] inline uint64_t hash_bytes(const char* data, size_t size, uint64_t seed = 0) {
  const auto mix = [](uint64_t a, uint64_t b) {
    const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  constexpr uint64_t k0 = 0x9e3779b97f4a7c15ULL, k1 = 0xd6e8feb86659fd93ULL;
  uint64_t hash = seed ^ (size * k1);
  const char* at = data;
  for (; size > 8; size -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    hash = mix(hash ^ word, k0);
  }
  uint64_t tail = 0;
  if (size >= 4) {
    uint32_t low, high;
    std::memcpy(&low, at, 4);
    std::memcpy(&high, at + size - 4, 4);
    tail = static_cast<uint64_t>(high) << 32 | low;
  } else if (size > 0) {
    tail = static_cast<uint64_t>(static_cast<uint8_t>(at[0])) << 16 |
           static_cast<uint64_t>(static_cast<uint8_t>(at[size / 2])) << 8 | static_cast<uint8_t>(at[size - 1]);
  }
  return mix(hash ^ tail, k1);
}

/// Read-only after build(). Views into it live as long as the table and move with it.
class StringTable {
 public:
  struct Entry {
    std::string_view text;
    int32_t id;
  };

  /// Adds a string; ids must be ≥ 0. Views are copied.
  void add(std::string_view text, int32_t id);
  /// Makes the index. kMalformed naming the string for one that was added twice, or whose id another has.
  [[nodiscard]] Status build();

  /// The id, or -1.
  [[nodiscard]] int32_t find(std::string_view text) const { return find(text, hash_bytes(text.data(), text.size())); }
  [[nodiscard]] int32_t find(std::string_view text, uint64_t hash) const {
    if (slots_.empty()) return -1;
    for (uint64_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.entry < 0) return -1;
      if (slot.hash == static_cast<uint32_t>(hash >> 32) && slot.size == text.size() &&
          std::memcmp(arena_.data() + slot.begin, text.data(), text.size()) == 0)
        return slot.id;
    }
  }
  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(begins_.size()); }
  [[nodiscard]] int32_t max_id() const { return max_id_; }
  [[nodiscard]] int64_t max_bytes() const { return max_bytes_; }
  [[nodiscard]] Entry entry(int64_t i) const {
    const auto k = static_cast<size_t>(i);
    const uint32_t end = k + 1 < begins_.size() ? begins_[k + 1] : static_cast<uint32_t>(arena_.size());
    return {std::string_view(arena_).substr(begins_[k], end - begins_[k]), ids_[k]};
  }
  /// The string of an id, empty view if there is none. Logarithmic.
  [[nodiscard]] std::string_view text_of(int32_t id) const;

 private:
  struct Slot {
    uint32_t hash = 0, begin = 0, size = 0;
    int32_t id = -1, entry = -1;
  };
  std::string arena_;
  std::vector<uint32_t> begins_;
  std::vector<int32_t> ids_;
  std::vector<Slot> slots_;
  std::vector<int32_t> by_id_;  // entry indices in order of their ids
  uint64_t mask_ = 0;
  int32_t max_id_ = -1;
  int64_t max_bytes_ = 0;
};

}  // namespace modnet::text
