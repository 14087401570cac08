// Row kernels against the obvious loops, bit for bit, on every instruction set, and against wider arithmetic.
#include "libmod/compute/rows.h"

#include <doctest/doctest.h>

#include "libmod/compute/reference/rows.h"
#include "tests/unit/compute/math_cases.h"

namespace modnet::test {
namespace {

constexpr int64_t kLongest = 1100;  // above what layer_norm takes for long
constexpr int64_t kSizes[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 100, 384, 385, 1000, kLongest};
constexpr int64_t kPad = 5;  // elements between two rows

/// Rows of normal numbers, scaled.
template <typename T>
std::vector<T> matrix(int64_t rows, int64_t columns, double scale, uint64_t seed) {
  std::vector<T> x(static_cast<size_t>(rows * (columns + kPad)));
  const Random random(seed, 2);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(random.normal(i) * scale);
  return x;
}

template <typename T>
RowsOf<const T> view(const std::vector<T>& x, int64_t rows, int64_t columns) {
  return {x.data(), rows, columns, columns + kPad};
}
template <typename T>
RowsOf<T> view(std::vector<T>& x, int64_t rows, int64_t columns) {
  return {x.data(), rows, columns, columns + kPad};
}

/// Runs kernel and plain form over all sizes, out of place and in place.
template <typename T, class Kernel, class Plain>
void check_kernel(Kernel kernel, Plain plain) {
  constexpr int64_t kRows = 7;  // more than are under way in layer_norm at once
  for (const int64_t n : kSizes) {
    for (const bool special : {false, true}) {
      std::vector<T> x = matrix<T>(kRows, n, 3.0, static_cast<uint64_t>(n) + 11);
      if (special && n > 2) {
        x[1] = std::numeric_limits<T>::quiet_NaN();
        x[static_cast<size_t>(n + kPad)] = std::numeric_limits<T>::infinity();
        x[static_cast<size_t>(2 * (n + kPad))] = -std::numeric_limits<T>::infinity();
        for (int64_t i = 0; i < n; ++i) x[static_cast<size_t>(3 * (n + kPad) + i)] = i % 2 == 0 ? T(-0.0) : T(0);
      }
      std::vector<T> expected = x;
      plain(view(std::as_const(x), kRows, n), view(expected, kRows, n));
      for_each_target([&] {
        INFO("columns ", n);
        std::vector<T> got = x, in_place = x;
        kernel(view(std::as_const(x), kRows, n), view(got, kRows, n));
        CHECK(different_bits(got, expected) == 0);
        kernel(view(std::as_const(in_place), kRows, n), view(in_place, kRows, n));
        CHECK(different_bits(in_place, expected) == 0);
      });
    }
  }
}

TEST_CASE("softmax equals the plain form on every instruction set") {
  check_kernel<float>([](ConstRows x, Rows y) { softmax(x, y); },
                      [](ConstRows x, Rows y) { reference::softmax(x, y); });
  check_kernel<double>([](RowsOf<const double> x, RowsOf<double> y) { softmax(x, y); },
                       [](RowsOf<const double> x, RowsOf<double> y) { reference::softmax(x, y); });
}

TEST_CASE("log_softmax equals the plain form on every instruction set") {
  check_kernel<float>([](ConstRows x, Rows y) { log_softmax(x, y); },
                      [](ConstRows x, Rows y) { reference::log_softmax(x, y); });
  check_kernel<double>([](RowsOf<const double> x, RowsOf<double> y) { log_softmax(x, y); },
                       [](RowsOf<const double> x, RowsOf<double> y) { reference::log_softmax(x, y); });
}

TEST_CASE("layer_norm, rms_norm and l2_normalize equal the plain form on every instruction set") {
  const std::vector<float> gamma = matrix<float>(1, kLongest, 1.0, 1), beta = matrix<float>(1, kLongest, 1.0, 2);
  check_kernel<float>([&](ConstRows x, Rows y) { layer_norm(x, gamma.data(), beta.data(), 1e-12f, y); },
                      [&](ConstRows x, Rows y) { reference::layer_norm(x, gamma.data(), beta.data(), 1e-12f, y); });
  check_kernel<float>([&](ConstRows x, Rows y) { layer_norm(x, gamma.data(), nullptr, 1e-5f, y); },
                      [&](ConstRows x, Rows y) { reference::layer_norm(x, gamma.data(), nullptr, 1e-5f, y); });
  check_kernel<float>([&](ConstRows x, Rows y) { rms_norm(x, gamma.data(), 1e-5f, y); },
                      [&](ConstRows x, Rows y) { reference::rms_norm(x, gamma.data(), 1e-5f, y); });
  check_kernel<float>([](ConstRows x, Rows y) { l2_normalize(x, kL2Epsilon, y); },
                      [](ConstRows x, Rows y) { reference::l2_normalize(x, kL2Epsilon, y); });
}

TEST_CASE("the fused residual equals an addition and a layer_norm, in place of either, too") {
  for (const int64_t rows : {1, 2, 4, 9}) {
    for (const int64_t n : kSizes) {
      const std::vector<float> x = matrix<float>(rows, n, 1.0, 3), residual = matrix<float>(rows, n, 1.0, 4);
      const std::vector<float> gamma = matrix<float>(1, n, 1.0, 5), beta = matrix<float>(1, n, 1.0, 6);
      std::vector<float> sums = x;
      for (size_t i = 0; i < sums.size(); ++i) sums[i] += residual[i];
      const auto expected = [&](std::vector<float> out) {  // what stands between rows stays
        reference::layer_norm(view(std::as_const(sums), rows, n), gamma.data(), beta.data(), 1e-12f, view(out, rows, n));
        return out;
      };
      const std::vector<float> expected_x = expected(x), expected_residual = expected(residual);
      for_each_target([&] {
        INFO(rows, " rows of ", n);
        std::vector<float> got = x, over_x = x, over_residual = residual;
        add_layer_norm(view(x, rows, n), view(residual, rows, n), gamma.data(), beta.data(), 1e-12f, view(got, rows, n));
        CHECK(different_bits(got, expected_x) == 0);
        add_layer_norm(view(std::as_const(over_x), rows, n), view(residual, rows, n), gamma.data(), beta.data(), 1e-12f, view(over_x, rows, n));
        CHECK(different_bits(over_x, expected_x) == 0);
        add_layer_norm(view(x, rows, n), view(std::as_const(over_residual), rows, n), gamma.data(), beta.data(), 1e-12f,
                       view(over_residual, rows, n));
        CHECK(different_bits(over_residual, expected_residual) == 0);
      });
    }
  }
}

TEST_CASE("sums, dot products and axpy equal the plain form") {
  for (const int64_t n : kSizes) {
    const std::vector<float> a = matrix<float>(1, n, 2.0, 7), b = matrix<float>(1, n, 2.0, 8);
    const std::vector<double> c = matrix<double>(1, n, 2.0, 9), e = matrix<double>(1, n, 2.0, 10);
    for_each_target([&] {
      CHECK(sum(a.data(), n) == reference::sum(a.data(), n));
      CHECK(sum(c.data(), n) == reference::sum(c.data(), n));
      CHECK(dot(a.data(), b.data(), n) == reference::dot(a.data(), b.data(), n));
      CHECK(dot(c.data(), e.data(), n) == reference::dot(c.data(), e.data(), n));
      float square = 0;
      row_square_sums(view(a, 1, n), &square);
      CHECK(square == reference::dot(a.data(), a.data(), n));
      std::vector<double> y = e, expected = e;
      axpy(0.7, c.data(), y.data(), n);
      for (int64_t i = 0; i < n; ++i)
        expected[static_cast<size_t>(i)] = std::fma(0.7, c[static_cast<size_t>(i)], e[static_cast<size_t>(i)]);
      CHECK(different_bits(y, expected) == 0);
    });
  }
}

TEST_CASE("layer_norm and softmax are close to f64 arithmetic") {
  constexpr int64_t kN = 384;
  const std::vector<float> x = matrix<float>(1, kN, 2.0, 12);
  const std::vector<float> gamma(kN, 1.0f), beta(kN, 0.0f);
  std::vector<float> norm = x, soft = x;
  layer_norm(view(x, 1, kN), gamma.data(), beta.data(), 1e-12f, view(norm, 1, kN));
  softmax(view(x, 1, kN), view(soft, 1, kN));
  double mean = 0, square = 0, greatest = -HUGE_VAL, total = 0;
  for (int64_t i = 0; i < kN; ++i) mean += static_cast<double>(x[static_cast<size_t>(i)]) / kN;
  for (int64_t i = 0; i < kN; ++i) square += std::pow(static_cast<double>(x[static_cast<size_t>(i)]) - mean, 2) / kN;
  for (int64_t i = 0; i < kN; ++i) greatest = std::max(greatest, static_cast<double>(x[static_cast<size_t>(i)]));
  for (int64_t i = 0; i < kN; ++i) total += std::exp(static_cast<double>(x[static_cast<size_t>(i)]) - greatest);
  for (int64_t i = 0; i < kN; ++i) {
    const double value = static_cast<double>(x[static_cast<size_t>(i)]);
    CHECK(std::fabs(static_cast<double>(norm[static_cast<size_t>(i)]) - (value - mean) / std::sqrt(square + 1e-12)) <
          2e-6);
    CHECK(std::fabs(static_cast<double>(soft[static_cast<size_t>(i)]) - std::exp(value - greatest) / total) < 1e-7);
  }
}

TEST_CASE("a row of zeros stays zero when normalised, and argmax takes the first of equals") {
  const std::vector<float> zeros(40, 0.0f);
  std::vector<float> y(40, 1.0f);
  l2_normalize({zeros.data(), 2, 20, 20}, kL2Epsilon, {y.data(), 2, 20, 20});
  CHECK(y == zeros);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {1, 3, 3, nan, nan, nan, nan, nan, -5, nan, -4, -6};
  std::vector<int64_t> best(3);
  row_argmax({x.data(), 3, 4, 4}, best.data());
  CHECK(best == std::vector<int64_t>{1, 0, 2});
}

}  // namespace
}  // namespace modnet::test
