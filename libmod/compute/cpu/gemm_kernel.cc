// Register tiles of the matrix product. A tile of R rows by V vectors keeps R * V chains in registers; every step of k
// loads V vectors of the panel and broadcasts R values of a: 12 * 2 for the 32 registers of AVX-512, 3 * 4 for the 16
// of AVX2 (6 * 2 was slower: it reads a panel in two passes), so that the multipliers set the pace, not the loads. The
// loops over a tile are unrolled by force: g++ 12 otherwise keeps the accumulators in memory.
#include "libmod/compute/cpu/gemm_kernel.h"

#include <cmath>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "libmod/compute/cpu/gemm_kernel.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes first
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace modnet::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3
constexpr int64_t kStripRows = 12;
constexpr int64_t kTileVectors = 2;
#elif HWY_TARGET == HWY_AVX2
constexpr int64_t kStripRows = 3;
constexpr int64_t kTileVectors = 4;
#else
constexpr int64_t kStripRows = 6;
constexpr int64_t kTileVectors = 4;
#endif

template <typename T>
using Tile = void (*)(const T* a, const T* b, int64_t depth, T* c, int64_t ldc, Chain chain, const T* bias);

#if HWY_NATIVE_FMA

template <typename T, int R, int V>
HWY_INLINE void vector_tile(const T* HWY_RESTRICT a, const T* HWY_RESTRICT b, int64_t depth, T* HWY_RESTRICT c,
                            int64_t ldc, Chain chain, const T* HWY_RESTRICT bias) {
  const hn::ScalableTag<T> d;
  using Vec = hn::Vec<decltype(d)>;
  constexpr int64_t kLanes = HWY_LANES(T);
  Vec sum[R][V];
  if (chain == Chain::kStart) {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) sum[r][v] = hn::Zero(d);
    }
  } else {
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) sum[r][v] = hn::LoadU(d, c + r * ldc + v * kLanes);
    }
  }
  for (int64_t k = 0; k < depth; ++k) {
    Vec right[V];
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) right[v] = hn::Load(d, b + k * kPanel<T> + v * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec left = hn::Set(d, a[r * kStride<T> + k]);
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) sum[r][v] = hn::MulAdd(left, right[v], sum[r][v]);
    }
  }
  if (bias != nullptr) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      const Vec add = hn::LoadU(d, bias + v * kLanes);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) sum[r][v] = hn::Add(sum[r][v], add);
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) hn::StoreU(sum[r][v], d, c + r * ldc + v * kLanes);
  }
}

// C columns of a panel for R rows.
template <typename T, int R, int64_t C>
void panel_tile(const T* a, const T* b, int64_t depth, T* c, int64_t ldc, Chain chain, const T* bias) {
  constexpr int64_t kLanes = HWY_LANES(T);
  constexpr int64_t kVectors = C / kLanes < kTileVectors ? C / kLanes : kTileVectors;
  static_assert(C % (kVectors * kLanes) == 0);
  for (int64_t j = 0; j < C; j += kVectors * kLanes) {
    vector_tile<T, R, kVectors>(a, b + j, depth, c + j, ldc, chain, bias == nullptr ? nullptr : bias + j);
  }
}

#else  // no fused multiply-add in hardware: the same chains, slower

// c[j] = fma(x, y[j], c[j]) for n columns, n even.
HWY_INLINE void fused_row(int64_t n, double x, const double* HWY_RESTRICT y, double* HWY_RESTRICT c) {
  for (int64_t j = 0; j < n; ++j) c[j] = std::fma(x, y[j], c[j]);
}

#if HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR
HWY_INLINE void fused_row(int64_t n, float x, const float* HWY_RESTRICT y, float* HWY_RESTRICT c) {
  for (int64_t j = 0; j < n; ++j) c[j] = std::fma(x, y[j], c[j]);
}
#else
// The product of two floats is exact in f64. Its sum with c is rounded to odd (Boldo and Melquiond 2008): when it is
// inexact and its last bit even, the neighbour on the error's side is taken. Rounding that to f32 is then rounding the
// exact value once, subnormal results included.
HWY_INLINE void fused_row(int64_t n, float x, const float* HWY_RESTRICT y, float* HWY_RESTRICT c) {
  const hn::FixedTag<float, 2> df;
  const hn::FixedTag<double, 2> dd;
  const hn::FixedTag<int64_t, 2> di;
  using Doubles = hn::Vec<decltype(dd)>;
  using Integers = hn::Vec<decltype(di)>;
  const Doubles left = hn::Set(dd, static_cast<double>(x));
  for (int64_t j = 0; j < n; j += 2) {
    const Doubles product = hn::Mul(left, hn::PromoteTo(dd, hn::LoadU(df, y + j)));
    const Doubles add = hn::PromoteTo(dd, hn::LoadU(df, c + j));
    const Doubles sum = hn::Add(product, add);
    const Doubles part = hn::Sub(sum, product);
    const Doubles error = hn::Add(hn::Sub(product, hn::Sub(sum, part)), hn::Sub(add, part));
    const Integers bits = hn::BitCast(di, sum);
    // +1 where error and sum have the same sign, else -1: the step away from or towards zero
    const Integers signs = hn::ShiftRight<63>(hn::Xor(bits, hn::BitCast(di, error)));
    const Integers step = hn::Or(signs, hn::Set(di, 1));
    // an infinite or NaN sum has a NaN error, for which the comparison is false
    const Integers inexact = hn::BitCast(di, hn::VecFromMask(dd, hn::Gt(hn::Abs(error), hn::Zero(dd))));
    const Integers even = hn::Sub(hn::And(bits, hn::Set(di, 1)), hn::Set(di, 1));
    const Integers odd = hn::Add(bits, hn::And(step, hn::And(inexact, even)));
    hn::StoreU(hn::DemoteTo(df, hn::BitCast(dd, odd)), df, c + j);
  }
}
#endif

template <typename T, int R, int64_t C>
void panel_tile(const T* a, const T* b, int64_t depth, T* c, int64_t ldc, Chain chain, const T* bias) {
  for (int r = 0; r < R; ++r) {
    T sum[C];
    for (int64_t j = 0; j < C; ++j) sum[j] = chain == Chain::kStart ? T{0} : c[r * ldc + j];
    for (int64_t k = 0; k < depth; ++k) fused_row(C, a[r * kStride<T> + k], b + k * kPanel<T>, sum);
    for (int64_t j = 0; j < C; ++j) c[r * ldc + j] = bias == nullptr ? sum[j] : sum[j] + bias[j];
  }
}

#endif  // HWY_NATIVE_FMA

template <typename T, int64_t C, int... R>
Tile<T> tile_of(int64_t rows, std::integer_sequence<int, R...>) {
  constexpr Tile<T> kTiles[] = {&panel_tile<T, R + 1, C>...};
  return kTiles[rows - 1];
}

// A tile at the right edge: worked in a full one beside it.
template <typename T>
void edge_tile(const Block<T>& block, int64_t rows, int64_t used, const T* a, const T* b, T* c, const T* bias) {
  const std::make_integer_sequence<int, kStripRows> heights;
  const Tile<T> tile =
      used <= kPanel<T> / 2 ? tile_of<T, kPanel<T> / 2>(rows, heights) : tile_of<T, kPanel<T>>(rows, heights);
  alignas(64) T full[kMaxStripRows * kPanel<T>] = {};
  alignas(64) T full_bias[kPanel<T>] = {};
  for (int64_t i = 0; i < rows && block.chain == Chain::kContinue; ++i) {
    for (int64_t j = 0; j < used; ++j) full[i * kPanel<T> + j] = c[i * block.ldc + j];
  }
  for (int64_t j = 0; j < used && bias != nullptr; ++j) full_bias[j] = bias[j];
  tile(a, b, block.depth, full, kPanel<T>, block.chain, bias == nullptr ? nullptr : full_bias);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < used; ++j) c[i * block.ldc + j] = full[i * kPanel<T> + j];
  }
}

template <typename T>
HWY_INLINE void multiply(const Block<T>& block) {
  if (block.rows == 0) return;
  const int64_t strips = (block.rows + kStripRows - 1) / kStripRows;
  for (int64_t column = 0, p = 0; column < block.columns; column += kPanel<T>, ++p) {
    const T* b = block.b + p * block.panel_stride;
    const int64_t used = block.columns - column < kPanel<T> ? block.columns - column : kPanel<T>;
    const T* bias = block.bias == nullptr ? nullptr : block.bias + column;
    for (int64_t strip = 0; strip < strips; ++strip) {
      const int64_t first = block.rows * strip / strips;
      const int64_t rows = block.rows * (strip + 1) / strips - first;
      if (block.diagonal + first + rows <= column) continue;
      const T* a = block.a + first * kStride<T>;
      T* c = block.c + first * block.ldc + column;
      if (used == kPanel<T>) {
        const Tile<T> tile = tile_of<T, kPanel<T>>(rows, std::make_integer_sequence<int, kStripRows>());
        tile(a, b, block.depth, c, block.ldc, block.chain, bias);
      } else {
        edge_tile(block, rows, used, a, b, c, bias);
      }
    }
  }
}

void multiply_f32(const Block<float>& block) { multiply(block); }
void multiply_f64(const Block<double>& block) { multiply(block); }
int64_t tallest() { return kStripRows; }

}  // namespace modnet::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace modnet::cpu {
namespace {
HWY_EXPORT(multiply_f32);
HWY_EXPORT(multiply_f64);
HWY_EXPORT(tallest);
}  // namespace

void multiply_block(const Block<float>& block) { HWY_DYNAMIC_DISPATCH(multiply_f32)(block); }
void multiply_block(const Block<double>& block) { HWY_DYNAMIC_DISPATCH(multiply_f64)(block); }
int64_t strip_rows() { return HWY_DYNAMIC_DISPATCH(tallest)(); }

}  // namespace modnet::cpu
#endif  // HWY_ONCE
