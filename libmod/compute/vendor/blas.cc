#include "libmod/compute/vendor/blas.h"

#include <cstdlib>

#include "formats/base/shared_library.h"

namespace modnet {
namespace {

// The few symbols of OpenBLAS that are used, with the C interface's numbers (row major 101, plain 111, transposed 112).
constexpr int kRowMajor = 101;
constexpr int kPlain = 111;
constexpr int kTransposed = 112;
template <typename T>
using Gemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, T alpha, const T* a, int lda,
                      const T* b, int ldb, T beta, T* c, int ldc);

struct OpenBlas {
  Gemm<float> sgemm = nullptr;
  Gemm<double> dgemm = nullptr;
  char* (*core_name)() = nullptr;
  char* (*config)() = nullptr;
  void (*set_threads)(int) = nullptr;
  std::string missing;  // why it cannot be used; empty when it can
};

OpenBlas open_library() {
  OpenBlas blas;
  SharedLibrary library("libopenblas.so.0");
  library.find("cblas_sgemm", blas.sgemm);
  library.find("cblas_dgemm", blas.dgemm);
  library.find("openblas_get_corename", blas.core_name);
  library.find("openblas_get_config", blas.config);
  library.find("openblas_set_num_threads", blas.set_threads);
  blas.missing = library.missing();
  return blas;
}

const OpenBlas& library() {
  static const OpenBlas blas = open_library();
  return blas;
}

template <typename T>
Gemm<T> gemm(const OpenBlas& blas);
template <>
Gemm<float> gemm<float>(const OpenBlas& blas) {
  return blas.sgemm;
}
template <>
Gemm<double> gemm<double>(const OpenBlas& blas) {
  return blas.dgemm;
}

}  // namespace

Result<std::string> vendor_blas() {
  const OpenBlas& blas = library();
  if (!blas.missing.empty()) {
    return Error{Code::kUnavailable, "UNAVAILABLE", blas.missing, {}, {}, "install OpenBLAS or use policy portable"};
  }
  // the configuration starts with "OpenBLAS 0.3.21 "
  const std::string config = blas.config();
  const size_t second_blank = config.find(' ', config.find(' ') + 1);
  return config.substr(0, second_blank) + " " + blas.core_name();
}

namespace vendor {

template <typename T>
void matmul(const ComputeContext& context, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, Trans trans_a,
            const T* b, int64_t ldb, Trans trans_b, T* c, int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  if (k <= 0) {
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = T{0};
    }
    return;
  }
  const OpenBlas& blas = library();
  if (!blas.missing.empty()) std::abort();  // the caller did not ask vendor_blas() first
  blas.set_threads(context.pool == nullptr ? 1 : context.pool->width());
  gemm<T>(blas)(kRowMajor, trans_a == Trans::kNo ? kPlain : kTransposed, trans_b == Trans::kNo ? kPlain : kTransposed,
                static_cast<int>(m), static_cast<int>(n), static_cast<int>(k), T{1}, a, static_cast<int>(lda), b,
                static_cast<int>(ldb), T{0}, c, static_cast<int>(ldc));
}

template void matmul<float>(const ComputeContext&, int64_t, int64_t, int64_t, const float*, int64_t, Trans,
                            const float*, int64_t, Trans, float*, int64_t);
template void matmul<double>(const ComputeContext&, int64_t, int64_t, int64_t, const double*, int64_t, Trans,
                             const double*, int64_t, Trans, double*, int64_t);

}  // namespace vendor
}  // namespace modnet
