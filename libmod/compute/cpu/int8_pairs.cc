// 8-bit products on any instruction set: two 16-bit numbers are multiplied and added into 32 bits at a time, which is exact
// (vpmaddubsw would take bytes but saturates). Broadcasting a pair of a row costs a load, so a tile of 6 rows by two vectors of AVX2
// does twice as many multiplications as loads.
#include "libmod/compute/cpu/int8_kernel.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "libmod/compute/cpu/int8_pairs.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes first
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace modnet::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_AVX3
constexpr int kPairRows = 12;
#elif HWY_TARGET == HWY_AVX2
constexpr int kPairRows = 6;
#else
constexpr int kPairRows = 3;
#endif

#if HWY_TARGET == HWY_SCALAR

template <int R>
void pairs_tile(const Int8Tile& tile) {
  const auto* b = reinterpret_cast<const int16_t*>(tile.b);
  for (int r = 0; r < R; ++r) {
    const auto* a = reinterpret_cast<const int16_t*>(tile.a + r * tile.a_stride);
    for (int64_t j = 0; j < kPairPanel; ++j) {
      int32_t sum = 0;
      for (int64_t k = 0; k < tile.depth; ++k) sum += static_cast<int32_t>(a[k]) * b[(k / 2 * kPairPanel + j) * 2 + k % 2];
      tile.c[r * tile.ldc + j] = static_cast<float>(sum - tile.row_zeros[r] * tile.sums[j]) * tile.scales[j] * tile.row_scales[r] + tile.bias[j];
    }
  }
}

#else

using Whole = hn::Vec<hn::ScalableTag<int32_t>>;
using Halves = hn::Vec<hn::Repartition<int16_t, hn::ScalableTag<int32_t>>>;
constexpr int kVectors = static_cast<int>(kPairPanel / HWY_LANES(int32_t));

/// One row's pair at `a` times the panel's, added to its sums.
#if HWY_TARGET == HWY_AVX2
// Written out: twelve sums, two of weights and two others are all registers that there are, and g++ 12 spills some of the sums.
HWY_INLINE void add_row(const std::byte* a, const Halves (&right)[2], Whole (&sum)[2], Whole (&)[2]) {
  Whole left, product;
  __asm__(
      "vpbroadcastd %[a], %[left]\n\t"
      "vpmaddwd %[right0], %[left], %[product]\n\t"
      "vpmaddwd %[right1], %[left], %[left]\n\t"
      "vpaddd %[product], %[sum0], %[sum0]\n\t"
      "vpaddd %[left], %[sum1], %[sum1]"
      : [left] "=&x"(left.raw), [product] "=&x"(product.raw), [sum0] "+x"(sum[0].raw), [sum1] "+x"(sum[1].raw)
      : [a] "m"(*reinterpret_cast<const int32_t __attribute__((aligned(1), may_alias))*>(a)), [right0] "x"(right[0].raw), [right1] "x"(right[1].raw));
}
#else
HWY_INLINE void add_row(const std::byte* a, const Halves (&right)[kVectors], Whole (&sum)[kVectors], Whole (&other)[kVectors]) {
  const hn::ScalableTag<int32_t> d32;
  int32_t pair;
  std::memcpy(&pair, a, sizeof pair);
  const Halves left = hn::BitCast(hn::Repartition<int16_t, decltype(d32)>(), hn::Set(d32, pair));
#pragma GCC unroll 16
  for (int v = 0; v < kVectors; ++v) sum[v] = hn::ReorderWidenMulAccumulate(d32, left, right[v], sum[v], other[v]);
}
#endif

#if HWY_TARGET == HWY_AVX2 && defined(__x86_64__)
// The sums of six rows over eight pairs a turn, to `sums` [6, kPairPanel]. Written out: what g++ 12 makes of the loop below steps through the rows'
// addresses at every pair, which with the rest is 44 instructions where these are 33; a core takes six a cycle, and their number decides.
void six_rows(const std::byte* a, int64_t a_stride, const int16_t* b, int64_t turns, int32_t* sums) {
#define MODNET_EACH(M) M(0, 1) M(2, 3) M(4, 5) M(6, 7) M(8, 9) M(10, 11)
#define MODNET_CLEAR(X, Y) "vpxor %%ymm" #X ", %%ymm" #X ", %%ymm" #X "\nvpxor %%ymm" #Y ", %%ymm" #Y ", %%ymm" #Y "\n"
#define MODNET_STORE(X, Y) "vmovdqa %%ymm" #X ", 32*" #X "(%[sums])\nvmovdqa %%ymm" #Y ", 32*" #Y "(%[sums])\n"
#define MODNET_ROW(K, A, S, X, Y)                     \
  "vpbroadcastd 4*" #K "(%[" #A "]" S "), %%ymm14\n"  \
  "vpmaddwd %%ymm12, %%ymm14, %%ymm15\n"              \
  "vpmaddwd %%ymm13, %%ymm14, %%ymm14\n"              \
  "vpaddd %%ymm15, %%ymm" #X ", %%ymm" #X "\n"        \
  "vpaddd %%ymm14, %%ymm" #Y ", %%ymm" #Y "\n"
#define MODNET_STEP(K)                                \
  "vmovdqa 64*" #K "(%[b]), %%ymm12\n"                \
  "vmovdqa 64*" #K "+32(%[b]), %%ymm13\n"             \
  MODNET_ROW(K, a0, "", 0, 1) MODNET_ROW(K, a0, ",%[stride]", 2, 3) MODNET_ROW(K, a0, ",%[stride],2", 4, 5) \
  MODNET_ROW(K, a3, "", 6, 7) MODNET_ROW(K, a3, ",%[stride]", 8, 9) MODNET_ROW(K, a3, ",%[stride],2", 10, 11)
  const std::byte *a0 = a, *a3 = a + 3 * a_stride;
  asm volatile(MODNET_EACH(MODNET_CLEAR)
      ".p2align 5\n"
      "1:\n" MODNET_STEP(0) MODNET_STEP(1) MODNET_STEP(2) MODNET_STEP(3) MODNET_STEP(4) MODNET_STEP(5) MODNET_STEP(6) MODNET_STEP(7)
      "add $32, %[a0]\n"
      "add $32, %[a3]\n"
      "add $512, %[b]\n"
      "dec %[turns]\n"
      "jnz 1b\n" MODNET_EACH(MODNET_STORE)
      : [a0] "+r"(a0), [a3] "+r"(a3), [b] "+r"(b), [turns] "+r"(turns)
      : [stride] "r"(a_stride), [sums] "r"(sums)
      : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
#undef MODNET_STEP
#undef MODNET_ROW
#undef MODNET_STORE
#undef MODNET_CLEAR
#undef MODNET_EACH
}
#endif

template <int R>
void pairs_tile(const Int8Tile& tile) {
  const hn::ScalableTag<int32_t> d32;
  const hn::Repartition<int16_t, decltype(d32)> d16;
  const hn::Repartition<float, decltype(d32)> df;
  constexpr int64_t kLanes = HWY_LANES(int32_t);
  Whole sum[R][kVectors], other[R][kVectors];  // `other` is used by NEON alone
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sum[r][v] = other[r][v] = hn::Zero(d32);
  }
  const auto* HWY_RESTRICT b = reinterpret_cast<const int16_t*>(tile.b);
  const std::byte* HWY_RESTRICT a = tile.a;
  const int64_t a_stride = tile.a_stride;
  const int64_t pairs = tile.depth / 2;
  int64_t p = 0;
#if HWY_TARGET == HWY_AVX2 && defined(__x86_64__)
  if (R == 6 && pairs >= 8) {
    alignas(32) int32_t begun[6 * kPairPanel];
    six_rows(a, a_stride, b, pairs / 8, begun);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Load(d32, begun + r * kPairPanel + v * kLanes);
    }
    p = pairs / 8 * 8;
  }
#endif
  for (; p < pairs; ++p) {
    Halves right[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) right[v] = hn::Load(d16, b + p * 2 * kPairPanel + v * 2 * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) add_row(a + r * a_stride + p * 4, right, sum[r], other[r]);
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
    const auto row_scale = hn::Set(df, tile.row_scales[r]);
    const auto zero = hn::Set(d32, tile.row_zeros[r]);
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      const auto offset = hn::Mul(zero, hn::LoadU(d32, tile.sums + v * kLanes));
      const auto whole = hn::ConvertTo(df, hn::Sub(hn::RearrangeToOddPlusEven(sum[r][v], other[r][v]), offset));
      const auto scaled = hn::Mul(hn::Mul(whole, hn::LoadU(df, tile.scales + v * kLanes)), row_scale);
      hn::StoreU(hn::Add(scaled, hn::LoadU(df, tile.bias + v * kLanes)), df, tile.c + r * tile.ldc + v * kLanes);
    }
  }
}

#endif  // HWY_SCALAR

template <int... R>
constexpr Int8Kernel tiles_of(std::integer_sequence<int, R...>) {
  return {kPairPanel, kPairRows, {&pairs_tile<R + 1>...}};
}
constexpr Int8Kernel kKernel = tiles_of(std::make_integer_sequence<int, kPairRows>());
const Int8Kernel* kernel_here() { return &kKernel; }

// t + kRound rounds to a whole number, ties to even, and holds it in its low bits.
constexpr float kRound = 0x1.8p23F;
constexpr int32_t kRoundBits = 0x4B400000;

template <typename Whole>
HWY_INLINE void quantise(const Int8Row<Whole>& row) {
  const float* HWY_RESTRICT x = row.x;
  const float* HWY_RESTRICT factors = row.factors;
  const auto scaled = [&](int64_t i) { return factors == nullptr ? x[i] : x[i] * factors[i]; };
  // Times 0, a NaN or an infinity is NaN and stays so in a sum; all else adds 0. Where there is none of them, no order of lanes can change the
  // least and the greatest.
  float least = 0.0F, greatest = 0.0F, odd = 0.0F;
  int64_t whole = 0;
#if HWY_TARGET != HWY_SCALAR
  const hn::ScalableTag<float> df;
  const hn::Repartition<uint32_t, decltype(df)> du;
  constexpr int64_t kLanes = HWY_LANES(float);
  whole = row.k / kLanes * kLanes;
  const auto scaled_lanes = [&](int64_t i) HWY_ATTR {
    const auto value = hn::LoadU(df, x + i);
    return factors == nullptr ? value : hn::Mul(value, hn::LoadU(df, factors + i));
  };
  auto lows = hn::Zero(df), highs = lows, odds = lows;
  for (int64_t i = 0; i < whole; i += kLanes) {
    const auto value = scaled_lanes(i);
    lows = hn::Min(lows, value);
    highs = hn::Max(highs, value);
    odds = hn::MulAdd(value, hn::Zero(df), odds);
  }
  odd = hn::GetLane(hn::SumOfLanes(df, odds));
  least = hn::GetLane(hn::MinOfLanes(df, lows));
  greatest = hn::GetLane(hn::MaxOfLanes(df, highs));
#endif
  for (int64_t i = whole; i < row.k; ++i) {
    const float value = scaled(i);
    odd += value * 0.0F;
    least = value < least ? value : least;
    greatest = value > greatest ? value : greatest;
  }
  const float range = odd == 0.0F ? greatest - least : std::numeric_limits<float>::quiet_NaN();
  *row.zero = 0;
  if (!(range >= kInt8LeastRange) || range == std::numeric_limits<float>::infinity()) {
    std::fill_n(row.out, row.depth, Whole{0});  // no values at all: a null pointer, which memset may not be given
    *row.scale = range < kInt8LeastRange ? 0.0F : std::numeric_limits<float>::quiet_NaN();
    return;
  }
  *row.scale = range / 255.0F;
  const float inverse = 255.0F / range;
  *row.zero = std::bit_cast<int32_t>(-least * inverse + kRound) - kRoundBits;
  const float round = kRound + static_cast<float>(*row.zero);
#if HWY_TARGET != HWY_SCALAR
  using Bits = std::make_unsigned_t<Whole>;
  const hn::Rebind<Bits, decltype(df)> dw;
  const auto factor = hn::Set(df, inverse), to_whole = hn::Set(df, round);
  const auto greatest_bits = hn::Set(du, static_cast<uint32_t>(kRoundBits) + 255);
  for (int64_t i = 0; i < whole; i += kLanes) {  // the low bits of kRoundBits are 0: what is left of the sum when its high ones are dropped is q
    const auto rounded = hn::Min(hn::BitCast(du, hn::Add(hn::Mul(scaled_lanes(i), factor), to_whole)), greatest_bits);
    hn::StoreU(hn::TruncateTo(dw, rounded), dw, reinterpret_cast<Bits*>(row.out) + i);
  }
#endif
  for (int64_t i = whole; i < row.k; ++i) row.out[i] = static_cast<Whole>(std::min(std::bit_cast<int32_t>(scaled(i) * inverse + round) - kRoundBits, 255));
  for (int64_t i = row.k; i < row.depth; ++i) row.out[i] = 0;
}

void quantise_u8(const Int8Row<uint8_t>& row) { quantise(row); }
void quantise_i16(const Int8Row<int16_t>& row) { quantise(row); }

}  // namespace modnet::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace modnet::cpu {
namespace {
HWY_EXPORT(kernel_here);
HWY_EXPORT(quantise_u8);
HWY_EXPORT(quantise_i16);
}  // namespace

const Int8Kernel& pairs_kernel() { return *HWY_DYNAMIC_DISPATCH(kernel_here)(); }
void quantise_row(const Int8Row<uint8_t>& row) { HWY_DYNAMIC_DISPATCH(quantise_u8)(row); }
void quantise_row(const Int8Row<int16_t>& row) { HWY_DYNAMIC_DISPATCH(quantise_i16)(row); }

}  // namespace modnet::cpu
#endif  // HWY_ONCE
