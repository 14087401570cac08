// Register tiles of the matrix product. A tile of R rows by P panels keeps its chains in registers; every step of k loads the
// panels' line and broadcasts R values of a: 14 rows by two panels of one vector for the 32 registers of AVX-512, 6 by one panel of two for
// the 16 of AVX2, so that the multipliers set the pace, not the loads. Few rows take more panels: at least 8 chains hide the
// latency. What nearly all work is done in is written by hand; in the rest the loops over a tile are unrolled by force, else g++ 12 keeps the
// accumulators in memory, and two steps of k are taken at a time (one was a twentieth slower on Zen 3, four spilled).
// Included once per target by gemm_kernel.cc. Tested through tests/unit/compute/matmul_test.cc.

#if defined(MODNET_GEMM_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODNET_GEMM_TILES_INL_H_
#undef MODNET_GEMM_TILES_INL_H_
#else
#define MODNET_GEMM_TILES_INL_H_
#endif

#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>

#include "hwy/highway.h"
#include "libmod/compute/cpu/gemm_kernel.h"

HWY_BEFORE_NAMESPACE();
namespace modnet::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
constexpr int kStripRows = HWY_TARGET != HWY_AVX3 ? 6 : sizeof(T) == 4 ? 14 : 12;

// Rows from which on a tile of AVX-512 is one by hand.
constexpr int kLeastByHand = 6;
// Accumulators that leave registers for the operands.
constexpr int kAccumulators = HWY_TARGET == HWY_AVX2 ? 12 : 24;
constexpr int kPanelVectors = kPanel<float> / HWY_LANES(float);

// Panels of a tile of this many rows: a power of two. Two for tiles by hand.
constexpr int panels_for(int rows) {
  if (HWY_TARGET == HWY_AVX3 && rows >= kLeastByHand) return 2;
  int panels = 1;
  while (panels < 8 && 2 * panels * kPanelVectors * rows <= kAccumulators) panels *= 2;
  return panels;
}

// On AVX2 the f32 rows of a strip are packed side by side, [depth][height of the strip]: one stream instead of six, and no more pages than it needs.
template <typename T>
constexpr bool kSideBySide = HWY_TARGET == HWY_AVX2 && sizeof(T) == 4;

/// What a tile asks for while it works: `lines` lines, as many numbers behind each of its panels as `ahead` says; by default nothing. Where
/// several strips share that, each asks for `pace` lines, 1, 2, 4 or 8, in eight steps of k.
struct Asked {
  int64_t ahead = 0;
  int64_t lines = 0;
  uint32_t pace = 0;
};

template <typename T>
using Tile = void (*)(const T* a, int64_t a_stride, const T* b, int64_t panel_stride, Asked asked, int64_t depth, T* c, int64_t ldc, Chain chain, const T* bias);

#undef MODNET_SIX_ROWS
#undef MODNET_TILES_BY_HAND
#if HWY_NATIVE_FMA

// P panels for R rows.
template <typename T, int R, int P>
void panel_tile(const T* HWY_RESTRICT a, [[maybe_unused]] int64_t a_stride, const T* HWY_RESTRICT b, int64_t panel_stride, Asked asked, int64_t depth,
                T* HWY_RESTRICT c, int64_t ldc, Chain chain, const T* HWY_RESTRICT bias) {
  const hn::ScalableTag<T> d;
  using Vec = hn::Vec<decltype(d)>;
  constexpr int64_t kLanes = HWY_LANES(T);
  constexpr int kWide = static_cast<int>(kPanel<T> / kLanes);  // vectors of a panel
  constexpr int V = P * kWide;
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
  const auto step = [&](int64_t k) HWY_ATTR {
    Vec right[V];
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) right[v] = hn::Load(d, b + v / kWide * panel_stride + k * kPanel<T> + v % kWide * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const Vec left = hn::Set(d, kSideBySide<T> ? a[k * R + r] : a[r * a_stride + k]);
#pragma GCC unroll 16
      for (int v = 0; v < V; ++v) sum[r][v] = hn::MulAdd(left, right[v], sum[r][v]);
    }
  };
  int64_t k = 0;
  for (; R >= 4 && k < asked.lines; ++k) {
#pragma GCC unroll 16
    for (int p = 0; p < P; ++p) __builtin_prefetch(b + asked.ahead + p * panel_stride + k * kPanel<T>, 0, 2);
    step(k);
  }
  for (; k + 2 <= depth; k += 2) {
    step(k);
    step(k + 1);
  }
  if (k < depth) step(k);
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

#if HWY_TARGET == HWY_AVX2 && defined(__x86_64__)
#define MODNET_SIX_ROWS 1
// The tile that nearly all f32 work on AVX2 is done in, six rows that lie side by side by one panel of two vectors, for a multiple of 4 steps of
// k. By hand, since what g++ 12 makes of panel_tile needs 200 cycles for its beginning and end (of 2,300 at k = 384). Eight steps a turn are 1 to 4 %
// faster than four on Zen 3, and asking for the lines of c at the beginning another 4 % where c is in memory. It asks for kLines lines a turn.
template <int kLines>
void six_rows(const float* a, int64_t, const float* b, int64_t, Asked asked, int64_t depth, float* c, int64_t ldc, Chain chain, const float* bias) {
#define MODNET_EACH(M) M(0, 0, 1) M(1, 2, 3) M(2, 4, 5) M(3, 6, 7) M(4, 8, 9) M(5, 10, 11)
#define MODNET_CLEAR(R, X, Y)                                      \
  "vxorps %%ymm" #X ", %%ymm" #X ", %%ymm" #X "\nvxorps %%ymm" #Y ", %%ymm" #Y ", %%ymm" #Y "\n" \
  "prefetchw (%%rax)\nadd %[ldc], %%rax\n"
#define MODNET_LOAD(R, X, Y) "vmovups (%%rax), %%ymm" #X "\nvmovups 32(%%rax), %%ymm" #Y "\nadd %[ldc], %%rax\n"
#define MODNET_ADD(R, X, Y) "vaddps %%ymm12, %%ymm" #X ", %%ymm" #X "\nvaddps %%ymm13, %%ymm" #Y ", %%ymm" #Y "\n"
#define MODNET_STORE(R, X, Y) "vmovups %%ymm" #X ", (%%rax)\nvmovups %%ymm" #Y ", 32(%%rax)\nadd %[ldc], %%rax\n"
#define MODNET_ROW(K, T, R, X, Y)                                  \
  "vbroadcastss " #K "*24+" #R "*4(%[a]), %%ymm" #T "\n"           \
  "vfmadd231ps %%ymm12, %%ymm" #T ", %%ymm" #X "\n"                \
  "vfmadd231ps %%ymm13, %%ymm" #T ", %%ymm" #Y "\n"
#define MODNET_STEP(K)                                             \
  "vmovaps " #K "*64(%[b]), %%ymm12\n"                             \
  "vmovaps " #K "*64+32(%[b]), %%ymm13\n"                          \
  MODNET_ROW(K, 14, 0, 0, 1) MODNET_ROW(K, 15, 1, 2, 3) MODNET_ROW(K, 14, 2, 4, 5)  \
  MODNET_ROW(K, 15, 3, 6, 7) MODNET_ROW(K, 14, 4, 8, 9) MODNET_ROW(K, 15, 5, 10, 11)
#define MODNET_FOUR MODNET_STEP(0) MODNET_STEP(1) MODNET_STEP(2) MODNET_STEP(3)
#define MODNET_ASK(K)                                              \
  ".if %c[lines] > " #K "\n"                                       \
  "prefetcht1 " #K "*64(%[ahead])\n"                               \
  ".endif\n"
  int64_t turns = depth / 8;
  const float* ahead = b + asked.ahead;
  asm volatile(
      "mov %[c], %%rax\n"
      "test %[start], %[start]\n"
      "jz 2f\n" MODNET_EACH(MODNET_LOAD)
      "jmp 3f\n"
      "2:\n" MODNET_EACH(MODNET_CLEAR)
      "3:\n"
      "test %[turns], %[turns]\n"
      "jz 5f\n"
      ".p2align 5\n"
      "4:\n" MODNET_ASK(0) MODNET_STEP(0) MODNET_ASK(1) MODNET_STEP(1) MODNET_ASK(2) MODNET_STEP(2) MODNET_ASK(3) MODNET_STEP(3)
      MODNET_ASK(4) MODNET_STEP(4) MODNET_ASK(5) MODNET_STEP(5) MODNET_ASK(6) MODNET_STEP(6) MODNET_ASK(7) MODNET_STEP(7)
      "add $512, %[b]\n"
      "add $192, %[a]\n"
      "add $64*%c[lines], %[ahead]\n"
      "dec %[turns]\n"
      "jnz 4b\n"
      "5:\n"
      "test $4, %[depth]\n"
      "jz 6f\n" MODNET_FOUR
      "6:\n"
      "test %[bias], %[bias]\n"
      "jz 7f\n"
      "vmovups (%[bias]), %%ymm12\n"
      "vmovups 32(%[bias]), %%ymm13\n" MODNET_EACH(MODNET_ADD)
      "7:\n"
      "mov %[c], %%rax\n" MODNET_EACH(MODNET_STORE)
      : [a] "+r"(a), [b] "+r"(b), [turns] "+r"(turns), [ahead] "+r"(ahead)
      : [c] "r"(c), [ldc] "r"(ldc * 4), [start] "r"(static_cast<int64_t>(chain)), [bias] "r"(bias), [depth] "r"(depth), [lines] "i"(kLines)
      : "rax", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
        "xmm15", "cc", "memory");
#undef MODNET_ASK
#undef MODNET_FOUR
#undef MODNET_STEP
#undef MODNET_ROW
#undef MODNET_STORE
#undef MODNET_ADD
#undef MODNET_LOAD
#undef MODNET_CLEAR
#undef MODNET_EACH
}
#endif

#if HWY_TARGET == HWY_AVX3 && defined(__x86_64__)
#define MODNET_TILES_BY_HAND 1
// The same for AVX-512, 6 to 14 rows that lie apart by two panels of one vector, for a multiple of 4 steps of k: g++ 12 copies a register in every
// tenth instruction of panel_tile. A core whose other thread is busy may take only half of its instructions from this one, so that their number counts:
// every other row, whose address takes one register, is broadcast by the multiplication itself (for the others that is two instructions, too), and 14
// rows take fewer loads than 12. The lines of c are asked for at the beginning, those of the panels eight steps before their turn.
// F(first row of two, its registers, step) S(the second), for 6 to 14 rows
#define MODNET_EACH6(F, S, K) \
  F(a0, 0, 1, K) S(a0, 2, 3, K) F(a2, 4, 5, K) S(a2, 6, 7, K) F(a4, 8, 9, K) S(a4, 10, 11, K)
#define MODNET_EACH7(F, S, K) MODNET_EACH6(F, S, K) F(a6, 12, 13, K)
#define MODNET_EACH8(F, S, K) MODNET_EACH7(F, S, K) S(a6, 14, 15, K)
#define MODNET_EACH9(F, S, K) MODNET_EACH8(F, S, K) F(a8, 16, 17, K)
#define MODNET_EACH10(F, S, K) MODNET_EACH9(F, S, K) S(a8, 18, 19, K)
#define MODNET_EACH11(F, S, K) MODNET_EACH10(F, S, K) F(a10, 20, 21, K)
#define MODNET_EACH12(F, S, K) MODNET_EACH11(F, S, K) S(a10, 22, 23, K)
#define MODNET_EACH13(F, S, K) MODNET_EACH12(F, S, K) F(a12, 24, 25, K)
#define MODNET_EACH14(F, S, K) MODNET_EACH13(F, S, K) S(a12, 26, 27, K)
#define MODNET_CLEAR(A, X, Y, K)                                    \
  "vpxord %%zmm" #X ", %%zmm" #X ", %%zmm" #X "\n"                  \
  "vpxord %%zmm" #Y ", %%zmm" #Y ", %%zmm" #Y "\n"                  \
  "prefetchw (%%rax)\nprefetchw 64(%%rax)\nadd %%rdx, %%rax\n"
#define MODNET_LOAD(A, X, Y, K) "vmovups (%%rax), %%zmm" #X "\nvmovups 64(%%rax), %%zmm" #Y "\nadd %%rdx, %%rax\n"
#define MODNET_ADD(A, X, Y, K) "vaddps %%zmm28, %%zmm" #X ", %%zmm" #X "\nvaddps %%zmm29, %%zmm" #Y ", %%zmm" #Y "\n"
#define MODNET_STORE(A, X, Y, K) "vmovups %%zmm" #X ", (%%rax)\nvmovups %%zmm" #Y ", 64(%%rax)\nadd %%rdx, %%rax\n"
#define MODNET_FIRST(A, X, Y, K)                                    \
  "vfmadd231ps 4*" #K "(%[" #A "])%{1to16%}, %%zmm28, %%zmm" #X "\n" \
  "vfmadd231ps 4*" #K "(%[" #A "])%{1to16%}, %%zmm29, %%zmm" #Y "\n"
#define MODNET_SECOND(A, X, Y, K)                                   \
  "vbroadcastss 4*" #K "(%[" #A "],%[stride]), %%zmm30\n"           \
  "vfmadd231ps %%zmm28, %%zmm30, %%zmm" #X "\n"                     \
  "vfmadd231ps %%zmm29, %%zmm30, %%zmm" #Y "\n"
#define MODNET_STEP(EACH, ASK, K)                                   \
  "vmovaps " #K "*64(%[b]), %%zmm28\n"                              \
  "vmovaps " #K "*64(%[b],%[panels]), %%zmm29\n"                    \
  ASK " " #K "*64(%%rcx)\n" ASK " " #K "*64(%%rcx,%[panels])\n" EACH(MODNET_FIRST, MODNET_SECOND, K)
#define MODNET_STEPS(EACH, ASK)                                     \
  ".p2align 5\n"                                                    \
  "1:\n" MODNET_STEP(EACH, ASK, 0) MODNET_STEP(EACH, ASK, 1) MODNET_STEP(EACH, ASK, 2) MODNET_STEP(EACH, ASK, 3) \
  "add $16, %[a0]\nadd $16, %[a2]\nadd $16, %[a4]\nadd $16, %[a6]\nadd $16, %[a8]\nadd $16, %[a10]\nadd $16, %[a12]\n" \
  "add $256, %[b]\nadd $256, %%rcx\n"                               \
  "dec %%rdx\n"                                                     \
  "jnz 1b\n"
#define MODNET_TILE(NAME, EACH) \
  void NAME(const float* a, int64_t a_stride, const float* b, int64_t panel_stride, Asked asked, int64_t depth, float* c, int64_t ldc, Chain chain, \
            const float* bias) { \
    const float *a0 = a, *a2 = a0 + 2 * a_stride, *a4 = a2 + 2 * a_stride, *a6 = a4 + 2 * a_stride, *a8 = a6 + 2 * a_stride, *a10 = a8 + 2 * a_stride, \
                *a12 = a10 + 2 * a_stride; \
    const int64_t turns = depth / 4, ldc_bytes = ldc * 4, ahead_bytes = asked.ahead * 4, start = static_cast<int64_t>(chain); \
    asm volatile( \
        "mov %[c], %%rax\n" \
        "mov %[ldc], %%rdx\n" \
        "cmpq $0, %[start]\n" \
        "je 2f\n" EACH(MODNET_LOAD, MODNET_LOAD, 0) \
        "jmp 3f\n" \
        "2:\n" EACH(MODNET_CLEAR, MODNET_CLEAR, 0) \
        "3:\n" \
        "mov %[turns], %%rdx\n" \
        "mov %[ahead], %%rcx\n" \
        "test %%rcx, %%rcx\n" \
        "jz 4f\n" \
        "add %[b], %%rcx\n" MODNET_STEPS(EACH, "prefetcht1") \
        "jmp 5f\n" \
        "4:\n" \
        "lea 512(%[b]), %%rcx\n" MODNET_STEPS(EACH, "prefetcht0") \
        "5:\n" \
        "mov %[bias], %%rcx\n" \
        "test %%rcx, %%rcx\n" \
        "jz 6f\n" \
        "vmovups (%%rcx), %%zmm28\n" \
        "vmovups 64(%%rcx), %%zmm29\n" EACH(MODNET_ADD, MODNET_ADD, 0) \
        "6:\n" \
        "mov %[c], %%rax\n" \
        "mov %[ldc], %%rdx\n" EACH(MODNET_STORE, MODNET_STORE, 0) \
        "vzeroupper\n" \
        : [a0] "+r"(a0), [a2] "+r"(a2), [a4] "+r"(a4), [a6] "+r"(a6), [a8] "+r"(a8), [a10] "+r"(a10), [a12] "+r"(a12), [b] "+r"(b) \
        : [stride] "r"(a_stride * 4), [panels] "r"(panel_stride * 4), [c] "m"(c), [ldc] "m"(ldc_bytes), [turns] "m"(turns), [ahead] "m"(ahead_bytes), \
          [start] "m"(start), [bias] "m"(bias) \
        : "rax", "rcx", "rdx", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", \
          "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "cc", \
          "memory"); \
  }
MODNET_TILE(rows_6, MODNET_EACH6)
MODNET_TILE(rows_7, MODNET_EACH7)
MODNET_TILE(rows_8, MODNET_EACH8)
MODNET_TILE(rows_9, MODNET_EACH9)
MODNET_TILE(rows_10, MODNET_EACH10)
MODNET_TILE(rows_11, MODNET_EACH11)
MODNET_TILE(rows_12, MODNET_EACH12)
MODNET_TILE(rows_13, MODNET_EACH13)
MODNET_TILE(rows_14, MODNET_EACH14)
constexpr Tile<float> kByHand[] = {&rows_6, &rows_7, &rows_8, &rows_9, &rows_10, &rows_11, &rows_12, &rows_13, &rows_14};
#undef MODNET_STEPS
#undef MODNET_STEP
#undef MODNET_SECOND
#undef MODNET_FIRST
#undef MODNET_STORE
#undef MODNET_ADD
#undef MODNET_LOAD
#undef MODNET_CLEAR
#undef MODNET_TILE
#undef MODNET_EACH14
#undef MODNET_EACH13
#undef MODNET_EACH12
#undef MODNET_EACH11
#undef MODNET_EACH10
#undef MODNET_EACH9
#undef MODNET_EACH8
#undef MODNET_EACH7
#undef MODNET_EACH6
#endif

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

template <typename T, int R, int P>
void panel_tile(const T* a, int64_t a_stride, const T* b, int64_t panel_stride, Asked, int64_t depth, T* c, int64_t ldc, Chain chain, const T* bias) {
  for (int p = 0; p < P; ++p) {
    const T* panel = b + p * panel_stride;
    for (int r = 0; r < R; ++r) {
      T* out = c + r * ldc + p * kPanel<T>;
      T sum[kPanel<T>];
      for (int64_t j = 0; j < kPanel<T>; ++j) sum[j] = chain == Chain::kStart ? T{0} : out[j];
      for (int64_t k = 0; k < depth; ++k) fused_row(kPanel<T>, a[r * a_stride + k], panel + k * kPanel<T>, sum);
      for (int64_t j = 0; j < kPanel<T>; ++j) out[j] = bias == nullptr ? sum[j] : sum[j] + bias[p * kPanel<T> + j];
    }
  }
}

#endif  // HWY_NATIVE_FMA

// Tiles of R rows with as many panels as P allows.
template <typename T, int P, int... R>
constexpr Tile<T> tile_of(int64_t rows, std::integer_sequence<int, R...>) {
  constexpr Tile<T> kTiles[] = {&panel_tile<T, R + 1, (P < panels_for(R + 1) ? P : panels_for(R + 1))>...};
  return kTiles[rows - 1];
}

template <typename T>
HWY_INLINE Tile<T> tile_for(int64_t rows, int64_t panels, [[maybe_unused]] int64_t depth, [[maybe_unused]] uint32_t pace) {
#if MODNET_SIX_ROWS
  if constexpr (sizeof(T) == 4)
    if (rows == 6 && depth >= 4 && depth % 4 == 0) {
      constexpr Tile<float> kPaces[] = {&six_rows<0>, &six_rows<1>, &six_rows<2>, &six_rows<4>, &six_rows<8>};
      return kPaces[std::bit_width(pace)];
    }
#elif MODNET_TILES_BY_HAND
  if constexpr (sizeof(T) == 4)
    if (rows >= kLeastByHand && panels >= 2 && depth >= 4 && depth % 4 == 0) return kByHand[rows - kLeastByHand];
#endif
  const std::make_integer_sequence<int, kStripRows<T>> heights;
  if (panels >= 8) return tile_of<T, 8>(rows, heights);
  if (panels >= 4) return tile_of<T, 4>(rows, heights);
  return panels >= 2 ? tile_of<T, 2>(rows, heights) : tile_of<T, 1>(rows, heights);
}

}  // namespace modnet::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
