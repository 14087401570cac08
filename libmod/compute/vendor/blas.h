// The vendor's products on a CPU: OpenBLAS, opened at run time, so that commands that do not ask for it never load it.
// Its results are machine-bound. Tested by tests/unit/compute/vendor_test.cc.
#pragma once

#include <cstdint>
#include <string>

#include "formats/base/result.h"
#include "libmod/compute/matmul.h"

namespace modnet {

/// Opens libopenblas.so.0 on the first call; returns what it is and which kernels it picked, for example
/// "OpenBLAS 0.3.21 Cooperlake". kUnavailable when it is not installed. Whoever makes a context with Policy::kVendor
/// calls this first: a product under kVendor without it aborts.
[[nodiscard]] Result<std::string> vendor_blas();

namespace vendor {
/// c[m, n] = op(a) · op(b) with the pool's number of threads. T is float or double.
template <typename T>
void matmul(const ComputeContext& context, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, Trans trans_a,
            const T* b, int64_t ldb, Trans trans_b, T* c, int64_t ldc);
}  // namespace vendor

}  // namespace modnet
