// The innermost matrix product: one block of packed rows times a range of column panels, on the chosen instruction set.
// Implemented with Highway in gemm_kernel.cc. Tested through tests/unit/compute/matmul_test.cc.
#pragma once

#include <cstdint>

namespace modnet::cpu {

// Columns of a panel (a cache line: one AVX-512 register, two of AVX2, four of 128 bits), values of k that are worked
// at a time, and the stride of a packed row of a, which keeps the rows of a strip off one cache set.
template <typename T>
inline constexpr int64_t kPanel = 64 / static_cast<int64_t>(sizeof(T));
template <typename T>
inline constexpr int64_t kDepth = 3072 / static_cast<int64_t>(sizeof(T));
template <typename T>
inline constexpr int64_t kStride = kDepth<T> + 64 / static_cast<int64_t>(sizeof(T));

enum class Sign : uint8_t { kPlus = 0, kMinus = 1 };

/// Element (i, j) is data[i * row_step + j * column_step]; steps may be negative.
template <typename T>
struct Operand {
  const T* data = nullptr;
  int64_t row_step = 0;
  int64_t column_step = 0;
};

/// Whether an element's chain starts at zero or at what c holds.
enum class Chain : uint8_t { kStart = 0, kContinue = 1 };

/// c[rows, panels * kPanel] (+)= a · b over `depth` values of k.
template <typename T>
struct Block {
  int64_t rows = 0;
  int64_t depth = 0;         // <= kDepth
  const T* a = nullptr;      // rows as pack_rows() left them, or where rows_readable() says so, as they lie
  int64_t a_stride = kStride<T>;  // in elements, from one row of a to the next
  const T* b = nullptr;      // panel p at b + p * panel_stride, row k of it at + k * kPanel; 64-byte aligned
  int64_t panel_stride = 0;  // in elements
  int64_t columns = 0;       // of c; the last panel may be partly used
  T* c = nullptr;
  int64_t ldc = 0;
  Chain chain = Chain::kStart;
  const T* bias = nullptr;  // [columns], added after the chain; or null
  void (*act)(T* x, int64_t n) = nullptr;  // applied to what is then in c, a stretch of a row at a time; or null
  // Tiles whose last row lies above their first column, counted from here, are left out: row 0 of the block is this
  // many rows below column 0 of it. The default leaves nothing out.
  int64_t diagonal = INT64_MAX / 2;
};

/// Whether the kernel of the chosen instruction set reads such rows as fast where they lie as packed.
[[nodiscard]] bool rows_readable(const Operand<float>& from, Sign sign);
[[nodiscard]] bool rows_readable(const Operand<double>& from, Sign sign);

/// Packs `rows` rows of `depth` values, taken with a sign, as the kernel of the chosen instruction set reads them. out: rows * kStride values,
/// 64-byte aligned.
void pack_rows(const Operand<float>& from, Sign sign, int64_t rows, int64_t depth, float* out);
void pack_rows(const Operand<double>& from, Sign sign, int64_t rows, int64_t depth, double* out);

/// A whole panel of columns that lie one behind the other: value p of column j at from[p + j * column_step].
void turn_panel(const float* from, int64_t column_step, int64_t depth, float* out);

/// Rows must have been packed for the same instruction set.
void multiply_block(const Block<float>& block);
void multiply_block(const Block<double>& block);

/// Rows of the tallest tile on the chosen instruction set: blocks of a multiple of it waste nothing.
template <typename T>
[[nodiscard]] int64_t strip_rows();
template <>
int64_t strip_rows<float>();
template <>
int64_t strip_rows<double>();
inline constexpr int64_t kMaxStripRows = 14;

}  // namespace modnet::cpu
