// Blocking, packing and threads around the product kernel: what matmul.h and linalg.h are made of.
// Tested through tests/unit/compute/matmul_test.cc and linalg_test.cc.
#pragma once

#include <cstdint>

#include "libmod/compute/cpu/gemm_kernel.h"
#include "libmod/compute/matmul.h"

namespace modnet::cpu {

template <typename T>
[[nodiscard]] Operand<T> operand(const T* data, int64_t ld, Trans trans) {
  return trans == Trans::kNo ? Operand<T>{data, ld, 1} : Operand<T>{data, 1, ld};
}

/// kLower: only tiles that reach the lower triangle are written; what they hold above the diagonal means nothing.
enum class Region : uint8_t { kFull = 0, kLower = 1 };

/// c[m, n] (+)= ±a[m, k] · b[k, n].
template <typename T>
struct Product {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  Operand<T> a;
  Sign sign = Sign::kPlus;
  Operand<T> b;               // read when panels is null
  const T* panels = nullptr;  // b packed beforehand by pack_panels, all of k
  T* c = nullptr;
  int64_t ldc = 0;
  Chain chain = Chain::kStart;
  Region region = Region::kFull;
  const T* bias = nullptr;
  void (*act)(T* x, int64_t n) = nullptr;
};

/// pool may be null.
void multiply(ThreadPool* pool, const Product<float>& product);
void multiply(ThreadPool* pool, const Product<double>& product);
/// Two packed products, second.a = first.c: a few rows at a time run through both, so that what lies between stays in a near cache. first.c is
/// written where there are too few rows for that. pool may be null.
void multiply_twice(ThreadPool* pool, const Product<float>& first, const Product<float>& second);

/// Packs b[k, n] into columns [column, column + n) of a matrix of panels over all of k at out; with `last`, what is left of the last panel
/// is padded with zeros. pool may be null.
void pack_columns(ThreadPool* pool, const Operand<float>& b, int64_t k, int64_t n, int64_t column, bool last, float* out);

/// Packs rows [first, first + depth) of b[k, n] into panels: panel p at out + p * depth * kPanel, columns padded with
/// 0. Packs panels [panel_begin, panel_end).
template <typename T>
void pack_panels(const Operand<T>& b, int64_t n, int64_t first, int64_t depth, int64_t panel_begin, int64_t panel_end,
                 T* out);

}  // namespace modnet::cpu
