#include "libmod/compute/aligned.h"

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace modnet {

void* aligned_memory(size_t bytes) {
  constexpr size_t kHugePage = size_t{2} << 20;
  const bool large = bytes >= kHugePage;
  void* memory = nullptr;
  if (::posix_memalign(&memory, large ? kHugePage : kCacheLine, bytes < 1 ? 1 : bytes) != 0) throw std::bad_alloc();
#if defined(__linux__)
  if (large) (void)::madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // advice only
#endif
  return memory;
}

}  // namespace modnet
