// Every step is y[j] = fma(-x, u[j], y[j]) over a stretch of a row: lanes are different elements, each with its own
// chain.
#include "libmod/compute/cpu/gemm_solve.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "libmod/compute/cpu/gemm_solve.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes first
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace modnet::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// y[0, n) -= x * u[0, n), fused.
HWY_INLINE void subtract(int64_t n, double x, const double* HWY_RESTRICT u, double* HWY_RESTRICT y) {
  int64_t j = 0;
#if HWY_NATIVE_FMA
  const hn::ScalableTag<double> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const hn::Vec<decltype(d)> left = hn::Set(d, -x);
  for (; j + lanes <= n; j += lanes) {
    hn::StoreU(hn::MulAdd(left, hn::LoadU(d, u + j), hn::LoadU(d, y + j)), d, y + j);
  }
#endif
  for (; j < n; ++j) y[j] = std::fma(-x, u[j], y[j]);
}

int64_t factor(int64_t n, double* a, int64_t lda, double* upper) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) upper[j * kSolveBlock + i] = a[i * lda + j];
  }
  for (int64_t k = 0; k < n; ++k) {
    double* row = upper + k * kSolveBlock;
    if (!(row[k] > 0.0) || !std::isfinite(row[k])) return k;
    row[k] = std::sqrt(row[k]);
    for (int64_t j = k + 1; j < n; ++j) row[j] /= row[k];
    for (int64_t i = k + 1; i < n; ++i) subtract(n - i, row[i], row + i, upper + i * kSolveBlock + i);
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) a[i * lda + j] = upper[j * kSolveBlock + i];
  }
  return -1;
}

void rows_by_upper(int64_t n, const double* upper, int64_t rows, double* x, int64_t ldx) {
  for (int64_t i = 0; i < rows; ++i) {
    double* row = x + i * ldx;
    for (int64_t k = 0; k < n; ++k) {
      row[k] /= upper[k * kSolveBlock + k];
      subtract(n - k - 1, row[k], upper + k * kSolveBlock + k + 1, row + k + 1);
    }
  }
}

void forward(int64_t n, const double* l, int64_t lda, int64_t columns, double* b, int64_t ldb) {
  for (int64_t i = 0; i < n; ++i) {
    double* row = b + i * ldb;
    for (int64_t k = 0; k < i; ++k) subtract(columns, l[i * lda + k], b + k * ldb, row);
    for (int64_t j = 0; j < columns; ++j) row[j] /= l[i * lda + i];
  }
}

void backward(int64_t n, const double* l, int64_t lda, int64_t columns, double* b, int64_t ldb) {
  for (int64_t i = n - 1; i >= 0; --i) {
    double* row = b + i * ldb;
    for (int64_t k = n - 1; k > i; --k) subtract(columns, l[k * lda + i], b + k * ldb, row);
    for (int64_t j = 0; j < columns; ++j) row[j] /= l[i * lda + i];
  }
}

}  // namespace modnet::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace modnet::cpu {
namespace {
HWY_EXPORT(factor);
HWY_EXPORT(rows_by_upper);
HWY_EXPORT(forward);
HWY_EXPORT(backward);
}  // namespace

int64_t factor_block(int64_t n, double* a, int64_t lda, double* upper) {
  return HWY_DYNAMIC_DISPATCH(factor)(n, a, lda, upper);
}
void solve_rows(int64_t n, const double* upper, int64_t rows, double* x, int64_t ldx) {
  HWY_DYNAMIC_DISPATCH(rows_by_upper)(n, upper, rows, x, ldx);
}
void solve_forward(int64_t n, const double* l, int64_t lda, int64_t columns, double* b, int64_t ldb) {
  HWY_DYNAMIC_DISPATCH(forward)(n, l, lda, columns, b, ldb);
}
void solve_backward(int64_t n, const double* l, int64_t lda, int64_t columns, double* b, int64_t ldb) {
  HWY_DYNAMIC_DISPATCH(backward)(n, l, lda, columns, b, ldb);
}

}  // namespace modnet::cpu
#endif  // HWY_ONCE
