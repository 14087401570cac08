// The innermost matrix product: one block of packed rows times a range of column panels, on the chosen instruction set.
// Implemented with Highway in gemm_kernel.cc. Tested through tests/unit/compute/matmul_test.cc.
#pragma once

#include <cstdint>

namespace modnet::cpu {

// Columns of a panel (128 bytes: two AVX-512 registers, four of AVX2, eight of 128 bits), values of k that are worked
// at a time, and the stride of a packed row of a, which keeps the rows of a strip off one cache set.
template <typename T>
inline constexpr int64_t kPanel = 128 / static_cast<int64_t>(sizeof(T));
template <typename T>
inline constexpr int64_t kDepth = 3072 / static_cast<int64_t>(sizeof(T));
template <typename T>
inline constexpr int64_t kStride = kDepth<T> + 64 / static_cast<int64_t>(sizeof(T));

/// Whether an element's chain starts at zero or at what c holds.
enum class Chain : uint8_t { kStart = 0, kContinue = 1 };

/// c[rows, panels * kPanel] (+)= a · b over `depth` values of k.
template <typename T>
struct Block {
  int64_t rows = 0;
  int64_t depth = 0;         // <= kDepth
  const T* a = nullptr;      // row i at a + i * kStride
  const T* b = nullptr;      // panel p at b + p * panel_stride, row k of it at + k * kPanel; 64-byte aligned
  int64_t panel_stride = 0;  // in elements
  int64_t columns = 0;       // of c; the last panel may be partly used
  T* c = nullptr;
  int64_t ldc = 0;
  Chain chain = Chain::kStart;
  const T* bias = nullptr;  // [columns], added after the chain; or null
  // Tiles whose last row lies above their first column, counted from here, are left out: row 0 of the block is this
  // many rows below column 0 of it. The default leaves nothing out.
  int64_t diagonal = INT64_MAX / 2;
};

void multiply_block(const Block<float>& block);
void multiply_block(const Block<double>& block);

/// Rows of the tallest tile on the chosen instruction set: blocks of a multiple of it waste nothing.
[[nodiscard]] int64_t strip_rows();
inline constexpr int64_t kMaxStripRows = 12;

}  // namespace modnet::cpu
