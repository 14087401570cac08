// The portable elementary functions in their plain form, one number at a time: the tests' truth for the kernels of
// cpu/, and the functions to use wherever a single value is needed (metrics, solvers, samplers) and bits must be the
// same everywhere. Every one is a fixed polynomial with a fixed argument reduction: only +, -, *, /, sqrt and std::fma,
// all exact in IEEE 754. Tested by tests/unit/compute/math_test.cc.
#pragma once

#include <cstdint>

namespace modnet::reference {

// Accuracy: log, sin, cos within 1 ulp, exp 1.1, pow 1.5, tanh, erf, log1p 2, sigmoid 2.5, expm1 4. NaN results are the
// canonical quiet NaN.
[[nodiscard]] float exp(float x);
[[nodiscard]] double exp(double x);
[[nodiscard]] float log(float x);
[[nodiscard]] double log(double x);
/// log(1 + x), x > -1, accurate for small x (through Kahan's correction of log).
[[nodiscard]] double log1p(double x);
/// exp(x) - 1, accurate for small x.
[[nodiscard]] double expm1(double x);
[[nodiscard]] float sin(float x);
[[nodiscard]] double sin(double x);
[[nodiscard]] float cos(float x);
[[nodiscard]] double cos(double x);
[[nodiscard]] float tanh(float x);
[[nodiscard]] double tanh(double x);
[[nodiscard]] float erf(float x);
[[nodiscard]] double erf(double x);
[[nodiscard]] float pow(float x, float y);
[[nodiscard]] double pow(double x, double y);
[[nodiscard]] float sigmoid(float x);
[[nodiscard]] double sigmoid(double x);
[[nodiscard]] float gelu(float x);
[[nodiscard]] double gelu(double x);
[[nodiscard]] float gelu_tanh(float x);
[[nodiscard]] double gelu_tanh(double x);
[[nodiscard]] float softplus(float x);
[[nodiscard]] double softplus(double x);

/// An angle reduced to |head + tail| <= pi / 4, and the quarter turn (0 … 3) it lies in. For finite |x| >= 2^20; exact
/// products with the bits of 2 / pi (Payne and Hanek 1983).
struct Angle {
  double head = 0;
  double tail = 0;
  uint32_t quarter = 0;
};
[[nodiscard]] Angle reduce_large_angle(double x);

}  // namespace modnet::reference
