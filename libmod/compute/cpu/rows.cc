// Kernels of libmod/compute/rows.h. Tested by tests/unit/compute/rows_test.cc.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "libmod/compute/cpu/rows.cc"
#include "hwy/foreach_target.h"
// after foreach_target.h
#include "hwy/highway.h"
#include "libmod/compute/cpu/rows-inl.h"

#include <cmath>
#include <limits>

#include "libmod/compute/reference/math.h"
#include "libmod/compute/rows.h"

HWY_BEFORE_NAMESPACE();
namespace modnet {
namespace HWY_NAMESPACE {

template <typename T>
HWY_INLINE T CanonicalScalar(T x) {
  return x == x ? x : std::numeric_limits<T>::quiet_NaN();
}

template <typename T>
HWY_INLINE void LogSoftmaxRow(const T* x, T* y, int64_t n) {
  const LaneTag<T> d;
  using V = hn::Vec<LaneTag<T>>;
  const T greatest = RowMax(x, n);
  const V m = hn::Set(d, greatest);
  Lanes16<T> acc(T{0});
  ForGroups(x, n, -MathTraits<T>::kInf, [&](int64_t v, const T* p) HWY_ATTR {
    acc.lane[v] = hn::Add(acc.lane[v], Exp(d, hn::Sub(hn::LoadU(d, p), m)));
  });
  const V l = hn::Set(d, reference::log(acc.sum()));
  MapGroups(x, y, n, T{0},
            [d, m, l](int64_t, V v, int64_t) HWY_ATTR { return Canonical(d, hn::Sub(hn::Sub(v, m), l)); });
}

/// The rows of x (kAdd false) or of x + residual, normalised. A row goes through three passes: its sum, its squared deviations, its output.
/// One loop does the first for a row, the second for one before, and the third for one before that. So memory is read and written all the
/// time, each array from front to back, which is what hardware prefetches best; and nobody waits for the tree, division and root at a row's
/// end, since the next pass over that row begins a row later.
template <bool kAdd>
class LayerNormRows {
 public:
  LayerNormRows(ConstRows x, ConstRows residual, const float* gamma, const float* beta, float eps, Rows out)
      : x_(x), residual_(residual), gamma_(gamma), beta_(beta), eps_(eps), out_(out) {}

  void run() {
    // Of long rows, where the ends weigh little, as few as can be are between first and last pass: they stand in the first-level cache.
    const int64_t apart = x_.columns <= 1024 ? 2 : 1, rows = x_.rows;
    for (int64_t r = 0; r < rows + 2 * apart; ++r) {
      const int64_t second = r - apart, third = second - apart;
      if (third >= 0 && r < rows) {
        pass<true, true, true>(r, second, third);
      } else {
        if (r < rows) pass<true, false, false>(r, 0, 0);
        if (second >= 0 && second < rows) pass<false, true, false>(0, second, 0);
        if (third >= 0) pass<false, false, true>(0, 0, third);
      }
    }
  }

 private:
  using L = Lanes16<float>;
  using D = LaneTag<float>;
  using V = hn::Vec<D>;
  static constexpr int64_t kKept = 4;  // more than there are rows from one pass to the next

  static HWY_INLINE V normalised(V value, V mean, V inverse, V scale, V shift) {
    const D d;
    return Canonical(d, Fma(d, hn::Mul(hn::Sub(value, mean), inverse), scale, shift));
  }
  /// x, or x + residual, which stands in out after the first pass.
  [[nodiscard]] HWY_INLINE const float* values(int64_t r) const { return kAdd ? out_.data + r * out_.stride : x_.data + r * x_.stride; }

  /// The first pass of row `first`, the second of `second`, the third of `third`: those that are asked for.
  template <bool kFirst, bool kSecond, bool kThird>
  HWY_INLINE void pass(int64_t first, int64_t second, int64_t third) {
    const D d;
    const int64_t n = x_.columns, whole = n / kVirtualLanes * kVirtualLanes;
    const float *x = x_.data + first * x_.stride, *residual = kAdd ? residual_.data + first * residual_.stride : nullptr;
    float *both = out_.data + first * out_.stride, *out = out_.data + third * out_.stride;
    const float *deviating = values(second), *from = values(third);
    const float *gamma = gamma_, *beta = beta_;
    L sums(0.0f), squares(0.0f);
    const float middle = mean_[second % kKept];
    const V centre = hn::Set(d, middle), mean = hn::Set(d, mean_[third % kKept]), inverse = hn::Set(d, inverse_[third % kKept]);
    for (int64_t i = 0; i < whole; i += kVirtualLanes) {
      MODNET_UNROLL
      for (int64_t v = 0; v < L::kCount; ++v) {
        const int64_t at = i + v * L::kWidth;
        if constexpr (kFirst) {
          V value = hn::LoadU(d, x + at);
          if constexpr (kAdd) {
            value = hn::Add(value, hn::LoadU(d, residual + at));
            hn::StoreU(value, d, both + at);
          }
          sums.lane[v] = hn::Add(sums.lane[v], value);
        }
        if constexpr (kSecond) {
          const V c = hn::Sub(hn::LoadU(d, deviating + at), centre);
          squares.lane[v] = Fma(d, c, c, squares.lane[v]);
        }
        if constexpr (kThird) {
          const V shift = beta == nullptr ? hn::Zero(d) : hn::LoadU(d, beta + at);
          hn::StoreU(normalised(hn::LoadU(d, from + at), mean, inverse, hn::LoadU(d, gamma + at), shift), d, out + at);
        }
      }
    }
    const float count = static_cast<float>(n);
    if constexpr (kFirst) {
      if (whole < n) {
        float tail[kVirtualLanes] = {};
        for (int64_t i = whole; i < n; ++i) {
          if constexpr (kAdd) both[i] = x[i] + residual[i];
          tail[i - whole] = kAdd ? both[i] : x[i];
        }
        for (int64_t v = 0; v < L::kCount; ++v) sums.lane[v] = hn::Add(sums.lane[v], hn::LoadU(d, tail + v * L::kWidth));
      }
      mean_[first % kKept] = sums.sum() / count;
    }
    if constexpr (kSecond) {
      if (whole < n) {
        float tail[kVirtualLanes] = {};  // a missing element counts as a deviation of 0
        for (int64_t i = whole; i < n; ++i) tail[i - whole] = deviating[i] - middle;
        for (int64_t v = 0; v < L::kCount; ++v) {
          const V c = hn::LoadU(d, tail + v * L::kWidth);
          squares.lane[v] = Fma(d, c, c, squares.lane[v]);
        }
      }
      inverse_[second % kKept] = 1.0f / std::sqrt(squares.sum() / count + eps_);
    }
    if constexpr (kThird) {
      for (int64_t i = whole; i < n; i += L::kWidth) {
        const int64_t some = n - i < L::kWidth ? n - i : L::kWidth;
        float value[L::kWidth] = {}, scale[L::kWidth] = {}, shift[L::kWidth] = {};
        for (int64_t j = 0; j < some; ++j) {
          value[j] = from[i + j];
          scale[j] = gamma[i + j];
          shift[j] = beta == nullptr ? 0.0f : beta[i + j];
        }
        hn::StoreU(normalised(hn::LoadU(d, value), mean, inverse, hn::LoadU(d, scale), hn::LoadU(d, shift)), d, value);
        for (int64_t j = 0; j < some; ++j) out[i + j] = value[j];
      }
    }
  }

  ConstRows x_, residual_;
  const float *gamma_, *beta_;
  float eps_;
  Rows out_;
  float mean_[kKept] = {}, inverse_[kKept] = {};  // of row r at r % kKept
};

HWY_INLINE float SquareSum(const float* x, int64_t n) {
  const LaneTag<float> d;
  Lanes16<float> acc(0.0f);
  ForGroups(x, n, 0.0f, [&](int64_t v, const float* p) HWY_ATTR {
    const hn::Vec<LaneTag<float>> value = hn::LoadU(d, p);
    acc.lane[v] = Fma(d, value, value, acc.lane[v]);
  });
  return acc.sum();
}

template <typename T>
HWY_INLINE T DotOf(const T* a, const T* b, int64_t n) {
  using L = Lanes16<T>;
  const LaneTag<T> d;
  L acc(T{0});
  int64_t i = 0;
  for (; i + kVirtualLanes <= n; i += kVirtualLanes) {
    MODNET_UNROLL
    for (int64_t v = 0; v < L::kCount; ++v) {
      acc.lane[v] = Fma(d, hn::LoadU(d, a + i + v * L::kWidth), hn::LoadU(d, b + i + v * L::kWidth), acc.lane[v]);
    }
  }
  if (i < n) {
    T p[kVirtualLanes] = {}, q[kVirtualLanes] = {};
    for (int64_t j = 0; i + j < n; ++j) p[j] = a[i + j], q[j] = b[i + j];
    MODNET_UNROLL
    for (int64_t v = 0; v < L::kCount; ++v) {
      acc.lane[v] = Fma(d, hn::LoadU(d, p + v * L::kWidth), hn::LoadU(d, q + v * L::kWidth), acc.lane[v]);
    }
  }
  return CanonicalScalar(acc.sum());
}

template <typename T>
HWY_INLINE void AxpyOf(T a, const T* x, T* y, int64_t n) {
  const LaneTag<T> d;
  constexpr int64_t kWidth = Lanes16<T>::kWidth;
  const hn::Vec<LaneTag<T>> scale = hn::Set(d, a);
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    hn::StoreU(Canonical(d, Fma(d, scale, hn::LoadU(d, x + i), hn::LoadU(d, y + i))), d, y + i);
  }
  for (; i < n; ++i) y[i] = CanonicalScalar(std::fma(a, x[i], y[i]));
}

/// A row is divided while the exponentials of the next are taken: a division keeps one unit busy for long, and the others free.
template <typename T>
HWY_INLINE void SoftmaxRows(RowsOf<const T> x, RowsOf<T> out) {
  using L = Lanes16<T>;
  const LaneTag<T> d;
  using V = hn::Vec<LaneTag<T>>;
  const int64_t n = x.columns, whole = n / kVirtualLanes * kVirtualLanes;
  T* before = nullptr;  // the row that waits for its division by 'total'
  V total = hn::Zero(d);
  const auto divide = [d, &before, &total](int64_t i) HWY_ATTR {
    MODNET_UNROLL
    for (int64_t v = 0; v < L::kCount; ++v) hn::StoreU(hn::Div(hn::LoadU(d, before + i + v * L::kWidth), total), d, before + i + v * L::kWidth);
  };
  const auto divide_rest = [&](int64_t from) HWY_ATTR {
    MapGroups(before + from, before + from, n - from, T{0}, [&total](int64_t, V v, int64_t) HWY_ATTR { return hn::Div(v, total); });
  };
  for (int64_t r = 0; r < x.rows; ++r) {
    const T* from = x.data + r * x.stride;
    T* y = out.data + r * out.stride;
    const T greatest = RowMax(from, n);
    T sum;
    if (before == nullptr) {
      sum = ExpMinus(from, y, n, greatest);
    } else {
      sum = ExpMinus(from, y, n, greatest, divide);
      divide_rest(whole);
    }
    before = sum == sum ? y : nullptr;  // a sum that is a number is at least 1, and its parts are numbers
    total = hn::Set(d, sum);
    for (int64_t i = 0; before == nullptr && i < n; ++i) y[i] = CanonicalScalar(sum);
  }
  if (before != nullptr) divide_rest(0);
}
template <typename T>
HWY_INLINE void LogSoftmaxRows(RowsOf<const T> x, RowsOf<T> out) {
  for (int64_t r = 0; r < x.rows; ++r) LogSoftmaxRow(x.data + r * x.stride, out.data + r * out.stride, x.columns);
}
void SoftmaxF32(ConstRows x, Rows out) { SoftmaxRows(x, out); }
void SoftmaxF64(RowsOf<const double> x, RowsOf<double> out) { SoftmaxRows(x, out); }
void LogSoftmaxF32(ConstRows x, Rows out) { LogSoftmaxRows(x, out); }
void LogSoftmaxF64(RowsOf<const double> x, RowsOf<double> out) { LogSoftmaxRows(x, out); }

/// residual.data may be null: nothing is added.
void LayerNorm(ConstRows x, ConstRows residual, const float* gamma, const float* beta, float eps, Rows out) {
  if (residual.data == nullptr) {
    LayerNormRows<false>(x, residual, gamma, beta, eps, out).run();
  } else {
    LayerNormRows<true>(x, residual, gamma, beta, eps, out).run();
  }
}

void RmsNorm(ConstRows x, const float* gamma, float eps, Rows out) {
  for (int64_t r = 0; r < x.rows; ++r) {
    const float* a = x.data + r * x.stride;
    float* y = out.data + r * out.stride;
    const float inverse = 1.0f / std::sqrt(SquareSum(a, x.columns) / static_cast<float>(x.columns) + eps);
    for (int64_t i = 0; i < x.columns; ++i) y[i] = CanonicalScalar(a[i] * inverse * gamma[i]);
  }
}

/// A row is divided while the squares of the next are summed, for the reason that softmax has.
void L2Normalize(ConstRows x, float eps, Rows out) {
  using L = Lanes16<float>;
  const LaneTag<float> d;
  using V = hn::Vec<LaneTag<float>>;
  const int64_t n = x.columns, whole = n / kVirtualLanes * kVirtualLanes;
  const auto rest = [&](const float* a, L& squares) HWY_ATTR {
    ForGroups(a + whole, n - whole, 0.0f, [&](int64_t v, const float* p) HWY_ATTR {
      const V value = hn::LoadU(d, p);
      squares.lane[v] = Fma(d, value, value, squares.lane[v]);
    });
    return std::sqrt(squares.sum());
  };
  const auto add = [d](const float* a, int64_t i, L& squares) HWY_ATTR {
    MODNET_UNROLL
    for (int64_t v = 0; v < L::kCount; ++v) {
      const V value = hn::LoadU(d, a + i + v * L::kWidth);
      squares.lane[v] = Fma(d, value, value, squares.lane[v]);
    }
  };
  float norm = 0.0f;  // of row r
  for (int64_t r = 0; r < x.rows; ++r) {
    const float* a = x.data + r * x.stride;
    const float* next = r + 1 < x.rows ? a + x.stride : a;
    float* y = out.data + r * out.stride;
    if (r == 0) {
      L first(0.0f);
      for (int64_t i = 0; i < whole; i += kVirtualLanes) add(a, i, first);
      norm = rest(a, first);
    }
    const V divisor = hn::Set(d, norm < eps ? eps : norm);  // NaN stays
    L squares(0.0f);
    for (int64_t i = 0; i < whole; i += kVirtualLanes) {
      add(next, i, squares);
      MODNET_UNROLL
      for (int64_t v = 0; v < L::kCount; ++v)
        hn::StoreU(Canonical(d, hn::Div(hn::LoadU(d, a + i + v * L::kWidth), divisor)), d, y + i + v * L::kWidth);
    }
    if (r + 1 < x.rows) norm = rest(next, squares);
    MapGroups(a + whole, y + whole, n - whole, 0.0f, [d, divisor](int64_t, V v, int64_t) HWY_ATTR { return Canonical(d, hn::Div(v, divisor)); });
  }
}

void RowSumsF32(ConstRows x, float* out) {
  for (int64_t r = 0; r < x.rows; ++r) out[r] = CanonicalScalar(RowSum(x.data + r * x.stride, x.columns));
}
void RowSumsF64(RowsOf<const double> x, double* out) {
  for (int64_t r = 0; r < x.rows; ++r) out[r] = CanonicalScalar(RowSum(x.data + r * x.stride, x.columns));
}
void RowSquareSums(ConstRows x, float* out) {
  for (int64_t r = 0; r < x.rows; ++r) out[r] = CanonicalScalar(SquareSum(x.data + r * x.stride, x.columns));
}
float DotF32(const float* a, const float* b, int64_t n) { return DotOf(a, b, n); }
double DotF64(const double* a, const double* b, int64_t n) { return DotOf(a, b, n); }
void AxpyF32(float a, const float* x, float* y, int64_t n) { AxpyOf(a, x, y, n); }
void AxpyF64(double a, const double* x, double* y, int64_t n) { AxpyOf(a, x, y, n); }

}  // namespace HWY_NAMESPACE
}  // namespace modnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace modnet {
namespace {
HWY_EXPORT(SoftmaxF32);
HWY_EXPORT(SoftmaxF64);
HWY_EXPORT(LogSoftmaxF32);
HWY_EXPORT(LogSoftmaxF64);
HWY_EXPORT(LayerNorm);
HWY_EXPORT(RmsNorm);
HWY_EXPORT(L2Normalize);
HWY_EXPORT(RowSumsF32);
HWY_EXPORT(RowSumsF64);
HWY_EXPORT(RowSquareSums);
HWY_EXPORT(DotF32);
HWY_EXPORT(DotF64);
HWY_EXPORT(AxpyF32);
HWY_EXPORT(AxpyF64);
}  // namespace

void softmax(ConstRows x, Rows out) { HWY_DYNAMIC_DISPATCH(SoftmaxF32)(x, out); }
void softmax(RowsOf<const double> x, RowsOf<double> out) { HWY_DYNAMIC_DISPATCH(SoftmaxF64)(x, out); }
void log_softmax(ConstRows x, Rows out) { HWY_DYNAMIC_DISPATCH(LogSoftmaxF32)(x, out); }
void log_softmax(RowsOf<const double> x, RowsOf<double> out) { HWY_DYNAMIC_DISPATCH(LogSoftmaxF64)(x, out); }
void layer_norm(ConstRows x, const float* gamma, const float* beta, float eps, Rows out) {
  HWY_DYNAMIC_DISPATCH(LayerNorm)(x, ConstRows{}, gamma, beta, eps, out);
}
void add_layer_norm(ConstRows x, ConstRows residual, const float* gamma, const float* beta, float eps, Rows out) {
  HWY_DYNAMIC_DISPATCH(LayerNorm)(x, residual, gamma, beta, eps, out);
}
void rms_norm(ConstRows x, const float* gamma, float eps, Rows out) {
  HWY_DYNAMIC_DISPATCH(RmsNorm)(x, gamma, eps, out);
}
void l2_normalize(ConstRows x, float eps, Rows out) { HWY_DYNAMIC_DISPATCH(L2Normalize)(x, eps, out); }
void row_sums(ConstRows x, float* out) { HWY_DYNAMIC_DISPATCH(RowSumsF32)(x, out); }
void row_sums(RowsOf<const double> x, double* out) { HWY_DYNAMIC_DISPATCH(RowSumsF64)(x, out); }
void row_square_sums(ConstRows x, float* out) { HWY_DYNAMIC_DISPATCH(RowSquareSums)(x, out); }
float dot(const float* a, const float* b, int64_t n) { return HWY_DYNAMIC_DISPATCH(DotF32)(a, b, n); }
double dot(const double* a, const double* b, int64_t n) { return HWY_DYNAMIC_DISPATCH(DotF64)(a, b, n); }
void axpy(float a, const float* x, float* y, int64_t n) { HWY_DYNAMIC_DISPATCH(AxpyF32)(a, x, y, n); }
void axpy(double a, const double* x, double* y, int64_t n) { HWY_DYNAMIC_DISPATCH(AxpyF64)(a, x, y, n); }

float sum(const float* a, int64_t n) {
  float out = 0;
  row_sums(ConstRows{a, 1, n, n}, &out);
  return out;
}
double sum(const double* a, int64_t n) {
  double out = 0;
  row_sums(RowsOf<const double>{a, 1, n, n}, &out);
  return out;
}

void row_argmax(ConstRows x, int64_t* out) {
  for (int64_t r = 0; r < x.rows; ++r) {
    const float* row = x.data + r * x.stride;
    int64_t best = -1;
    for (int64_t i = 0; i < x.columns; ++i) {
      if (row[i] == row[i] && (best < 0 || row[i] > row[best])) best = i;
    }
    out[r] = best < 0 ? 0 : best;
  }
}

}  // namespace modnet
#endif
