#include "libmod/compute/aligned.h"

#include <cstdlib>
#include <mutex>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace modnet {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t rounded_up(size_t bytes, size_t step) { return (bytes + step - 1) / step * step; }

// aligned_memory() without an exception: null where there is no memory.
void* aligned_or_null(size_t bytes) {
  const bool large = bytes >= kHugePage;
  // What does not fill a last huge page would lie on small ones.
  if (const size_t whole = rounded_up(bytes, kHugePage); large && whole - bytes <= bytes / 8) bytes = whole;
  void* memory = nullptr;
  if (::posix_memalign(&memory, large ? kHugePage : kCacheLine, bytes < 1 ? 1 : bytes) != 0) return nullptr;
#if defined(__linux__)
  if (large) (void)::madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // advice only
#endif
  return memory;
}

}  // namespace

/// Huge pages that blocks are cut from, one behind the other, and given back together: it is empty again once every block is.
class LastingPages {
 public:
  static constexpr size_t kBytes = size_t{32} << 20;

  /// bytes < kBytes. Null where there is no memory for more.
  static void* take(size_t bytes, LastingPages** owner) {
    const std::lock_guard<std::mutex> lock(mutex_);
    bytes = rounded_up(bytes, kCacheLine) + kCacheLine;  // off the powers of two
    if (current_ == nullptr || current_->used_ + bytes > kBytes) {
      auto* more = static_cast<char*>(aligned_or_null(kBytes));
      if (more == nullptr) return nullptr;
      current_ = new LastingPages(more);  // the one before has blocks: without any it would have room
    }
    *owner = current_;
    ++current_->blocks_;
    char* block = current_->memory_ + current_->used_;
    current_->used_ += bytes;
    return block;
  }

  void give_back() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--blocks_ > 0) return;
    used_ = 0;
    if (this != current_) delete this;
  }

 private:
  explicit LastingPages(char* memory) : memory_(memory) {}
  ~LastingPages() { std::free(memory_); }

  static inline std::mutex mutex_;
  static inline LastingPages* current_ = nullptr;
  char* memory_;
  size_t used_ = 0;
  int64_t blocks_ = 0;
};

void AlignedDelete::operator()(void* memory) const {
  if (pages != nullptr) {
    pages->give_back();
  } else {
    std::free(memory);
  }
}

void* aligned_memory(size_t bytes) {
  void* memory = aligned_or_null(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* lasting_memory(size_t bytes, LastingPages** owner) {
  *owner = nullptr;
#if !defined(__SANITIZE_ADDRESS__)  // which finds steps beyond a block of its own only
  if (bytes <= LastingPages::kBytes / 4)
    if (void* memory = LastingPages::take(bytes, owner)) return memory;
#endif
  return aligned_memory(bytes);
}

}  // namespace modnet
