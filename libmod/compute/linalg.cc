// Blocked, right-looking Cholesky. The trailing matrix takes one product a block column, and a product continues the
// chains that c holds, so every element is the unblocked algorithm's: a_ij, then fma(-l_ik, l_jk) for k ascending, then
// the division.
#include "libmod/compute/linalg.h"

#include <algorithm>
#include <string>

#include "libmod/compute/cpu/gemm.h"
#include "libmod/compute/cpu/gemm_solve.h"

namespace modnet {
namespace {

constexpr int64_t kBlock = cpu::kSolveBlock;
constexpr int64_t kRowsATask = 32;
constexpr int64_t kColumnsATask = 64;

// c -= a · b, continuing the chains of c.
void subtract(ThreadPool* pool, int64_t m, int64_t n, int64_t k, cpu::Operand<double> a, cpu::Operand<double> b,
              double* c, int64_t ldc, cpu::Region region) {
  cpu::Product<double> product;
  product.m = m;
  product.n = n;
  product.k = k;
  product.a = a;
  product.sign = cpu::Sign::kMinus;
  product.b = b;
  product.c = c;
  product.ldc = ldc;
  product.chain = cpu::Chain::kContinue;
  product.region = region;
  cpu::multiply(pool, product);
}

}  // namespace

Status cholesky(const ComputeContext& context, int64_t n, double* a, int64_t lda) {
  alignas(kCacheLine) double upper[kBlock * kBlock];
  for (int64_t j = 0; j < n; j += kBlock) {
    const int64_t size = std::min(kBlock, n - j);
    double* diagonal = a + j * lda + j;
    const int64_t failed = cpu::factor_block(size, diagonal, lda, upper);
    if (failed >= 0) {
      return invalid("the matrix is not positive definite: pivot " + std::to_string(j + failed) + " of " +
                         std::to_string(n) + " is not a positive number",
                     "use a larger ridge strength");
    }
    const int64_t below = n - j - size;
    double* panel = diagonal + size * lda;
    run_tasks(context.pool, (below + kRowsATask - 1) / kRowsATask, [&](int64_t task, int) {
      const int64_t first = task * kRowsATask;
      cpu::solve_rows(size, upper, std::min(kRowsATask, below - first), panel + first * lda, lda);
    });
    subtract(context.pool, below, below, size, cpu::operand<double>(panel, lda, Trans::kNo),
             cpu::operand<double>(panel, lda, Trans::kYes), panel + size, lda, cpu::Region::kLower);
  }
  for (int64_t i = 0; i < n; ++i) std::fill(a + i * lda + i + 1, a + i * lda + n, 0.0);
  return ok();
}

void cholesky_solve(const ComputeContext& context, int64_t n, const double* l, int64_t lda, int64_t nrhs, double* b,
                    int64_t ldb) {
  if (n <= 0 || nrhs <= 0) return;
  const int64_t column_tasks = (nrhs + kColumnsATask - 1) / kColumnsATask;
  for (int64_t j = 0; j < n; j += kBlock) {
    const int64_t size = std::min(kBlock, n - j);
    const int64_t below = n - j - size;
    double* rows = b + j * ldb;
    run_tasks(context.pool, column_tasks, [&](int64_t task, int) {
      const int64_t first = task * kColumnsATask;
      cpu::solve_forward(size, l + j * lda + j, lda, std::min(kColumnsATask, nrhs - first), rows + first, ldb);
    });
    subtract(context.pool, below, nrhs, size, cpu::operand<double>(l + (j + size) * lda + j, lda, Trans::kNo),
             cpu::operand<double>(rows, ldb, Trans::kNo), rows + size * ldb, ldb, cpu::Region::kFull);
  }
  for (int64_t end = n; end > 0;) {
    const int64_t j = (end - 1) / kBlock * kBlock;
    const int64_t size = end - j;
    double* rows = b + j * ldb;
    run_tasks(context.pool, column_tasks, [&](int64_t task, int) {
      const int64_t first = task * kColumnsATask;
      cpu::solve_backward(size, l + j * lda + j, lda, std::min(kColumnsATask, nrhs - first), rows + first, ldb);
    });
    // k runs downwards here: both operands are read from their last row up
    subtract(context.pool, j, nrhs, size, cpu::Operand<double>{l + (end - 1) * lda, 1, -lda},
             cpu::Operand<double>{b + (end - 1) * ldb, -ldb, 1}, b, ldb, cpu::Region::kFull);
    end = j;
  }
}

}  // namespace modnet
