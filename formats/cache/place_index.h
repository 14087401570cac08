// Where records lie, by the first 8 bytes of their keys: an open-addressed table. Keys are SHA-256, so they spread by themselves;
// a file that was made so that they do not only loses its records (a probe has an end).
// Tested by tests/unit/cache/store_test.cc.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "formats/cache/segment.h"

namespace modnet {

class PlaceIndex {
 public:
  void add(uint32_t segment, const RecordPlace& place) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    if (insert({place.prefix, place.offset, static_cast<uint32_t>(place.length), segment})) ++count_;
  }

  /// Calls use(segment, place) for each record with this prefix until one returns true, which is then returned.
  template <typename Use>
  bool find(uint64_t prefix, const Use& use) const {
    for (size_t step = 0; step < kProbes && !slots_.empty(); ++step) {
      const Slot& slot = slots_[(prefix + step) & (slots_.size() - 1)];
      if (slot.length == 0) return false;
      if (slot.prefix == prefix && use(slot.segment, RecordPlace{slot.prefix, slot.offset, slot.length})) return true;
    }
    return false;
  }

 private:
  struct Slot {
    uint64_t prefix = 0;
    int64_t offset = 0;
    uint32_t length = 0, segment = 0;  // length 0: free
  };
  static constexpr size_t kProbes = 256;

  bool insert(const Slot& one) {
    for (size_t step = 0; step < kProbes; ++step) {
      Slot& slot = slots_[(one.prefix + step) & (slots_.size() - 1)];
      if (slot.length != 0) continue;
      slot = one;
      return true;
    }
    return false;
  }
  void grow() {
    std::vector<Slot> old(std::max<size_t>(1024, 2 * slots_.size()));
    old.swap(slots_);
    for (const Slot& slot : old)
      if (slot.length != 0) static_cast<void>(insert(slot));
  }

  std::vector<Slot> slots_;
  size_t count_ = 0;
};

}  // namespace modnet
