#include "libmod/compute/matmul.h"

#include "libmod/compute/cpu/gemm.h"
#include "libmod/compute/vendor/blas.h"

namespace modnet {
namespace {

// Packed weights back to [k, n]: the vendor packs for itself.
AlignedBlock<float> unpacked(const PackedMatrix& b) {
  AlignedBlock<float> plain = aligned_block<float>(b.k() * b.n());
  for (int64_t column = 0; column < b.n(); column += cpu::kPanel<float>) {
    const int64_t used = b.n() - column < cpu::kPanel<float> ? b.n() - column : cpu::kPanel<float>;
    const float* panel = b.panels() + column * b.k();
    for (int64_t k = 0; k < b.k(); ++k) {
      for (int64_t j = 0; j < used; ++j) plain[k * b.n() + column + j] = panel[k * cpu::kPanel<float> + j];
    }
  }
  return plain;
}

cpu::Product<float> product_of(const float* a, int64_t lda, int64_t m, const LinearLayer& layer, float* c, int64_t ldc) {
  cpu::Product<float> product;
  product.m = m;
  product.n = layer.b.n();
  product.k = layer.b.k();
  product.a = cpu::operand(a, lda, Trans::kNo);
  product.panels = layer.b.panels();
  product.c = c;
  product.ldc = ldc;
  product.bias = layer.bias;
  product.act = layer.act;
  return product;
}

}  // namespace

PackedMatrix PackedMatrix::pack(const float* b, int64_t ldb, Trans trans, int64_t k, int64_t n) {
  const WeightPart whole{b, ldb, n};
  return pack({&whole, 1}, trans, k, nullptr);
}

PackedMatrix PackedMatrix::pack(std::span<const WeightPart> parts, Trans trans, int64_t k, ThreadPool* pool) {
  PackedMatrix packed;
  packed.k_ = k;
  for (const WeightPart& part : parts) packed.n_ += part.n;
  packed.data_ = lasting_block<float>(packed.bytes() / static_cast<int64_t>(sizeof(float)));
  int64_t column = 0;
  for (const WeightPart& part : parts) {
    cpu::pack_columns(pool, cpu::operand(part.b, part.ldb, trans), k, part.n, column, column + part.n == packed.n_, packed.data_.get());
    column += part.n;
  }
  return packed;
}

int64_t PackedMatrix::bytes() const {
  const int64_t panels = (n_ + cpu::kPanel<float> - 1) / cpu::kPanel<float>;
  return panels * cpu::kPanel<float> * k_ * static_cast<int64_t>(sizeof(float));
}

void matmul_packed(const ComputeContext& context, const float* a, int64_t lda, int64_t m, const PackedMatrix& b,
                   const float* bias, RowFunction act, float* c, int64_t ldc) {
  if (context.policy == Policy::kVendor) {
    const AlignedBlock<float> plain = unpacked(b);
    vendor::matmul(context, m, b.n(), b.k(), a, lda, Trans::kNo, plain.get(), b.n(), Trans::kNo, c, ldc);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < b.n() && bias != nullptr; ++j) c[i * ldc + j] += bias[j];
      if (act != nullptr) act(c + i * ldc, b.n());
    }
    return;
  }
  cpu::multiply(context.pool, product_of(a, lda, m, {b, bias, act}, c, ldc));
}

void matmul_packed_twice(const ComputeContext& context, const float* a, int64_t lda, int64_t m, const LinearLayer& first, const LinearLayer& second,
                         float* between, float* c, int64_t ldc) {
  const int64_t width = first.b.n();
  if (context.policy == Policy::kVendor) {
    matmul_packed(context, a, lda, m, first.b, first.bias, first.act, between, width);
    matmul_packed(context, between, width, m, second.b, second.bias, second.act, c, ldc);
    return;
  }
  cpu::multiply_twice(context.pool, product_of(a, lda, m, first, between, width), product_of(between, width, m, second, c, ldc));
}

template <typename T>
void matmul(const ComputeContext& context, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, Trans trans_a,
            const T* b, int64_t ldb, Trans trans_b, T* c, int64_t ldc) {
  if (context.policy == Policy::kVendor) {
    vendor::matmul(context, m, n, k, a, lda, trans_a, b, ldb, trans_b, c, ldc);
    return;
  }
  cpu::Product<T> product;
  product.m = m;
  product.n = n;
  product.k = k;
  product.a = cpu::operand(a, lda, trans_a);
  product.b = cpu::operand(b, ldb, trans_b);
  product.c = c;
  product.ldc = ldc;
  cpu::multiply(context.pool, product);
}

template void matmul<float>(const ComputeContext&, int64_t, int64_t, int64_t, const float*, int64_t, Trans,
                            const float*, int64_t, Trans, float*, int64_t);
template void matmul<double>(const ComputeContext&, int64_t, int64_t, int64_t, const double*, int64_t, Trans,
                             const double*, int64_t, Trans, double*, int64_t);

void gram(const ComputeContext& context, int64_t rows, int64_t cols, const double* a, int64_t lda, double* c,
          int64_t ldc) {
  if (context.policy == Policy::kVendor) {
    vendor::matmul(context, cols, cols, rows, a, lda, Trans::kYes, a, lda, Trans::kNo, c, ldc);
    return;
  }
  cpu::Product<double> product;
  product.m = cols;
  product.n = cols;
  product.k = rows;
  product.a = cpu::operand(a, lda, Trans::kYes);
  product.b = cpu::operand(a, lda, Trans::kNo);
  product.c = c;
  product.ldc = ldc;
  product.region = cpu::Region::kLower;
  cpu::multiply(context.pool, product);
  // a product commutes, so the other half is the same chains
  for (int64_t i = 0; i < cols; ++i) {
    for (int64_t j = 0; j < i; ++j) c[j * ldc + i] = c[i * ldc + j];
  }
}

}  // namespace modnet
