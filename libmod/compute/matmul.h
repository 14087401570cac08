// Matrix products with the same bits everywhere: each output element is one chain of fused multiply-adds over k,
// ascending, from zero. Vector lanes and threads only divide the output, never a sum, so a row's result depends on that
// row alone and not on the batch, the number of threads or the instruction set. All matrices are row-major; ld =
// elements from one row to the next. Tested by tests/unit/compute/matmul_test.cc against reference/gemm.h.
#pragma once

#include <cstdint>
#include <span>

#include "libmod/compute/aligned.h"
#include "libmod/compute/profile.h"
#include "libmod/compute/threads.h"

namespace modnet {

/// Which arithmetic. kVendor (OpenBLAS) is machine-bound: check vendor_blas() in vendor/blas.h before asking for it.
enum class Policy : uint8_t { kPortable = 1, kVendor = 2 };

/// pool may be null: everything runs in the calling thread. The pool must outlive the context.
struct ComputeContext {
  ThreadPool* pool = nullptr;
  Policy policy = Policy::kPortable;
  Profile* profile = nullptr;  // where plans and what stands before them note their time; may be null
};

enum class Trans : uint8_t { kNo, kYes };

/// Elementwise, in place, on n values of one row; which stretches of a row it is called with must not matter.
using RowFunction = void (*)(float* x, int64_t n);

/// Weights that make up some of the columns of a packed matrix, borrowed: [k, n], or [n, k] as linear weights are stored.
struct WeightPart {
  const float* b = nullptr;
  int64_t ldb = 0;
  int64_t n = 0;
};

/// f32 weights [k, n] packed once into panels of 16 columns (columns padded with zeros), 64-byte aligned.
class PackedMatrix {
 public:
  PackedMatrix() = default;

  /// trans kNo: b is [k, n]; kYes: b is [n, k], as linear weights are stored. b is copied.
  [[nodiscard]] static PackedMatrix pack(const float* b, int64_t ldb, Trans trans, int64_t k, int64_t n);
  /// The same of parts whose columns stand side by side. pool may be null.
  [[nodiscard]] static PackedMatrix pack(std::span<const WeightPart> parts, Trans trans, int64_t k, ThreadPool* pool);

  [[nodiscard]] int64_t k() const { return k_; }
  [[nodiscard]] int64_t n() const { return n_; }
  /// Memory of the packed form.
  [[nodiscard]] int64_t bytes() const;
  /// Panel p starts at p * k * 16; within it row after row of 16 columns.
  [[nodiscard]] const float* panels() const { return data_.get(); }

 private:
  AlignedBlock<float> data_;
  int64_t k_ = 0;
  int64_t n_ = 0;
};

/// c[m, n] = act(a[m, k] · b + bias[n]); bias and act may be null. The sum is finished before bias is added (rounded on
/// its own). c must not overlap a. Any of m, n, k may be 0; k = 0 gives act(0 + bias).
void matmul_packed(const ComputeContext& context, const float* a, int64_t lda, int64_t m, const PackedMatrix& b,
                   const float* bias, RowFunction act, float* c, int64_t ldc);

/// What is applied to rows: weights, bias and activation as in matmul_packed.
struct LinearLayer {
  const PackedMatrix& b;
  const float* bias = nullptr;
  RowFunction act = nullptr;
};
/// Two layers, the second of what the first gives, with the bits of two calls of matmul_packed. `between` [m, first.b.n()] is room for what
/// lies between them where few rows make it necessary; its contents are of no use afterwards. second.b.k() = first.b.n().
void matmul_packed_twice(const ComputeContext& context, const float* a, int64_t lda, int64_t m, const LinearLayer& first, const LinearLayer& second,
                         float* between, float* c, int64_t ldc);

/// c[m, n] = op(a) · op(b), op = transpose for kYes (then a is stored [k, m], b [n, k]). c must not overlap a or b.
/// T is float or double.
template <typename T>
void matmul(const ComputeContext& context, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, Trans trans_a,
            const T* b, int64_t ldb, Trans trans_b, T* c, int64_t ldc);

/// c[cols, cols] = aᵀ · a of a[rows, cols]: symmetric, both halves written, each element a chain over the rows in
/// order.
void gram(const ComputeContext& context, int64_t rows, int64_t cols, const double* a, int64_t lda, double* c,
          int64_t ldc);

}  // namespace modnet
