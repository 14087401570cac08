// Kernels of libmod/compute/skinny.h. A tile of R rows by V vectors keeps its chains in registers; every step of k
// loads V vectors of b and broadcasts R values of a from memory: 8 · 3 for the 32 registers of AVX-512, 4 · 3 for 16.
#include "libmod/compute/skinny.h"

#include <cmath>

namespace modnet::cpu {
#ifndef MODNET_SKINNY_LEFT
#define MODNET_SKINNY_LEFT
struct Left {  // element (i, p) at data + i · row_step + p · depth_step
  const double* data;
  int64_t row_step;
  int64_t depth_step;
};
#endif
}  // namespace modnet::cpu

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "libmod/compute/cpu/skinny.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes first
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace modnet::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_NATIVE_FMA

#if HWY_TARGET == HWY_AVX3
constexpr int64_t kTileRows = 8;
#else
constexpr int64_t kTileRows = 4;
#endif
constexpr int64_t kTileVectors = 3;

template <int R, int V>
HWY_INLINE void tile(Left a, const double* HWY_RESTRICT b, int64_t width, int64_t k, double* HWY_RESTRICT c) {
  const hn::CappedTag<double, 8> d;
  using Vec = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  Vec sum[R][V];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) sum[r][v] = hn::LoadU(d, c + r * width + v * lanes);
  }
  for (int64_t p = 0; p < k; ++p) {
    Vec right[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) right[v] = hn::LoadU(d, b + p * width + v * lanes);
    const double* column = a.data + p * a.depth_step;
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vec left = hn::Set(d, column[r * a.row_step]);
#pragma GCC unroll 8
      for (int v = 0; v < V; ++v) sum[r][v] = hn::MulAdd(left, right[v], sum[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) hn::StoreU(sum[r][v], d, c + r * width + v * lanes);
  }
}

template <int V>
HWY_INLINE void columns(int64_t m, Left a, const double* b, int64_t width, int64_t k, double* c) {
  int64_t i = 0;
  for (; i + kTileRows <= m; i += kTileRows) {
    tile<kTileRows, V>({a.data + i * a.row_step, a.row_step, a.depth_step}, b, width, k, c + i * width);
  }
  for (; i < m; ++i) tile<1, V>({a.data + i * a.row_step, a.row_step, a.depth_step}, b, width, k, c + i * width);
}

void product(int64_t m, int64_t width, int64_t k, Left a, const double* b, double* c) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(hn::CappedTag<double, 8>()));
  int64_t left = width / lanes;
  int64_t at = 0;
  while (left > 0) {
    // Vectors are shared out evenly: four make two and two, not three and one.
    const int64_t passes = (left + kTileVectors - 1) / kTileVectors;
    const int64_t now = (left + passes - 1) / passes;
    if (now == 1) columns<1>(m, a, b + at, width, k, c + at);
    if (now == 2) columns<2>(m, a, b + at, width, k, c + at);
    if (now == 3) columns<3>(m, a, b + at, width, k, c + at);
    at += now * lanes;
    left -= now;
  }
}

#else  // no fused multiply-add in hardware: the same chains, slower

void product(int64_t m, int64_t width, int64_t k, Left a, const double* b, double* c) {
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t p = 0; p < k; ++p) {
      const double left = a.data[i * a.row_step + p * a.depth_step];
      for (int64_t j = 0; j < width; ++j) c[i * width + j] = std::fma(left, b[p * width + j], c[i * width + j]);
    }
  }
}

#endif  // HWY_NATIVE_FMA

int64_t vector_of() { return HWY_TARGET == HWY_AVX3 ? 8 : 4; }

void scaled(const float* HWY_RESTRICT x, const double* HWY_RESTRICT mean, const double* HWY_RESTRICT factor,
            double* HWY_RESTRICT out, int64_t n) {
  int64_t i = 0;
#if HWY_NATIVE_FMA
  const hn::CappedTag<double, 8> d;
  const hn::Rebind<float, decltype(d)> f;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (; i + lanes <= n; i += lanes) {
    const auto wide = hn::PromoteTo(d, hn::LoadU(f, x + i));
    hn::StoreU(hn::Mul(hn::Sub(wide, hn::LoadU(d, mean + i)), hn::LoadU(d, factor + i)), d, out + i);
  }
#endif
  for (; i < n; ++i) out[i] = (static_cast<double>(x[i]) - mean[i]) * factor[i];
}

}  // namespace modnet::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace modnet::cpu {
namespace {
HWY_EXPORT(product);
HWY_EXPORT(scaled);
HWY_EXPORT(vector_of);

void dispatch_product(int64_t m, int64_t width, int64_t k, Left a, const double* b, double* c) {
  HWY_DYNAMIC_DISPATCH(product)(m, width, k, a, b, c);
}
int64_t dispatch_vector() { return HWY_DYNAMIC_DISPATCH(vector_of)(); }
void dispatch_scaled(const float* x, const double* mean, const double* factor, double* out, int64_t n) {
  HWY_DYNAMIC_DISPATCH(scaled)(x, mean, factor, out, n);
}
}  // namespace
}  // namespace modnet::cpu

namespace modnet {

int64_t skinny_width(int64_t n) {
  const int64_t vector = cpu::dispatch_vector();
  return (n + vector - 1) / vector * vector;
}

void skinny_product(int64_t m, int64_t width, int64_t k, const double* a, int64_t row_step, int64_t depth_step,
                    const double* b, double* c) {
  cpu::dispatch_product(m, width, k, {a, row_step, depth_step}, b, c);
}

void centre_and_scale(const float* x, const double* mean, const double* factor, double* out, int64_t n) {
  cpu::dispatch_scaled(x, mean, factor, out, n);
}

}  // namespace modnet
#endif  // HWY_ONCE
