// Solvers for the closed-form heads: blocked Cholesky over the portable f64 product, so the bits are the same for any
// number of threads and any instruction set, whatever the policy. Tested by tests/unit/compute/linalg_test.cc.
#pragma once

#include <cstdint>

#include "formats/base/result.h"
#include "libmod/compute/matmul.h"

namespace modnet {

/// a[n, n] symmetric positive definite, only its lower triangle is read; it becomes L with L · Lᵀ = a, and
/// the strict upper one zeros. kInvalid, naming the pivot (from 0), when a is not positive definite or not finite;
/// a then holds nothing of use. n = 0 is fine.
[[nodiscard]] Status cholesky(const ComputeContext& context, int64_t n, double* a, int64_t lda);

/// b[n, nrhs] = (L · Lᵀ)⁻¹ · b in place, l from cholesky(). Each column's result depends on that column alone.
void cholesky_solve(const ComputeContext& context, int64_t n, const double* l, int64_t lda, int64_t nrhs, double* b,
                    int64_t ldb);

}  // namespace modnet
