// Linear layers in 8 bits with the same bits everywhere. Weights are whole numbers with one scale an output channel; every row of
// the input is turned into whole numbers with a scale of its own when it comes. The sum over k is exact, so neither lanes,
// threads, batch nor instruction set can show in it, and what stands around it is a fixed sequence of IEEE operations.
//
// One row x[k] with factors f[k] (1 where there are none), weights w[n, k] in -128..127, scales c[n], bias b[n] (0):
//   t_k = x_k · f_k                     rounded to f32, as is every quotient, product and difference below
//   l   = min(0, min t_k), r = max(0, max t_k) - l; when a t or r is NaN or infinite, the whole output row is NaN; where r is below
//         2^-100, all of x counts as 0
//   i   = 255 / r
//   z   = -l · i, q_k = t_k · i + z     to the nearest whole number, ties to even, q at most 255
//   s   = r / 255
//   y_n = act(((f32(Σ (q_k - z) · w_nk) · c_n) · s) + b_n)   the sum converted to nearest even
// A row uses all of its 256 numbers though its values lie about another middle than 0, as they do behind a GELU: there that halves the error.
// 32 bits hold every sum up to kInt8MostDepth values of k.
// Tested by tests/unit/compute/int8_test.cc against reference/int8.h.
#pragma once

#include <cstdint>
#include <vector>

#include "libmod/compute/aligned.h"
#include "libmod/compute/matmul.h"

namespace modnet {

/// 255 · 128 · k must stay below 2^31.
inline constexpr int64_t kInt8MostDepth = 65'536;
/// Rows whose range is below count as zero: 255 / r would leave the range of f32.
inline constexpr float kInt8LeastRange = 0x1p-100F;

/// How weights lie in memory: as pairs of 16 bits (every instruction set can multiply and add those exactly), or as quads of
/// 8 bits for the dot product instruction of AVX512-VNNI.
enum class Int8Layout : uint8_t { kPairs, kQuads };

/// A layer's weights, scales and bias, packed once for the instruction set that is chosen at that time (target.h); they give the
/// same bits under any other, as long as this CPU has the first.
class PackedInt8 {
 public:
  PackedInt8() = default;
  /// weights: [n, k], scales: [n], bias: [n] or null; all are copied, by the threads of pool where there is one. k <= kInt8MostDepth.
  [[nodiscard]] static PackedInt8 pack(const int8_t* weights, const float* scales, const float* bias, int64_t k, int64_t n, ThreadPool* pool = nullptr);
  /// For tests: in a layout that may not be the best one. kQuads only where target.h says int8_dot_products().
  [[nodiscard]] static PackedInt8 pack_as(Int8Layout layout, const int8_t* weights, const float* scales, const float* bias, int64_t k, int64_t n,
                                          ThreadPool* pool = nullptr);

  [[nodiscard]] int64_t k() const { return k_; }
  [[nodiscard]] int64_t n() const { return n_; }
  [[nodiscard]] int64_t depth() const { return depth_; }  // k with its padding of zeros
  [[nodiscard]] Int8Layout layout() const { return layout_; }
  [[nodiscard]] int64_t bytes() const { return bytes_; }
  [[nodiscard]] int64_t panel_bytes() const { return panel_bytes_; }
  [[nodiscard]] const std::byte* panels() const { return data_.get(); }
  [[nodiscard]] const float* scales() const { return scales_.data(); }  // padded to whole panels, as is bias
  [[nodiscard]] const float* bias() const { return bias_.data(); }
  [[nodiscard]] const int32_t* sums() const { return sums_.data(); }  // of each column's weights

 private:
  AlignedBlock<std::byte> data_;
  std::vector<float> scales_, bias_;
  std::vector<int32_t> sums_;
  int64_t k_ = 0, n_ = 0, depth_ = 0, bytes_ = 0, panel_bytes_ = 0;
  Int8Layout layout_ = Int8Layout::kPairs;
};

/// What is applied to rows. factors: [k] or null; act may be null.
struct Int8Layer {
  const PackedInt8& b;
  const float* factors = nullptr;
  RowFunction act = nullptr;
};
/// c[m, n] of a[m, k] as above. c must not overlap a. Any size may be 0. The policy of the context does not matter: there is one arithmetic.
void linear_int8(const ComputeContext& context, const float* a, int64_t lda, int64_t m, const Int8Layer& layer, float* c, int64_t ldc);
/// Two layers, the second of what the first gives, with the bits of two calls. `between` [m, first.b.n()] is room for what lies between them
/// where few rows make it necessary; its contents are of no use afterwards. second.b.k() = first.b.n().
void linear_int8_twice(const ComputeContext& context, const float* a, int64_t lda, int64_t m, const Int8Layer& first, const Int8Layer& second,
                       float* between, float* c, int64_t ldc);

/// Weights [n, k] as whole numbers: c_n = max_k |w_nk| / 127, w = round(w_nk / c_n), ties to even; a channel of zeros gets scale 0.
/// Numbers must be finite. out: [n, k], scales: [n].
void quantise_weights(const float* weights, int64_t k, int64_t n, int8_t* out, float* scales);

}  // namespace modnet
