#include "libmod/compute/reference/int8.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "libmod/compute/int8.h"

namespace modnet::reference {

WholeRow quantise_row(const float* x, const float* factors, int64_t k) {
  WholeRow out;
  std::vector<float> t(static_cast<size_t>(k));
  float least = 0.0F, greatest = 0.0F;
  bool finite = true;
  for (int64_t i = 0; i < k; ++i) {
    float& value = t[static_cast<size_t>(i)];
    value = factors == nullptr ? x[i] : x[i] * factors[i];
    finite = finite && std::isfinite(value);
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  out.numbers.assign(static_cast<size_t>(k), 0);
  const float range = greatest - least;
  if (!finite || !std::isfinite(range)) {
    out.scale = std::numeric_limits<float>::quiet_NaN();
  } else if (range >= kInt8LeastRange) {
    const float inverse = 255.0F / range;
    out.scale = range / 255.0F;
    out.zero = static_cast<int>(std::nearbyint(-least * inverse));
    // in f64 the sum is exact, so it is rounded once
    for (size_t i = 0; i < t.size(); ++i) out.numbers[i] = std::min(255, static_cast<int>(std::nearbyint(static_cast<double>(t[i] * inverse) + out.zero)));
  }
  return out;
}

void linear_int8(int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, const float* factors, const int8_t* weights, const float* scales,
                 const float* bias, RowFunction act, float* c, int64_t ldc) {
  for (int64_t i = 0; i < m; ++i) {
    const WholeRow row = quantise_row(a + i * lda, factors, k);
    for (int64_t j = 0; j < n; ++j) {
      int64_t sum = 0;
      for (int64_t p = 0; p < k; ++p) sum += static_cast<int64_t>(row.numbers[static_cast<size_t>(p)] - row.zero) * weights[j * k + p];
      const float channel = static_cast<float>(sum) * scales[j], scaled = channel * row.scale;
      c[i * ldc + j] = scaled + (bias == nullptr ? 0.0F : bias[j]);
    }
    if (act != nullptr) act(c + i * ldc, n);
  }
}

}  // namespace modnet::reference
