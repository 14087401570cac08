// Elementwise operations against the plain arithmetic, on every instruction set, with canonical NaNs.
#include "libmod/compute/elementwise.h"

#include <doctest/doctest.h>

#include "libmod/compute/reference/math.h"
#include "tests/unit/compute/math_cases.h"

namespace modnet::test {
namespace {

template <typename T>
T canonical(T x) {
  return x == x ? x : std::numeric_limits<T>::quiet_NaN();
}

template <typename T>
T plain_unary(UnaryOp op, T x) {
  switch (op) {
    case UnaryOp::kRelu:
      return canonical(x <= T(0) ? T(0) : x);
    case UnaryOp::kSilu:
      return canonical(x * reference::sigmoid(x));
    case UnaryOp::kSqrt:
      return canonical(std::sqrt(x));
    case UnaryOp::kAbs:
      return canonical(std::fabs(x));
    case UnaryOp::kNeg:
      return canonical(-x);
    case UnaryOp::kReciprocal:
      return canonical(T(1) / x);
    default:
      return canonical(x * x);
  }
}

template <typename T>
T plain_binary(BinaryOp op, T a, T b) {
  switch (op) {
    case BinaryOp::kAdd:
      return canonical(a + b);
    case BinaryOp::kSub:
      return canonical(a - b);
    case BinaryOp::kMul:
      return canonical(a * b);
    case BinaryOp::kDiv:
      return canonical(a / b);
    default:
      break;
  }
  if (a != a || b != b) return canonical(a + b);
  if (a == b && std::signbit(a) != std::signbit(b)) return op == BinaryOp::kMin ? T(-0.0) : T(0);
  return (op == BinaryOp::kMin) == (a < b) ? a : b;
}

template <typename T>
void check_unary() {
  const std::vector<T> x = samples<T>(300'001);  // more than a megabyte: from there on arrays are asked for ahead of their turn
  std::vector<T> expected(x.size()), got(x.size());
  for (const UnaryOp op : {UnaryOp::kRelu, UnaryOp::kSilu, UnaryOp::kSqrt, UnaryOp::kAbs, UnaryOp::kNeg,
                           UnaryOp::kReciprocal, UnaryOp::kSquare}) {
    for (size_t i = 0; i < x.size(); ++i) expected[i] = plain_unary(op, x[i]);
    for_each_target([&] {
      INFO("operation ", static_cast<int>(op));
      unary(op, x.data(), got.data(), static_cast<int64_t>(x.size()));
      CHECK(different_bits(got, expected) == 0);
    });
  }
}

template <typename T>
void check_binary() {
  const std::vector<T> edges = edge_values<T>();
  std::vector<T> a, b;
  for (const T x : edges) {
    for (const T y : edges) a.push_back(x), b.push_back(y);
  }
  std::vector<T> expected(a.size()), got(a.size());
  const int64_t n = static_cast<int64_t>(a.size());
  for (int op = 0; op < static_cast<int>(BinaryOp::kCount); ++op) {
    const BinaryOp kind = static_cast<BinaryOp>(op);
    for (size_t i = 0; i < a.size(); ++i) expected[i] = plain_binary(kind, a[i], b[i]);
    for_each_target([&] {
      INFO("operation ", op);
      binary(kind, a.data(), b.data(), got.data(), n);
      CHECK(different_bits(got, expected) == 0);
      for (size_t s = 0; s < edges.size(); s += 7) {
        std::vector<T> row = edges, by_scalar = edges;
        binary_scalar(kind, edges.data(), edges[s], row.data(), static_cast<int64_t>(row.size()));
        for (size_t i = 0; i < edges.size(); ++i) by_scalar[i] = plain_binary(kind, edges[i], edges[s]);
        CHECK(different_bits(row, by_scalar) == 0);
      }
    });
  }
}

TEST_CASE("simple functions of one number equal the plain arithmetic") {
  check_unary<float>();
  check_unary<double>();
}

TEST_CASE("operations on two numbers equal the plain arithmetic") {
  check_binary<float>();
  check_binary<double>();
}

TEST_CASE("a row is combined with every row of a strided matrix, in place too") {
  constexpr int64_t kRows = 3, kColumns = 21, kStride = 25;
  std::vector<float> x(kRows * kStride), row(kColumns);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i) * 0.37f;
  for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<float>(i) - 3.5f;
  std::vector<float> expected = x;
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t i = 0; i < kColumns; ++i)
      expected[static_cast<size_t>(r * kStride + i)] += row[static_cast<size_t>(i)];
  }
  for_each_target([&] {
    std::vector<float> y = x;
    binary_row(BinaryOp::kAdd, y.data(), kStride, row.data(), y.data(), kStride, kRows, kColumns);
    CHECK(different_bits(y, expected) == 0);
  });
}

TEST_CASE("a row function does what unary does") {
  const std::vector<float> x = samples<float>(1000);
  for (int op = 0; op < static_cast<int>(UnaryOp::kCount); ++op) {
    std::vector<float> expected(x.size()), got = x;
    unary(static_cast<UnaryOp>(op), x.data(), expected.data(), static_cast<int64_t>(x.size()));
    row_function(static_cast<UnaryOp>(op))(got.data(), static_cast<int64_t>(got.size()));
    CHECK(different_bits(got, expected) == 0);
  }
}

TEST_CASE("scale and shift round once") {
  const std::vector<float> x = samples<float>(1003);
  std::vector<float> scale(x.rbegin(), x.rend()), shift(x.size(), 1.25f), expected(x.size()), got(x.size());
  for (size_t i = 0; i < x.size(); ++i) expected[i] = canonical(std::fma(scale[i], x[i], shift[i]));
  for_each_target([&] {
    scale_shift(x.data(), scale.data(), shift.data(), got.data(), static_cast<int64_t>(x.size()));
    CHECK(different_bits(got, expected) == 0);
  });
}

TEST_CASE("powers of arrays equal the plain form") {
  const std::vector<float> x = samples<float>(500);
  std::vector<float> y(x.rbegin(), x.rend()), got(x.size()), expected(x.size());
  power(x.data(), y.data(), got.data(), static_cast<int64_t>(x.size()));
  for (size_t i = 0; i < x.size(); ++i) expected[i] = reference::pow(x[i], y[i]);
  CHECK(different_bits(got, expected) == 0);
}

}  // namespace
}  // namespace modnet::test
