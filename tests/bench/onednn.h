// oneDNN's bare products, found at run time: a peer of matmul.cc and int8_products.cc where libdnnl.so.2 is installed.
#pragma once

#include <sched.h>

#include <cstdint>
#include <cstdlib>

#include "formats/base/shared_library.h"

namespace modnet::bench {

/// Row major, as BLAS has it: C = alpha op(A) op(B) + beta C. Not 0 where something is wrong.
struct OneDnn {
  using Product = int (*)(char trans_a, char trans_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
                          const float* b, int64_t ldb, float beta, float* c, int64_t ldc);
  /// A minus ao, B minus bo; 'F' adds *co to every element.
  using ByteProduct = int (*)(char trans_a, char trans_b, char offset_c, int64_t m, int64_t n, int64_t k, float alpha,
                              const uint8_t* a, int64_t lda, uint8_t ao, const int8_t* b, int64_t ldb, int8_t bo, float beta,
                              int32_t* c, int64_t ldc, const int32_t* co);

  Product product = nullptr;
  ByteProduct byte_product = nullptr;
  void (*set_threads)(int) = nullptr;
  cpu_set_t first_core = {};
  [[nodiscard]] bool there() const { return product != nullptr && byte_product != nullptr && set_threads != nullptr; }
};

constexpr const char* kNoOneDnn = "\"skipped\": \"libdnnl.so.2 is not there\"}\n";

/// Found once, before any pool pins the caller. Its threads stay on a core each, as ours do, and spin for a while after each product,
/// which is nobody's work: wait a little before you measure another.
inline const OneDnn& one_dnn() {
  static const OneDnn found = [] {
    OneDnn out;
    setenv("OMP_PROC_BIND", "true", 1);
    setenv("OMP_PLACES", "threads", 1);
    cpu_set_t before;
    sched_getaffinity(0, sizeof before, &before);
    SharedLibrary library("libdnnl.so.2");
    sched_setaffinity(0, sizeof before, &before);
    library.find("dnnl_sgemm", out.product);
    library.find("dnnl_gemm_u8s8s32", out.byte_product);
    library.find("omp_set_num_threads", out.set_threads);
    CPU_ZERO(&out.first_core);
    for (size_t core = 0; core < CPU_SETSIZE && CPU_COUNT(&out.first_core) == 0; ++core)
      if (CPU_ISSET(core, &before)) CPU_SET(core, &out.first_core);
    return out;
  }();
  return found;
}

/// While it lives, the caller is on the core that oneDNN's other threads leave to it.
class OnFirstCore {
 public:
  OnFirstCore() {
    sched_getaffinity(0, sizeof before_, &before_);
    sched_setaffinity(0, sizeof before_, &one_dnn().first_core);
  }
  ~OnFirstCore() { sched_setaffinity(0, sizeof before_, &before_); }
  OnFirstCore(const OnFirstCore&) = delete;
  OnFirstCore& operator=(const OnFirstCore&) = delete;

 private:
  cpu_set_t before_ = {};
};

}  // namespace modnet::bench
