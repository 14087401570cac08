// A block of numbers that starts on a cache line: what packed weights and scratch space live in.
// Tested by tests/unit/compute/threads_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace modnet {

constexpr int64_t kCacheLine = 64;

struct AlignedDelete {
  void operator()(void* memory) const { ::operator delete (memory, std::align_val_t{kCacheLine}); }
};

/// Uninitialised, 64-byte aligned, owned by the pointer. T must be a plain number type.
template <typename T>
using AlignedBlock = std::unique_ptr<T[], AlignedDelete>;

template <typename T>
[[nodiscard]] AlignedBlock<T> aligned_block(int64_t count) {
  const size_t bytes = static_cast<size_t>(count < 1 ? 1 : count) * sizeof(T);
  return AlignedBlock<T>(static_cast<T*>(::operator new (bytes, std::align_val_t{kCacheLine})));
}

}  // namespace modnet
