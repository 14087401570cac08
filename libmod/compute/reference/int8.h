// The truth that the 8-bit product is held against: plain loops over the formula in libmod/compute/int8.h.
// Used by tests only. Tested by tests/unit/compute/int8_test.cc on cases worked by hand.
#pragma once

#include <cstdint>
#include <vector>

#include "libmod/compute/matmul.h"

namespace modnet::reference {

/// One row's whole numbers, their zero and their scale (NaN: the row holds something that is not finite, or its range is not; 0: it counts
/// as zero). factors may be null.
struct WholeRow {
  std::vector<int> numbers;
  int zero = 0;
  float scale = 0;
};
WholeRow quantise_row(const float* x, const float* factors, int64_t k);

/// c[m, n], see modnet::linear_int8; weights [n, k], bias and act may be null.
void linear_int8(int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, const float* factors, const int8_t* weights, const float* scales,
                 const float* bias, RowFunction act, float* c, int64_t ldc);

}  // namespace modnet::reference
