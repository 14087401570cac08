// The row kernels as obvious loops. Tested by tests/unit/compute/rows_test.cc and pool_test.cc.
#include "libmod/compute/reference/rows.h"

#include <cmath>
#include <limits>
#include <vector>

#include "libmod/compute/reference/math.h"

namespace modnet::reference {
namespace {

template <typename T>
T canonical(T x) {
  return x == x ? x : std::numeric_limits<T>::quiet_NaN();
}

/// Adds the 16 lanes by the tree 8, 4, 2, 1.
template <typename T>
T tree_sum(T (&lane)[16]) {
  for (int half = 8; half > 0; half /= 2) {
    for (int j = 0; j < half; ++j) lane[j] += lane[j + half];
  }
  return lane[0];
}

template <typename T>
T sum_of(const T* x, int64_t n) {
  T lane[16] = {};
  for (int64_t i = 0; i < n; ++i) lane[i % 16] += x[i];
  return tree_sum(lane);
}

template <typename T>
T dot_of(const T* a, const T* b, int64_t n) {
  T lane[16] = {};
  for (int64_t i = 0; i < n; ++i) lane[i % 16] = std::fma(a[i], b[i], lane[i % 16]);
  return tree_sum(lane);
}

template <typename T>
T greatest_of(const T* x, int64_t n) {
  T greatest = -std::numeric_limits<T>::infinity();
  for (int64_t i = 0; i < n; ++i) greatest = x[i] > greatest ? x[i] : greatest;
  return greatest;
}

template <typename T>
void softmax_of(RowsOf<const T> x, RowsOf<T> out) {
  for (int64_t r = 0; r < x.rows; ++r) {
    const T* row = x.data + r * x.stride;
    T* y = out.data + r * out.stride;
    const T greatest = greatest_of(row, x.columns);
    for (int64_t i = 0; i < x.columns; ++i) y[i] = exp(row[i] - greatest);
    const T total = sum_of(y, x.columns);
    for (int64_t i = 0; i < x.columns; ++i) y[i] = canonical(y[i] / total);
  }
}

template <typename T>
void log_softmax_of(RowsOf<const T> x, RowsOf<T> out) {
  for (int64_t r = 0; r < x.rows; ++r) {
    const T* row = x.data + r * x.stride;
    T* y = out.data + r * out.stride;
    const T greatest = greatest_of(row, x.columns);
    T lane[16] = {};
    for (int64_t i = 0; i < x.columns; ++i) lane[i % 16] += exp(row[i] - greatest);
    const T total = log(tree_sum(lane));
    for (int64_t i = 0; i < x.columns; ++i) y[i] = canonical(row[i] - greatest - total);
  }
}

}  // namespace

void softmax(ConstRows x, Rows out) { softmax_of(x, out); }
void softmax(RowsOf<const double> x, RowsOf<double> out) { softmax_of(x, out); }
void log_softmax(ConstRows x, Rows out) { log_softmax_of(x, out); }
void log_softmax(RowsOf<const double> x, RowsOf<double> out) { log_softmax_of(x, out); }
float sum(const float* x, int64_t n) { return canonical(sum_of(x, n)); }
double sum(const double* x, int64_t n) { return canonical(sum_of(x, n)); }
float dot(const float* a, const float* b, int64_t n) { return canonical(dot_of(a, b, n)); }
double dot(const double* a, const double* b, int64_t n) { return canonical(dot_of(a, b, n)); }

void layer_norm(ConstRows x, const float* gamma, const float* beta, float eps, Rows out) {
  const float n = static_cast<float>(x.columns);
  for (int64_t r = 0; r < x.rows; ++r) {
    const float* row = x.data + r * x.stride;
    float* y = out.data + r * out.stride;
    const float mean = sum_of(row, x.columns) / n;
    for (int64_t i = 0; i < x.columns; ++i) y[i] = row[i] - mean;
    const float inverse = 1.0f / std::sqrt(dot_of(y, y, x.columns) / n + eps);
    for (int64_t i = 0; i < x.columns; ++i) {
      y[i] = canonical(std::fma(y[i] * inverse, gamma[i], beta == nullptr ? 0.0f : beta[i]));
    }
  }
}

void rms_norm(ConstRows x, const float* gamma, float eps, Rows out) {
  for (int64_t r = 0; r < x.rows; ++r) {
    const float* row = x.data + r * x.stride;
    const float mean_square = dot_of(row, row, x.columns) / static_cast<float>(x.columns);
    const float inverse = 1.0f / std::sqrt(mean_square + eps);
    for (int64_t i = 0; i < x.columns; ++i) out.data[r * out.stride + i] = canonical(row[i] * inverse * gamma[i]);
  }
}

void l2_normalize(ConstRows x, float eps, Rows out) {
  for (int64_t r = 0; r < x.rows; ++r) {
    const float* row = x.data + r * x.stride;
    const float norm = std::sqrt(dot_of(row, row, x.columns));
    const float divisor = norm < eps ? eps : norm;
    for (int64_t i = 0; i < x.columns; ++i) out.data[r * out.stride + i] = canonical(row[i] / divisor);
  }
}

void pool_rows(Pooling pooling, ConstRows x, std::span<const int64_t> offsets, const uint8_t* mask, Rows out) {
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    std::vector<int64_t> rows;
    for (int64_t r = offsets[s]; r < offsets[s + 1]; ++r) {
      if (pooling == Pooling::kCls ? r == offsets[s] : mask == nullptr || mask[r] != 0) rows.push_back(r);
    }
    for (int64_t c = 0; c < x.columns; ++c) {
      float value = 0.0f;
      for (size_t i = 0; i < rows.size(); ++i) {
        const float next = x.data[rows[i] * x.stride + c];
        if (pooling == Pooling::kMean) {
          value += next;
        } else if (i == 0 || next > value || next != next) {
          value = next;
        }
      }
      if (pooling == Pooling::kMean) value /= rows.empty() ? 1e-9f : static_cast<float>(rows.size());
      out.data[static_cast<int64_t>(s) * out.stride + c] = canonical(value);
    }
  }
}

}  // namespace modnet::reference
