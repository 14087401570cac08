// The kernel for AMX: tile registers of 16 rows by 64 bytes, multiplied 16 x 16 x 64 at a time. It reads panels of quads as they lie:
// 16 columns of 16 quads are a tile of weights. Only called where target.h says int8_tiles().
// Source: Intel Architecture Instruction Set Extensions Programming Reference, chapter on AMX (TDPBUSD: exact 32-bit sums).
#include "libmod/compute/cpu/int8_kernel.h"

#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>

#include "hwy/base.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,avx512vnni,amx-tile,amx-int8")

namespace modnet::cpu {
namespace {

constexpr int kTileRows = 16, kTileBytes = 64, kTallest = 2 * kTileRows;
constexpr int64_t kPanelStride = 4 * kQuadPanel;  // bytes from one quad of k to the next

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
#define MODNET_TILE_LOAD(T, P, STRIDE) asm volatile("tileloadd (%0,%1,1), %%tmm" #T ::"r"(P), "r"(static_cast<int64_t>(STRIDE)) : "memory")
#define MODNET_TILE_STORE(T, P) asm volatile("tilestored %%tmm" #T ", (%0,%1,1)" ::"r"(P), "r"(static_cast<int64_t>(kTileBytes)) : "memory")
#define MODNET_TILE_DOT(C, A, B) asm volatile("tdpbusd %%tmm" #B ", %%tmm" #A ", %%tmm" #C ::)

/// Sums of kTallest rows, or of the first 16, by a panel, [tile of columns][row][16].
template <bool kBoth>
[[gnu::noinline]] void sums_of(const Int8Tile& tile, int32_t (*sums)[kTallest][kTileRows]) {
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
  MODNET_TILE_STORE(0, sums[0][0]);
  MODNET_TILE_STORE(1, sums[1][0]);
  if constexpr (kBoth) {
    MODNET_TILE_STORE(2, sums[0][kTileRows]);
    MODNET_TILE_STORE(3, sums[1][kTileRows]);
  }
}

#undef MODNET_TILE_DOT
#undef MODNET_TILE_STORE
#undef MODNET_TILE_LOAD
#undef MODNET_TILE_ZERO

// Without the intrinsics of which g++ 12 warns falsely.
__m512 to_real(__m512i a) { return __builtin_convertvector(reinterpret_cast<__v16si>(a), __v16sf); }

/// The formula of int8.h on sums.
[[gnu::noinline]] void finish(const Int8Tile& tile, int64_t rows, const int32_t (*sums)[kTallest][kTileRows]) {
  __m512i column_sums[2];
  __m512 scale[2], bias[2];
  for (int v = 0; v < 2; ++v) {
    column_sums[v] = _mm512_loadu_si512(tile.sums + v * kTileRows);
    scale[v] = _mm512_loadu_ps(tile.scales + v * kTileRows);
    bias[v] = _mm512_loadu_ps(tile.bias + v * kTileRows);
  }
  for (int64_t r = 0; r < rows; ++r) {
    const int32_t zero = tile.row_zeros[r];
    const __m512 row_scale = _mm512_set1_ps(tile.row_scales[r]);
    for (int v = 0; v < 2; ++v) {
      const __m512i sum = _mm512_load_si512(sums[v][r]);
      const __m512i whole = _mm512_sub_epi32(sum, _mm512_mullo_epi32(_mm512_set1_epi32(zero), column_sums[v]));
      const __m512 real = _mm512_mul_ps(_mm512_mul_ps(to_real(whole), scale[v]), row_scale);
      _mm512_storeu_ps(tile.c + r * tile.ldc + v * kTileRows, _mm512_add_ps(real, bias[v]));
    }
  }
}

template <int R>
void amx_tile(const Int8Tile& tile) {
  alignas(64) int32_t sums[2][kTallest][kTileRows];
  sums_of<(R > kTileRows)>(tile, sums);
  finish(tile, R, sums);
}

template <int... R>
constexpr Int8Kernel tiles_of(std::integer_sequence<int, R...>) {
  return {kQuadPanel, kTallest, {&amx_tile<R + 1>...}, 2 * kTallest, kTallest, &begin, &end};
}
constexpr Int8Kernel kKernel = tiles_of(std::make_integer_sequence<int, kTallest>());

}  // namespace
}  // namespace modnet::cpu
HWY_POP_ATTRIBUTES

namespace modnet::cpu {
const Int8Kernel& tiles_kernel() { return kKernel; }
}  // namespace modnet::cpu

#else

namespace modnet::cpu {
const Int8Kernel& tiles_kernel() { return pairs_kernel(); }  // never asked for: target.h says so
}  // namespace modnet::cpu

#endif
