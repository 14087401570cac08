// The tile of the VNNI kernel over a handful of 512-bit instructions, given as a type: the real ones in int8_quads.cc, and plain loops
// in tests/unit/compute/int8_test.cc, so that indexing and arithmetic are tested on machines without VNNI.
#pragma once

#include <cstdint>

#include "libmod/compute/cpu/int8_kernel.h"

namespace modnet::cpu {

/// The formula of int8.h on a tile's sums, row after row: its columns in c.
template <typename Ops>
void quads_finish(const Int8Tile& tile, int64_t rows, const int32_t (*whole)[kQuadPanel]) {
  constexpr int kVectors = 2, kLanes = 16;
  typename Ops::Whole sums[kVectors];
  typename Ops::Real scales[kVectors], bias[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    sums[v] = Ops::load_whole(tile.sums + v * kLanes);
    scales[v] = Ops::load(tile.scales + v * kLanes);
    bias[v] = Ops::load(tile.bias + v * kLanes);
  }
  for (int64_t r = 0; r < rows; ++r) {
    const typename Ops::Whole zero = Ops::set_whole(tile.row_zeros[r]);
    const typename Ops::Real row_scale = Ops::set(tile.row_scales[r]);
    for (int v = 0; v < kVectors; ++v) {
      const typename Ops::Whole offset = Ops::multiply_whole(zero, sums[v]);
      const typename Ops::Real real = Ops::to_real(Ops::subtract(Ops::load_whole(whole[r] + v * kLanes), offset));
      Ops::store(tile.c + r * tile.ldc + v * kLanes, Ops::add(Ops::multiply(Ops::multiply(real, scales[v]), row_scale), bias[v]));
    }
  }
}

/// The loops over a tile's sums are unrolled by force and kept small, the first and last as well: g++ 12 otherwise keeps the sums in
/// memory, at half the speed.
template <typename Ops, int R>
void quads_tile(const Int8Tile& tile) {
  constexpr int kVectors = 2, kLanes = 16;
  static_assert(kVectors * kLanes == kQuadPanel);
  typename Ops::Whole sum[R][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) sum[r][v] = Ops::zero();
  }
  // The lines that will be written: few cycles later they would have to be waited for, a tenth of the time at k = 384.
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) Ops::will_write(tile.c + r * tile.ldc + v * kLanes);
  }
  const std::byte* a = tile.a;
  const std::byte* b = tile.b;
  const int64_t a_stride = tile.a_stride, depth = tile.depth;
  for (int64_t k = 0; k < depth; k += 4) {
    typename Ops::Whole right[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) right[v] = Ops::load_bytes(b + k * kQuadPanel + v * 4 * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r) {
      const typename Ops::Whole left = Ops::broadcast_quad(a + r * a_stride + k);
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sum[r][v] = Ops::dot(sum[r][v], left, right[v]);
    }
  }
  alignas(64) int32_t whole[R][kQuadPanel];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) Ops::store_whole(whole[r] + v * kLanes, sum[r][v]);
  }
  quads_finish<Ops>(tile, R, whole);
}

}  // namespace modnet::cpu
