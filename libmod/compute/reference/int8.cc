#include "libmod/compute/reference/int8.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "libmod/compute/int8.h"

namespace modnet::reference {

float quantise_row(const float* x, const float* factors, int64_t k, int8_t* out) {
  std::vector<float> t(static_cast<size_t>(k));
  float most = 0.0F;
  bool finite = true;
  for (int64_t i = 0; i < k; ++i) {
    t[static_cast<size_t>(i)] = factors == nullptr ? x[i] : x[i] * factors[i];
    finite = finite && std::isfinite(t[static_cast<size_t>(i)]);
    most = std::max(most, std::abs(t[static_cast<size_t>(i)]));
  }
  std::fill_n(out, k, int8_t{0});
  if (!finite) return std::numeric_limits<float>::quiet_NaN();
  if (most < kInt8LeastMagnitude) return 0.0F;
  const float inverse = 127.0F / most;
  for (int64_t i = 0; i < k; ++i) out[i] = static_cast<int8_t>(std::nearbyint(t[static_cast<size_t>(i)] * inverse));
  return most / 127.0F;
}

void linear_int8(int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, const float* factors, const int8_t* weights, const float* scales,
                 const float* bias, RowFunction act, float* c, int64_t ldc) {
  std::vector<int8_t> q(static_cast<size_t>(k));
  for (int64_t i = 0; i < m; ++i) {
    const float scale = quantise_row(a + i * lda, factors, k, q.data());
    for (int64_t j = 0; j < n; ++j) {
      int64_t sum = 0;
      for (int64_t p = 0; p < k; ++p) sum += static_cast<int64_t>(q[static_cast<size_t>(p)]) * weights[j * k + p];
      const float channel = static_cast<float>(sum) * scales[j], scaled = channel * scale;
      c[i * ldc + j] = scaled + (bias == nullptr ? 0.0F : bias[j]);
    }
    if (act != nullptr) act(c + i * ldc, n);
  }
}

}  // namespace modnet::reference
