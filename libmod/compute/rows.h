// Portable kernels over the rows of a matrix: softmax, normalisation, sums. A row's result depends on that row alone;
// sums and maxima use 16 virtual lanes (element i goes to lane i % 16) and the tree 8, 4, 2, 1, so every CPU gives the
// same bits. Kernels: cpu/rows.cc; plain form: reference/rows.h. Tested by tests/unit/compute/rows_test.cc.
#pragma once

#include <cstdint>

namespace modnet {

/// A matrix in memory: [rows, columns], row r begins at data + r * stride. Borrowed; 'data' must outlive it.
template <typename T>
struct RowsOf {
  T* data = nullptr;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t stride = 0;  // elements from one row to the next, >= columns
};
using Rows = RowsOf<float>;
using ConstRows = RowsOf<const float>;

// In all of these 'out' has the input's rows and columns and may be the input itself (same stride); NaNs come out
// canonical; rows or columns may be 0.

/// exp(x - max) / sum(exp(x - max)). A row with NaN or +Inf, or of -Inf only, gives NaN.
void softmax(ConstRows x, Rows out);
void softmax(RowsOf<const double> x, RowsOf<double> out);
/// (x - max) - log(sum(exp(x - max))).
void log_softmax(ConstRows x, Rows out);
void log_softmax(RowsOf<const double> x, RowsOf<double> out);

/// (x - mean) / sqrt(variance + eps) * gamma + beta; the variance is the mean squared deviation (second pass).
/// gamma, beta: [columns]; beta may be null (0).
void layer_norm(ConstRows x, const float* gamma, const float* beta, float eps, Rows out);
/// layer_norm(x + residual).
void add_layer_norm(ConstRows x, ConstRows residual, const float* gamma, const float* beta, float eps, Rows out);
/// x / sqrt(mean(x^2) + eps) * gamma.
void rms_norm(ConstRows x, const float* gamma, float eps, Rows out);

/// x / max(||x||_2, eps), as torch.nn.functional.normalize. A row of zeros stays zero.
void l2_normalize(ConstRows x, float eps, Rows out);
inline constexpr float kL2Epsilon = 1e-12f;

/// out[r] = sum of row r, 16 virtual lanes. out: [rows].
void row_sums(ConstRows x, float* out);
void row_sums(RowsOf<const double> x, double* out);
/// out[r] = sum of squares of row r. out: [rows].
void row_square_sums(ConstRows x, float* out);

/// The dot product of two vectors, 16 virtual lanes of fused multiply-adds. n >= 0.
[[nodiscard]] float dot(const float* a, const float* b, int64_t n);
[[nodiscard]] double dot(const double* a, const double* b, int64_t n);
/// The sum of a vector, 16 virtual lanes.
[[nodiscard]] float sum(const float* a, int64_t n);
[[nodiscard]] double sum(const double* a, int64_t n);
/// y[i] = fma(a, x[i], y[i]).
void axpy(double a, const double* x, double* y, int64_t n);
void axpy(float a, const float* x, float* y, int64_t n);

/// out[r] = the column of row r's greatest value, the first of equals; NaN counts as smaller than everything (all NaN:
/// 0). columns >= 1. out: [rows].
void row_argmax(ConstRows x, int64_t* out);

}  // namespace modnet
