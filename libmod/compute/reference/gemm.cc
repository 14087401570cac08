#include "libmod/compute/reference/gemm.h"

#include <cmath>
#include <vector>

namespace modnet::reference {

template <typename T>
void matmul(int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, Trans trans_a, const T* b, int64_t ldb,
            Trans trans_b, T* c, int64_t ldc) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      T sum = 0;
      for (int64_t p = 0; p < k; ++p) {
        const T left = trans_a == Trans::kNo ? a[i * lda + p] : a[p * lda + i];
        const T right = trans_b == Trans::kNo ? b[p * ldb + j] : b[j * ldb + p];
        sum = std::fma(left, right, sum);
      }
      c[i * ldc + j] = sum;
    }
  }
}

template void matmul<float>(int64_t, int64_t, int64_t, const float*, int64_t, Trans, const float*, int64_t, Trans,
                            float*, int64_t);
template void matmul<double>(int64_t, int64_t, int64_t, const double*, int64_t, Trans, const double*, int64_t, Trans,
                             double*, int64_t);

void linear(int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, const float* b, int64_t ldb, Trans trans_b,
            const float* bias, RowFunction act, float* c, int64_t ldc) {
  matmul(m, n, k, a, lda, Trans::kNo, b, ldb, trans_b, c, ldc);
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n && bias != nullptr; ++j) c[i * ldc + j] += bias[j];
    if (act != nullptr) act(c + i * ldc, n);
  }
}

void gram(int64_t rows, int64_t cols, const double* a, int64_t lda, double* c, int64_t ldc) {
  matmul(cols, cols, rows, a, lda, Trans::kYes, a, lda, Trans::kNo, c, ldc);
}

std::optional<int64_t> cholesky(int64_t n, double* a, int64_t lda) {
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = j; i < n; ++i) {
      double sum = a[i * lda + j];
      for (int64_t k = 0; k < j; ++k) sum = std::fma(-a[i * lda + k], a[j * lda + k], sum);
      if (i == j) {
        if (!(sum > 0.0) || !std::isfinite(sum)) return j;
        sum = std::sqrt(sum);
      } else {
        sum /= a[j * lda + j];
      }
      a[i * lda + j] = sum;
      if (i != j) a[j * lda + i] = 0.0;
    }
  }
  return std::nullopt;
}

void cholesky_solve(int64_t n, const double* l, int64_t lda, int64_t nrhs, double* b, int64_t ldb) {
  for (int64_t j = 0; j < nrhs; ++j) {
    for (int64_t i = 0; i < n; ++i) {
      double sum = b[i * ldb + j];
      for (int64_t k = 0; k < i; ++k) sum = std::fma(-l[i * lda + k], b[k * ldb + j], sum);
      b[i * ldb + j] = sum / l[i * lda + i];
    }
    for (int64_t i = n - 1; i >= 0; --i) {
      double sum = b[i * ldb + j];
      for (int64_t k = n - 1; k > i; --k) sum = std::fma(-l[k * lda + i], b[k * ldb + j], sum);
      b[i * ldb + j] = sum / l[i * lda + i];
    }
  }
}

}  // namespace modnet::reference
