// Products with few columns, as a linear head with its classes is: the tall side is read where it lies, once and
// unpacked, since packing it would cost as much as the product. The same chains, and so the same bits, as matmul.h.
// Kernels: cpu/skinny.cc. Tested by tests/unit/train/skinny_test.cc.
#pragma once

#include <cstdint>

namespace modnet {

/// Columns that skinny products work in: n rounded up to whole vectors of the chosen instruction set, 4 or 8 numbers. Columns beyond n never
/// show in the others.
[[nodiscard]] int64_t skinny_width(int64_t n);

/// c[m, width] += a · b for a[m, k] with element (i, p) at a + i · row_step + p · depth_step (so either of a matrix and
/// its transpose) and b[k, width]; rows of b and c follow one another. width is what skinny_width() gives. Each element of c
/// continues its chain of fused multiply-adds over p, ascending: start from zeros for a product, from the last sums to
/// go on. Runs in the calling thread. c must not overlap a or b.
void skinny_product(int64_t m, int64_t width, int64_t k, const double* a, int64_t row_step, int64_t depth_step,
                    const double* b, double* c);

/// out[i] = (x[i] − mean[i]) · factor[i] in f64, for i < n.
void centre_and_scale(const float* x, const double* mean, const double* factor, double* out, int64_t n);

}  // namespace modnet
