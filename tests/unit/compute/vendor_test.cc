// The vendor's products agree with ours to rounding; they are not held to bits.
#include "libmod/compute/vendor/blas.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "libmod/compute/reference/gemm.h"
#include "tests/support/skip.h"
#include "tests/unit/compute/product_cases.h"

namespace modnet::test {
namespace {

template <typename T>
void check_close(const std::vector<T>& expected, const std::vector<T>& got, double tolerance) {
  double worst = 0.0;
  for (size_t i = 0; i < expected.size(); ++i) {
    worst = std::max(worst, std::abs(static_cast<double>(expected[i]) - static_cast<double>(got[i])));
  }
  CHECK(worst < tolerance);
}

template <typename T>
void check_products(double tolerance) {
  ThreadPool pool(2);
  const ComputeContext context{&pool, Policy::kVendor};
  Numbers numbers(41);
  for (const Trans trans_a : {Trans::kNo, Trans::kYes}) {
    for (const Trans trans_b : {Trans::kNo, Trans::kYes}) {
      const std::vector<T> a = numbers.make<T>(64 * 64);
      const std::vector<T> b = numbers.make<T>(64 * 64);
      for (const int64_t k : {0, 1, 60}) {
        std::vector<T> expected(37 * 50, T{7});
        std::vector<T> got = expected;
        reference::matmul<T>(37, 45, k, a.data(), 64, trans_a, b.data(), 64, trans_b, expected.data(), 50);
        matmul<T>(context, 37, 45, k, a.data(), 64, trans_a, b.data(), 64, trans_b, got.data(), 50);
        check_close(expected, got, tolerance);
      }
    }
  }
}

void halve(float* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] *= 0.5F;
}

TEST_CASE("vendor products agree with the reference to rounding") {
  const Result<std::string> library = vendor_blas();
  if (!library.ok()) {
    CHECK(library.error().code == Code::kUnavailable);
    skip_case("OpenBLAS is not installed");
    return;
  }
  CHECK(library.value().find("OpenBLAS") == 0);
  check_products<float>(1e-4);
  check_products<double>(1e-13);

  Numbers numbers(43);
  const std::vector<float> a = numbers.make<float>(20 * 70);
  const std::vector<float> b = numbers.make<float>(70 * 40);
  const std::vector<float> bias = numbers.make<float>(40);
  const PackedMatrix packed = PackedMatrix::pack(b.data(), 40, Trans::kNo, 70, 40);
  std::vector<float> expected(20 * 40);
  std::vector<float> got(20 * 40);
  reference::linear(20, 40, 70, a.data(), 70, b.data(), 40, Trans::kNo, bias.data(), &halve, expected.data(), 40);
  matmul_packed({nullptr, Policy::kVendor}, a.data(), 70, 20, packed, bias.data(), &halve, got.data(), 40);
  check_close(expected, got, 1e-4);

  const std::vector<double> rows = numbers.make<double>(100 * 30);
  std::vector<double> truth(30 * 30);
  std::vector<double> found(30 * 30);
  reference::gram(100, 30, rows.data(), 30, truth.data(), 30);
  gram({nullptr, Policy::kVendor}, 100, 30, rows.data(), 30, found.data(), 30);
  check_close(truth, found, 1e-12);
}

}  // namespace
}  // namespace modnet::test
