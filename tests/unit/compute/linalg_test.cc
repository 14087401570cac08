// Cholesky and its solves against the unblocked reference, bit for bit, and against the system they solve.
#include "libmod/compute/linalg.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "libmod/compute/reference/gemm.h"
#include "tests/unit/compute/product_cases.h"

namespace modnet::test {
namespace {

// aᵀa + ridge of random rows: positive definite.
std::vector<double> positive_definite(int64_t n, int64_t ld) {
  Numbers numbers(static_cast<uint64_t>(n) + 1);
  const std::vector<double> rows = numbers.make<double>((n + 10) * n);
  std::vector<double> a(static_cast<size_t>(n * ld), 3.0);
  gram({}, n + 10, n, rows.data(), n, a.data(), ld);
  for (int64_t i = 0; i < n; ++i) a[static_cast<size_t>(i * ld + i)] += 0.5;
  return a;
}

TEST_CASE("a factor and a solution worked by hand come out") {
  double a[] = {4, 99, 2, 10};  // [[4, 2], [2, 10]]: L = [[2, 0], [1, 3]]
  REQUIRE(cholesky({}, 2, a, 2).ok());
  CHECK(a[0] == 2.0);
  CHECK(a[1] == 0.0);
  CHECK(a[2] == 1.0);
  CHECK(a[3] == 3.0);
  double b[] = {8, 22};  // x = (1, 2)
  cholesky_solve({}, 2, a, 2, 1, b, 1);
  CHECK(b[0] == 1.0);
  CHECK(b[1] == 2.0);
}

TEST_CASE("the factor and the solution have the reference's bits on every instruction set and thread count") {
  ThreadPool two(2);
  ThreadPool three(3);
  for (const int64_t n : {0, 1, 2, 3, 15, 16, 63, 64, 65, 130, 200}) {
    const int64_t ld = n + 3;
    const std::vector<double> a = positive_definite(n, ld);
    std::vector<double> factor = a;
    REQUIRE_FALSE(reference::cholesky(n, factor.data(), ld).has_value());
    for (const int64_t nrhs : {0, 1, 5, 67}) {
      Numbers numbers(7);
      const std::vector<double> b = numbers.make<double>(n * (nrhs + 1));
      std::vector<double> solution = b;
      reference::cholesky_solve(n, factor.data(), ld, nrhs, solution.data(), nrhs + 1);
      for (const std::string& target : cpu_targets()) {
        const ForcedTarget forced(target);
        for (ThreadPool* pool : {static_cast<ThreadPool*>(nullptr), &two, &three}) {
          const ComputeContext context{pool, Policy::kPortable};
          std::vector<double> l = a;
          std::vector<double> x = b;
          REQUIRE(cholesky(context, n, l.data(), ld).ok());
          cholesky_solve(context, n, l.data(), ld, nrhs, x.data(), nrhs + 1);
          CAPTURE(target);
          CAPTURE(n);
          CAPTURE(nrhs);
          CHECK(first_difference(factor, l) == -1);
          CHECK(first_difference(solution, x) == -1);
        }
      }
    }
  }
}

TEST_CASE("a solution satisfies its system") {
  constexpr int64_t kSize = 384;
  const std::vector<double> a = positive_definite(kSize, kSize);
  Numbers numbers(31);
  const std::vector<double> b = numbers.make<double>(kSize * 3);
  std::vector<double> l = a;
  std::vector<double> x = b;
  ThreadPool pool(2);
  const ComputeContext context{&pool, Policy::kPortable};
  REQUIRE(cholesky(context, kSize, l.data(), kSize).ok());
  cholesky_solve(context, kSize, l.data(), kSize, 3, x.data(), 3);
  std::vector<double> back(kSize * 3);
  matmul<double>(context, kSize, 3, kSize, a.data(), kSize, Trans::kNo, x.data(), 3, Trans::kNo, back.data(), 3);
  double worst = 0.0;
  for (size_t i = 0; i < b.size(); ++i) worst = std::max(worst, std::abs(back[i] - b[i]));
  CHECK(worst < 1e-12);
}

TEST_CASE("a matrix that is not positive definite is refused with its pivot") {
  for (const int64_t pivot : {0, 5, 64, 99}) {
    std::vector<double> a = positive_definite(100, 100);
    a[static_cast<size_t>(pivot * 100 + pivot)] = -1.0;
    const Status status = cholesky({}, 100, a.data(), 100);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == Code::kInvalid);
    CHECK(status.error().what.find("pivot " + std::to_string(pivot) + " of 100") != std::string::npos);
  }
  std::vector<double> a = positive_definite(10, 10);
  a[33] = std::nan("");
  CHECK_FALSE(cholesky({}, 10, a.data(), 10).ok());
}

}  // namespace
}  // namespace modnet::test
