// Portable functions of one or two numbers, applied element by element. The same bits on every CPU, at every position
// of an array: our own polynomials (coefficients in reference/), fused multiply-adds only where written, no libm.
// Kernels: cpu/elementwise.cc; plain form: reference/math.h. Tested by tests/unit/compute/math_test.cc and
// elementwise_test.cc.
#pragma once

#include <cstdint>

namespace modnet {

/// Functions of one number. NaN in gives the canonical quiet NaN out; so does an argument outside the domain.
/// Accuracy against the exact function, f32 and f64, over the whole range with subnormals and huge arguments: log, sin,
/// cos within 1 ulp, exp 1.1, tanh, erf 2, sigmoid 2.5, sqrt 0.5. The products (gelu, silu) are the written formula of
/// those.
enum class UnaryOp : uint8_t {
  kExp = 0,
  kLog,  // of a negative number: NaN; of 0: -Inf
  kSin,  // radians, any finite size; beyond 2^28 (f32) or 2^23 (f64) one lane at a time; Inf: NaN
  kCos,
  kTanh,
  kErf,
  kSigmoid,   // 1 / (1 + exp(-x))
  kGelu,      // x (1 + erf(x / sqrt 2)) / 2
  kGeluTanh,  // x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2
  kRelu,      // x > 0 ? x : +0
  kSilu,      // x sigmoid(x)
  kSqrt,
  kAbs,
  kNeg,
  kSoftplus,  // max(x, 0) + log(1 + exp(-|x|)); absolute error below 2e-7 (f32), 4e-16 (f64)
  kReciprocal,
  kSquare,
  kCount,  // the number of functions, none itself
};

/// y[i] = op(x[i]) for i < n. y may be x; otherwise they must not overlap. n >= 0.
void unary(UnaryOp op, const float* x, float* y, int64_t n);
void unary(UnaryOp op, const double* x, double* y, int64_t n);

/// The same in place, as a matrix product takes it (libmod/compute/matmul.h).
using RowFunction = void (*)(float* x, int64_t n);
[[nodiscard]] RowFunction row_function(UnaryOp op);

enum class BinaryOp : uint8_t { kAdd = 0, kSub, kMul, kDiv, kMin, kMax, kCount };

/// y[i] = x[i] op other[i] for i < n; NaN results are canonical. kMin and kMax give NaN when either is NaN, and order
/// -0 before +0. y may be x or other.
void binary(BinaryOp op, const float* x, const float* other, float* y, int64_t n);
void binary(BinaryOp op, const double* x, const double* other, double* y, int64_t n);
/// y[i] = x[i] op scalar.
void binary_scalar(BinaryOp op, const float* x, float scalar, float* y, int64_t n);
void binary_scalar(BinaryOp op, const double* x, double scalar, double* y, int64_t n);
/// y[r, i] = x[r, i] op row[i], over [rows, n] with row strides ldx, ldy (in elements). y may be x.
void binary_row(BinaryOp op, const float* x, int64_t ldx, const float* row, float* y, int64_t ldy, int64_t rows,
                int64_t n);

/// y[i] = x[i] to the power exponent[i], as IEEE 754 pow (pow(x, 0) = 1, pow(1, y) = 1, negative x with integer y).
/// Within 1.5 ulp; one element at a time.
void power(const float* x, const float* exponent, float* y, int64_t n);
void power(const double* x, const double* exponent, double* y, int64_t n);

/// y[i] = fma(scale[i], x[i], shift[i]): one rounding. y may be x.
void scale_shift(const float* x, const float* scale, const float* shift, float* y, int64_t n);

}  // namespace modnet
