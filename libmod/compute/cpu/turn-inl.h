// Squares of eight by eight f32 values, turned on their diagonal: how rows become the columns of a panel. Included once per
// target; there only where 256-bit registers are (MODNET_TURNS_EIGHT). Tested by tests/unit/compute/matmul_test.cc and attention_test.cc.

#if defined(MODNET_TURN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODNET_TURN_INL_H_
#undef MODNET_TURN_INL_H_
#else
#define MODNET_TURN_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"

#undef MODNET_TURNS_EIGHT
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
#define MODNET_TURNS_EIGHT 1

HWY_BEFORE_NAMESPACE();
namespace modnet {
namespace HWY_NAMESPACE {

/// out[p * step …] gets value p of all eight rows, p < 8. Eight values are written even where step < 8: what is too much, the next
/// overwrites.
HWY_INLINE void TurnEight(const float* const (&row)[8], float* out, int64_t step) {
  __m256 x[8], y[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) x[i] = _mm256_loadu_ps(row[i]);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    y[2 * i] = _mm256_unpacklo_ps(x[2 * i], x[2 * i + 1]);
    y[2 * i + 1] = _mm256_unpackhi_ps(x[2 * i], x[2 * i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {  // x[4 i + j]: values j and j + 4 of rows 4 i … 4 i + 3
    x[4 * i] = _mm256_shuffle_ps(y[4 * i], y[4 * i + 2], 0x44);
    x[4 * i + 1] = _mm256_shuffle_ps(y[4 * i], y[4 * i + 2], 0xee);
    x[4 * i + 2] = _mm256_shuffle_ps(y[4 * i + 1], y[4 * i + 3], 0x44);
    x[4 * i + 3] = _mm256_shuffle_ps(y[4 * i + 1], y[4 * i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) _mm256_storeu_ps(out + j * step, _mm256_permute2f128_ps(x[j], x[j + 4], 0x20));
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) _mm256_storeu_ps(out + (j + 4) * step, _mm256_permute2f128_ps(x[j], x[j + 4], 0x31));
}

}  // namespace HWY_NAMESPACE
}  // namespace modnet
HWY_AFTER_NAMESPACE();
#endif

#endif
