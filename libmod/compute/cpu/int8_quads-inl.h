// The tile of the VNNI kernel over a handful of 512-bit instructions, given as a type: the real ones in int8_quads.cc, and plain loops
// in tests/unit/compute/int8_test.cc, so that indexing and arithmetic are tested on machines without VNNI.
#pragma once

#include <cstdint>

#include "libmod/compute/cpu/int8_kernel.h"

namespace modnet::cpu {

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
  for (int r = 0; r < R; ++r) {
    const typename Ops::Whole zero = Ops::set_whole(tile.row_zeros[r]);
    const typename Ops::Real row_scale = Ops::set(tile.row_scales[r]);
    for (int v = 0; v < kVectors; ++v) {
      const typename Ops::Whole offset = Ops::multiply_whole(zero, Ops::load_whole(tile.sums + v * kLanes));
      const typename Ops::Real real = Ops::to_real(Ops::subtract(Ops::load_whole(whole[r] + v * kLanes), offset));
      const typename Ops::Real scaled = Ops::multiply(Ops::multiply(real, Ops::load(tile.scales + v * kLanes)), row_scale);
      Ops::store(tile.c + r * tile.ldc + v * kLanes, Ops::add(scaled, Ops::load(tile.bias + v * kLanes)));
    }
  }
}

}  // namespace modnet::cpu
