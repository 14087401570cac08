// The truth that the product kernels are held against: plain loops of std::fma, one chain an element, nothing else.
// Used by tests only. Tested by tests/unit/compute/matmul_test.cc on cases worked by hand.
#pragma once

#include <cstdint>
#include <optional>

#include "libmod/compute/matmul.h"

namespace modnet::reference {

/// c = op(a) · op(b), see modnet::matmul. T is float or double.
template <typename T>
void matmul(int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, Trans trans_a, const T* b, int64_t ldb,
            Trans trans_b, T* c, int64_t ldc);

/// c = act(a · op(b) + bias), see modnet::matmul_packed.
void linear(int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, const float* b, int64_t ldb, Trans trans_b,
            const float* bias, RowFunction act, float* c, int64_t ldc);

/// c = aᵀ · a, see modnet::gram.
void gram(int64_t rows, int64_t cols, const double* a, int64_t lda, double* c, int64_t ldc);

/// Unblocked, lower in place, see modnet::cholesky. Returns the failing pivot, or nothing.
std::optional<int64_t> cholesky(int64_t n, double* a, int64_t lda);

/// See modnet::cholesky_solve: forward over k ascending, backward over k descending.
void cholesky_solve(int64_t n, const double* l, int64_t lda, int64_t nrhs, double* b, int64_t ldb);

}  // namespace modnet::reference
