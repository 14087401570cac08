// The small triangular steps inside a blocked Cholesky: one diagonal block and what is divided by it.
// Implemented with Highway in gemm_solve.cc. Tested through tests/unit/compute/linalg_test.cc.
#pragma once

#include <cstdint>

namespace modnet::cpu {

inline constexpr int64_t kSolveBlock = 64;

/// a[n, n], n <= kSolveBlock, lower triangle becomes its Cholesky factor; upper[n, n] (row step kSolveBlock) becomes
/// the factor's transpose. Returns -1, or the first pivot that is not a positive finite number.
[[nodiscard]] int64_t factor_block(int64_t n, double* a, int64_t lda, double* upper);

/// x[rows, n] becomes x · upper⁻¹, row by row; upper as factor_block left it.
void solve_rows(int64_t n, const double* upper, int64_t rows, double* x, int64_t ldx);

/// b[n, columns] becomes l⁻¹ · b, k ascending.
void solve_forward(int64_t n, const double* l, int64_t lda, int64_t columns, double* b, int64_t ldb);

/// b[n, columns] becomes l⁻ᵀ · b, k descending.
void solve_backward(int64_t n, const double* l, int64_t lda, int64_t columns, double* b, int64_t ldb);

}  // namespace modnet::cpu
