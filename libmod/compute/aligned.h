// A block of numbers that starts on a cache line: what packed weights and scratch space live in.
// Tested by tests/unit/compute/threads_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace modnet {

constexpr int64_t kCacheLine = 64;

/// At least one byte, on a cache line; large blocks on a huge page, and the system is asked to use such: a product walks through
/// more pages than a first-level TLB knows. Throws std::bad_alloc.
[[nodiscard]] void* aligned_memory(size_t bytes);

class LastingPages;

struct AlignedDelete {
  LastingPages* pages = nullptr;  // that the block is cut from; null: it is one of its own
  void operator()(void* memory) const;
};

/// Uninitialised, 64-byte aligned, owned by the pointer. T must be a plain number type.
template <typename T>
using AlignedBlock = std::unique_ptr<T[], AlignedDelete>;

template <typename T>
[[nodiscard]] AlignedBlock<T> aligned_block(int64_t count) {
  return AlignedBlock<T>(static_cast<T*>(aligned_memory(static_cast<size_t>(count < 0 ? 0 : count) * sizeof(T))));
}

/// The same for blocks that live as long as what they are made for, packed weights and scratch space: those too small for a huge page share
/// some, which are given back with the last of them. A walk through 4 KB pages costs a virtual machine a seventh of a product's time
/// (384 x 1152, a Xeon). May be called from any thread.
[[nodiscard]] void* lasting_memory(size_t bytes, LastingPages** owner);

template <typename T>
[[nodiscard]] AlignedBlock<T> lasting_block(int64_t count) {
  LastingPages* owner = nullptr;
  void* memory = lasting_memory(static_cast<size_t>(count < 0 ? 0 : count) * sizeof(T), &owner);
  return AlignedBlock<T>(static_cast<T*>(memory), AlignedDelete{owner});
}

}  // namespace modnet
