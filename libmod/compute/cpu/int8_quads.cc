// The kernels on quads with the real instructions, VNNI's and AMX's. Everything that is compiled here may use AVX-512, so nothing that other
// files share may be: only the tiles, which are called where target.h says int8_dot_products() and int8_tiles().
#include "libmod/compute/cpu/int8_kernel.h"

#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>

#include "hwy/base.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512vnni,amx-tile,amx-int8")
#include "libmod/compute/cpu/int8_quads-inl.h"

namespace modnet::cpu {
namespace {

struct Avx512Vnni {
  using Whole = __m512i;
  using Real = __m512;
  static Whole zero() { return _mm512_setzero_si512(); }
  static Whole load_bytes(const std::byte* p) { return _mm512_load_si512(p); }
  static Whole broadcast_quad(const std::byte* p) { return _mm512_set1_epi32(*reinterpret_cast<const int32_t __attribute__((aligned(1), may_alias))*>(p)); }
  static Whole dot(Whole sum, Whole bytes, Whole signed_bytes) { return _mm512_dpbusd_epi32(sum, bytes, signed_bytes); }
  static void will_write(float* p) { asm volatile("prefetchw %0" ::"m"(*p)); }
  static Whole load_whole(const int32_t* p) { return _mm512_loadu_si512(p); }
  static void store_whole(int32_t* p, Whole a) { _mm512_store_si512(p, a); }
  static Whole set_whole(int32_t value) { return _mm512_set1_epi32(value); }
  static Whole multiply_whole(Whole a, Whole b) { return _mm512_mullo_epi32(a, b); }
  static Whole subtract(Whole a, Whole b) { return _mm512_sub_epi32(a, b); }
  static Real to_real(Whole a) { return __builtin_convertvector(reinterpret_cast<__v16si>(a), __v16sf); }  // _mm512_cvtepi32_ps without g++ 12's false warning
  static Real set(float value) { return _mm512_set1_ps(value); }
  static Real load(const float* p) { return _mm512_loadu_ps(p); }
  static Real multiply(Real a, Real b) { return _mm512_mul_ps(a, b); }
  static Real add(Real a, Real b) { return _mm512_add_ps(a, b); }
  static void store(float* p, Real a) { _mm512_storeu_ps(p, a); }
};

constexpr int kQuadRows = 12;

// The tile that nearly all work is done in, twelve rows: quads_tile by hand, since g++ 12 takes the sums through memory at the end or,
// where it is told not to, all the time. Sums in registers 0 to 23.
void twelve_rows(const Int8Tile& tile) {
#define MODNET_FIRST(A) "(%[" #A "])"
#define MODNET_SECOND(A) "(%[" #A "],%[stride])"
#define MODNET_THIRD(A) "(%[" #A "],%[stride],2)"
// M(address of the row, its registers)
#define MODNET_EACH(M)                                                                                                      \
  M(MODNET_FIRST(a0), 0, 1) M(MODNET_SECOND(a0), 2, 3) M(MODNET_THIRD(a0), 4, 5)                                            \
  M(MODNET_FIRST(a3), 6, 7) M(MODNET_SECOND(a3), 8, 9) M(MODNET_THIRD(a3), 10, 11)                                          \
  M(MODNET_FIRST(a6), 12, 13) M(MODNET_SECOND(a6), 14, 15) M(MODNET_THIRD(a6), 16, 17)                                      \
  M(MODNET_FIRST(a9), 18, 19) M(MODNET_SECOND(a9), 20, 21) M(MODNET_THIRD(a9), 22, 23)
#define MODNET_CLEAR(A, X, Y)                                     \
  "vpxord %%zmm" #X ", %%zmm" #X ", %%zmm" #X "\n"                \
  "vpxord %%zmm" #Y ", %%zmm" #Y ", %%zmm" #Y "\n"                \
  "prefetchw (%%rax)\nprefetchw 64(%%rax)\nadd %%rdx, %%rax\n"
#define MODNET_ROW(A, X, Y)                                       \
  "vpbroadcastd " A ", %%zmm26\n"                                 \
  "vpdpbusd %%zmm24, %%zmm26, %%zmm" #X "\n"                      \
  "vpdpbusd %%zmm25, %%zmm26, %%zmm" #Y "\n"
#define MODNET_FINISH(A, X, Y)                                    \
  "vpmulld (%[a0])%{1to16%}, %%zmm24, %%zmm30\n"                  \
  "vpmulld (%[a0])%{1to16%}, %%zmm25, %%zmm31\n"                  \
  "vpsubd %%zmm30, %%zmm" #X ", %%zmm" #X "\n"                    \
  "vpsubd %%zmm31, %%zmm" #Y ", %%zmm" #Y "\n"                    \
  "vcvtdq2ps %%zmm" #X ", %%zmm" #X "\n"                          \
  "vcvtdq2ps %%zmm" #Y ", %%zmm" #Y "\n"                          \
  "vmulps %%zmm26, %%zmm" #X ", %%zmm" #X "\n"                    \
  "vmulps %%zmm27, %%zmm" #Y ", %%zmm" #Y "\n"                    \
  "vmulps (%[a3])%{1to16%}, %%zmm" #X ", %%zmm" #X "\n"           \
  "vmulps (%[a3])%{1to16%}, %%zmm" #Y ", %%zmm" #Y "\n"           \
  "vaddps %%zmm28, %%zmm" #X ", %%zmm" #X "\n"                    \
  "vaddps %%zmm29, %%zmm" #Y ", %%zmm" #Y "\n"                    \
  "vmovups %%zmm" #X ", (%%rax)\n"                                \
  "vmovups %%zmm" #Y ", 64(%%rax)\n"                              \
  "add $4, %[a0]\nadd $4, %[a3]\nadd %%rdx, %%rax\n"
  const std::byte *a0 = tile.a, *a3 = a0 + 3 * tile.a_stride, *a6 = a0 + 6 * tile.a_stride, *a9 = a0 + 9 * tile.a_stride, *b = tile.b;
  int64_t steps = tile.depth / 4;
  asm volatile(
      "mov %[c], %%rax\n"
      "mov %[ldc], %%rdx\n"
      "shl $2, %%rdx\n" MODNET_EACH(MODNET_CLEAR)
      "test %[steps], %[steps]\n"
      "jz 2f\n"
      ".p2align 5\n"
      "1:\n"
      "vmovdqa64 (%[b]), %%zmm24\n"
      "vmovdqa64 64(%[b]), %%zmm25\n" MODNET_EACH(MODNET_ROW)
      "add $4, %[a0]\nadd $4, %[a3]\nadd $4, %[a6]\nadd $4, %[a9]\n"
      "add $128, %[b]\n"
      "dec %[steps]\n"
      "jnz 1b\n"
      "2:\n"
      "mov %[sums], %[a6]\n"
      "vmovdqu64 (%[a6]), %%zmm24\n"
      "vmovdqu64 64(%[a6]), %%zmm25\n"
      "mov %[scales], %[a6]\n"
      "vmovups (%[a6]), %%zmm26\n"
      "vmovups 64(%[a6]), %%zmm27\n"
      "mov %[bias], %[a6]\n"
      "vmovups (%[a6]), %%zmm28\n"
      "vmovups 64(%[a6]), %%zmm29\n"
      "mov %[row_zeros], %[a0]\n"
      "mov %[row_scales], %[a3]\n"
      "mov %[c], %%rax\n" MODNET_EACH(MODNET_FINISH)
      : [a0] "+r"(a0), [a3] "+r"(a3), [a6] "+r"(a6), [a9] "+r"(a9), [b] "+r"(b), [steps] "+r"(steps)
      : [stride] "r"(tile.a_stride), [c] "m"(tile.c), [ldc] "m"(tile.ldc), [sums] "m"(tile.sums), [scales] "m"(tile.scales), [bias] "m"(tile.bias),
        [row_zeros] "m"(tile.row_zeros), [row_scales] "m"(tile.row_scales)
      : "rax", "rdx", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",
        "xmm15", "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30",
        "xmm31", "cc", "memory");
  _mm256_zeroupper();
#undef MODNET_FINISH
#undef MODNET_ROW
#undef MODNET_CLEAR
#undef MODNET_EACH
#undef MODNET_THIRD
#undef MODNET_SECOND
#undef MODNET_FIRST
}

template <int... R>
constexpr Int8Kernel tiles_of(std::integer_sequence<int, R...>) {
  return {kQuadPanel, kQuadRows, {&quads_tile<Avx512Vnni, R + 1>..., &twelve_rows}};
}
constexpr Int8Kernel kKernel = tiles_of(std::make_integer_sequence<int, kQuadRows - 1>());

// AMX: tile registers of 16 rows by 64 bytes, multiplied 16 x 16 x 64 at a time. It reads panels of quads as they lie: 16 columns of 16 quads are a
// tile of weights.
// Source: Intel Architecture Instruction Set Extensions Programming Reference, chapter on AMX (TDPBUSD: exact 32-bit sums).
constexpr int kTileRows = 16, kTileBytes = 64, kTallest = 2 * kTileRows;
constexpr int64_t kPanelStride = 4 * kQuadPanel;  // bytes from one quad of k to the next, and from one row of sums

/// What LDTILECFG reads.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

void begin() {
  TileConfig config;
  for (int t = 0; t < 8; ++t) {
    config.bytes[t] = kTileBytes;
    config.rows[t] = kTileRows;
  }
  asm volatile("ldtilecfg %0" ::"m"(config));
}
void end() { asm volatile("tilerelease" ::: "memory"); }

// Tile registers: sums 0 1 (rows 0 to 15, columns 0 to 15 and 16 to 31), 2 3 (rows 16 to 31); rows 4 5; weights 6 7.
#define MODNET_TILE_ZERO(T) asm volatile("tilezero %%tmm" #T ::)
#define MODNET_TILE_LOAD(T, P, STRIDE) asm volatile("tileloadd (%0,%1,1), %%tmm" #T ::"r"(P), "r"(STRIDE) : "memory")
#define MODNET_TILE_STORE(T, P) asm volatile("tilestored %%tmm" #T ", (%0,%1,1)" ::"r"(P), "r"(kPanelStride) : "memory")
#define MODNET_TILE_DOT(C, A, B) asm volatile("tdpbusd %%tmm" #B ", %%tmm" #A ", %%tmm" #C ::)

/// Sums of kTallest rows, or of the first 16, by a panel.
template <bool kBoth>
[[gnu::noinline]] void sums_of(const Int8Tile& tile, int32_t (*sums)[kQuadPanel]) {
  const std::byte *upper = tile.a, *lower = tile.a + kTileRows * tile.a_stride, *b = tile.b;
  MODNET_TILE_ZERO(0);
  MODNET_TILE_ZERO(1);
  if constexpr (kBoth) {
    MODNET_TILE_ZERO(2);
    MODNET_TILE_ZERO(3);
  }
  for (int64_t k = 0; k < tile.depth; k += kTileBytes, b += kTileBytes / 4 * kPanelStride) {
    MODNET_TILE_LOAD(4, upper + k, tile.a_stride);
    MODNET_TILE_LOAD(6, b, kPanelStride);
    MODNET_TILE_DOT(0, 4, 6);
    MODNET_TILE_LOAD(7, b + kTileBytes, kPanelStride);
    MODNET_TILE_DOT(1, 4, 7);
    if constexpr (kBoth) {
      MODNET_TILE_LOAD(5, lower + k, tile.a_stride);
      MODNET_TILE_DOT(2, 5, 6);
      MODNET_TILE_DOT(3, 5, 7);
    }
  }
  MODNET_TILE_STORE(0, sums[0]);
  MODNET_TILE_STORE(1, sums[0] + kTileRows);
  if constexpr (kBoth) {
    MODNET_TILE_STORE(2, sums[kTileRows]);
    MODNET_TILE_STORE(3, sums[kTileRows] + kTileRows);
  }
}

#undef MODNET_TILE_DOT
#undef MODNET_TILE_STORE
#undef MODNET_TILE_LOAD
#undef MODNET_TILE_ZERO

template <int R>
void amx_tile(const Int8Tile& tile) {
  alignas(64) int32_t sums[kTallest][kQuadPanel];
  sums_of<(R > kTileRows)>(tile, sums);
  quads_finish<Avx512Vnni>(tile, R, sums);
}

template <int... R>
constexpr Int8Kernel amx_tiles_of(std::integer_sequence<int, R...>) {
  return {kQuadPanel, kTallest, {&amx_tile<R + 1>...}, 2 * kTallest, kTallest, &begin, &end};
}
constexpr Int8Kernel kTilesKernel = amx_tiles_of(std::make_integer_sequence<int, kTallest>());

}  // namespace
}  // namespace modnet::cpu
HWY_POP_ATTRIBUTES

namespace modnet::cpu {
const Int8Kernel& quads_kernel() { return kKernel; }
const Int8Kernel& tiles_kernel() { return kTilesKernel; }
}  // namespace modnet::cpu

#else

namespace modnet::cpu {
const Int8Kernel& quads_kernel() { return pairs_kernel(); }  // never asked for: target.h says so
const Int8Kernel& tiles_kernel() { return pairs_kernel(); }
}  // namespace modnet::cpu

#endif
