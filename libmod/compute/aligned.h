// A block of numbers that starts on a cache line: what packed weights and scratch space live in.
// Tested by tests/unit/compute/threads_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace modnet {

constexpr int64_t kCacheLine = 64;

/// At least one byte, on a cache line; large blocks on a huge page, and the system is asked to use such: a product walks through
/// more pages than a first-level TLB knows. Throws std::bad_alloc.
[[nodiscard]] void* aligned_memory(size_t bytes);

struct AlignedDelete {
  void operator()(void* memory) const { std::free(memory); }
};

/// Uninitialised, 64-byte aligned, owned by the pointer. T must be a plain number type.
template <typename T>
using AlignedBlock = std::unique_ptr<T[], AlignedDelete>;

template <typename T>
[[nodiscard]] AlignedBlock<T> aligned_block(int64_t count) {
  return AlignedBlock<T>(static_cast<T*>(aligned_memory(static_cast<size_t>(count < 0 ? 0 : count) * sizeof(T))));
}

}  // namespace modnet
