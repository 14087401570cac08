// Byte-level BPE: a word's bytes are merged pair by pair, best rank first, leftmost first (Sennrich et al. 2016;
// bytes as symbols: Radford et al. 2019). Tested by tests/unit/prepare/bpe_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libmod/prepare/text/spec.h"

namespace modnet::text {

/// The printable character that stands for a byte in a byte-level vocabulary.
[[nodiscard]] uint32_t byte_symbol(uint8_t byte);

/// (left id, right id) → rank and merged id; open addressing.
class MergeTable {
 public:
  struct Merge {
    uint32_t rank = UINT32_MAX;  // UINT32_MAX: no such merge
    int32_t id = -1;
  };
  void build(const std::vector<std::pair<int32_t, int32_t>>& merges, const std::vector<int32_t>& ids);
  [[nodiscard]] Merge find(int32_t left, int32_t right) const {
    const uint64_t key = static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
    for (uint64_t at = place(key);; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.key == key) return slot.merge;
      if (slot.key == kFree) return {};
    }
  }

 private:
  static constexpr uint64_t kFree = UINT64_MAX;
  struct Slot {
    uint64_t key = kFree;
    Merge merge;
  };
  [[nodiscard]] uint64_t place(uint64_t key) const { return (key * 0x9e3779b97f4a7c15ULL >> 20) & mask_; }
  std::vector<Slot> slots_{2};
  uint64_t mask_ = 1;
};

/// Scratch memory of one thread.
struct BpeScratch {
  struct Symbol {
    int32_t id, previous, next;  // next −2: merged away
  };
  struct Candidate {
    uint32_t rank;
    int32_t at, id;
  };
  std::vector<int32_t> ids;
  std::vector<uint32_t> ranks;
  std::vector<Symbol> symbols;
  std::vector<Candidate> heap;
  std::string mapped;
};

/// Read-only after construction. `spec` must outlive it.
class ByteBpe {
 public:
  explicit ByteBpe(const Spec& spec);

  /// Appends the ids of one word (any bytes, not empty). O(n log n).
  void encode(std::string_view word, BpeScratch& scratch, std::vector<int32_t>& ids) const;

  /// Words up to this many bytes are merged by scanning, longer ones with a heap: same result.
  static constexpr size_t kScanned = 48;

 private:
  void start(std::string_view word, std::vector<int32_t>& ids) const;
  void merge_scanning(BpeScratch& scratch) const;
  void merge_heap(BpeScratch& scratch) const;

  const Spec* spec_;
  std::array<int32_t, 256> byte_ids_{};
  MergeTable merges_;
  int32_t unk_ = -1;
};

}  // namespace modnet::text
