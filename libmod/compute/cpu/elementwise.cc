// Kernels of libmod/compute/elementwise.h. Tails are padded to a whole vector, so the position of an element in its
// array cannot show in its result. Tested by tests/unit/compute/math_test.cc and elementwise_test.cc.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "libmod/compute/cpu/elementwise.cc"
#include "hwy/foreach_target.h"
// after foreach_target.h
#include "hwy/highway.h"
#include "libmod/compute/cpu/math-inl.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "libmod/compute/elementwise.h"
#include "libmod/compute/reference/math.h"

HWY_BEFORE_NAMESPACE();
namespace modnet {
namespace HWY_NAMESPACE {

/// Vectors that Map works on side by side, so that the steps of one fill the waits of the others: four are a seventh faster than two on Zen 3 (exp,
/// erf, gelu).
inline constexpr int64_t kAbreast = HWY_TARGET == HWY_AVX2 ? 4 : HWY_NATIVE_FMA ? 2 : 1;

/// Arrays from as many bytes on come from memory, and are asked for so many bytes ahead: else arithmetic and memory would wait for each other by turns.
inline constexpr int64_t kFarBytes = int64_t{1} << 20, kAheadBytes = 4096;

/// y[i] = f(x[i]) over whole vectors of D, the tail padded with ones. f takes kAbreast or fewer vectors in place.
template <class D, class T, class F>
HWY_INLINE void MapVectors(D d, const T* x, T* y, int64_t n, F f) {
  constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(D())), kSize = static_cast<int64_t>(sizeof(T));
  using V = hn::Vec<D>;
  const int64_t ahead = n * kSize < kFarBytes ? 0 : kAheadBytes / kSize;
  int64_t i = 0;
  for (; i + kAbreast * kLanes <= n; i += kAbreast * kLanes) {
    const int64_t later = i + ahead < n ? i + ahead : i;
    V v[kAbreast];
    MODNET_UNROLL
    for (int64_t j = 0; j < kAbreast; ++j) {
      __builtin_prefetch(x + later + j * kLanes);
      __builtin_prefetch(y + later + j * kLanes, 1);
      v[j] = hn::LoadU(d, x + i + j * kLanes);
    }
    f(v);
    MODNET_UNROLL
    for (int64_t j = 0; j < kAbreast; ++j) hn::StoreU(v[j], d, y + i + j * kLanes);
  }
  for (; i < n; i += kLanes) {
    HWY_ALIGN T tail[kLanes];
    const int64_t some = n - i;
    for (int64_t j = 0; j < kLanes && some < kLanes; ++j) tail[j] = j < some ? x[i + j] : T{1};
    V v[1] = {hn::LoadU(d, some < kLanes ? tail : x + i)};
    f(v);
    hn::StoreU(v[0], d, some < kLanes ? tail : y + i);
    if (some < kLanes) std::memcpy(y + i, tail, static_cast<size_t>(some) * sizeof(T));
  }
}

template <class D, class T, class F>
HWY_INLINE void Map(D d, const T* x, T* y, int64_t n, F f) {
  using V = hn::Vec<D>;
  MapVectors(d, x, y, n, [f]<size_t kCount>(V(&v)[kCount]) HWY_ATTR {
    MODNET_UNROLL
    for (size_t j = 0; j < kCount; ++j) v[j] = f(v[j]);
  });
}

/// The same of f<Range>, kPlain where all |x| are below the limit.
template <class D, class T, class F>
HWY_INLINE void MapRange(D d, const T* x, T* y, int64_t n, T limit, F f) {
  using V = hn::Vec<D>;
  const V most = hn::Set(d, limit);
  MapVectors(d, x, y, n, [d, most, f]<size_t kCount>(V(&v)[kCount]) HWY_ATTR {
    auto plain = hn::Lt(Absolute(d, v[0]), most);
    MODNET_UNROLL
    for (size_t j = 1; j < kCount; ++j) plain = hn::And(plain, hn::Lt(Absolute(d, v[j]), most));
    if (HWY_LIKELY(hn::AllTrue(d, plain))) {
      MODNET_UNROLL
      for (size_t j = 0; j < kCount; ++j) v[j] = f.template operator()<Range::kPlain>(v[j]);
      return;
    }
    for (size_t j = 0; j < kCount; ++j) v[j] = f.template operator()<Range::kAny>(v[j]);
  });
}

template <class D, class T, class F>
HWY_INLINE void Map2(D d, const T* x, const T* other, T* y, int64_t n, F f) {
  constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(D()));
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) hn::StoreU(f(hn::LoadU(d, x + i), hn::LoadU(d, other + i)), d, y + i);
  if (i == n) return;
  HWY_ALIGN T a[kLanes];
  HWY_ALIGN T b[kLanes];
  for (int64_t j = 0; j < kLanes; ++j) {
    a[j] = i + j < n ? x[i + j] : T{1};
    b[j] = i + j < n ? other[i + j] : T{1};
  }
  hn::Store(f(hn::Load(d, a), hn::Load(d, b)), d, a);
  std::memcpy(y + i, a, static_cast<size_t>(n - i) * sizeof(T));
}

/// Whole-vector sin/cos, with the lanes that are too large (or not numbers, or tiny) redone by the plain form.
template <uint64_t kShift>
HWY_INLINE void SinCos(const double* x, double* y, int64_t n) {
  const hn::ScalableTag<double> d;
  using V = hn::Vec<decltype(d)>;
  Map(d, x, y, n, [d](V v) HWY_ATTR {
    const V a = Absolute(d, v);
    const V r = SinCos64<kShift>(d, v);
    const auto plain = hn::And(hn::Lt(a, hn::Set(d, MathTraits<double>::kAngleLimit)), hn::Ge(a, hn::Set(d, 0x1p-28)));
    if (HWY_LIKELY(hn::AllTrue(d, plain))) return r;
    constexpr size_t kLanes = hn::MaxLanes(hn::ScalableTag<double>());
    HWY_ALIGN double in[kLanes];
    hn::Store(v, d, in);
    for (double& lane : in) lane = kShift == 0 ? reference::sin(lane) : reference::cos(lane);
    return hn::Load(d, in);
  });
}

template <uint64_t kShift>
HWY_INLINE void SinCos(const float* x, float* y, int64_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> df;
  using VF = hn::Vec<decltype(df)>;
  Map(df, x, y, n, [d, df](VF v) HWY_ATTR {
    const VF a = Absolute(df, v);
    const VF r = hn::DemoteTo(df, SinCos32<kShift>(d, hn::PromoteTo(d, v)));
    const auto plain = hn::And(hn::Lt(a, hn::Set(df, static_cast<float>(MathTraits<float>::kAngleLimit))),
                               hn::Ge(a, hn::Set(df, 0x1p-14f)));
    if (HWY_LIKELY(hn::AllTrue(df, plain))) return r;
    constexpr size_t kLanes = hn::MaxLanes(hn::ScalableTag<double>());
    HWY_ALIGN float in[kLanes];
    hn::Store(v, df, in);
    for (float& lane : in) lane = kShift == 0 ? reference::sin(lane) : reference::cos(lane);
    return hn::Load(df, in);
  });
}

template <typename T>
void Unary(UnaryOp op, const T* x, T* y, int64_t n) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const V one = hn::Set(d, T{1}), zero = hn::Zero(d);
  switch (op) {
    case UnaryOp::kExp:
      return MapRange(d, x, y, n, MathTraits<T>::kExpPlain, [d]<Range kRange>(V v) HWY_ATTR { return Exp<kRange>(d, v); });
    case UnaryOp::kLog:
      return Map(d, x, y, n, [d](V v) HWY_ATTR { return Log(d, v); });
    case UnaryOp::kSin:
      return SinCos<0>(x, y, n);
    case UnaryOp::kCos:
      return SinCos<1>(x, y, n);
    case UnaryOp::kTanh:
      return MapRange(d, x, y, n, MathTraits<T>::kExpPlain / 2, [d]<Range kRange>(V v) HWY_ATTR { return Tanh<kRange>(d, v); });
    case UnaryOp::kErf:
      return Map(d, x, y, n, [d](V v) HWY_ATTR { return Erf(d, v); });
    case UnaryOp::kSigmoid:
      return Map(d, x, y, n, [d](V v) HWY_ATTR { return Sigmoid(d, v); });
    case UnaryOp::kGelu:
      return Map(d, x, y, n, [d](V v) HWY_ATTR { return Gelu(d, v); });
    case UnaryOp::kGeluTanh:
      return Map(d, x, y, n, [d](V v) HWY_ATTR { return GeluTanh(d, v); });
    case UnaryOp::kRelu:
      return Map(d, x, y, n,
                 [d, zero](V v) HWY_ATTR { return Canonical(d, hn::IfThenElse(hn::Le(v, zero), zero, v)); });
    case UnaryOp::kSilu:
      return Map(d, x, y, n, [d](V v) HWY_ATTR { return Canonical(d, hn::Mul(v, Sigmoid(d, v))); });
    case UnaryOp::kSqrt:
      return Map(d, x, y, n, [d](V v) HWY_ATTR { return Canonical(d, hn::Sqrt(v)); });
    case UnaryOp::kAbs:
      return Map(d, x, y, n, [d](V v) HWY_ATTR { return Canonical(d, Absolute(d, v)); });
    case UnaryOp::kNeg:
      return Map(d, x, y, n, [d](V v) HWY_ATTR { return Canonical(d, Negative(d, v)); });
    case UnaryOp::kSoftplus:
      return Map(d, x, y, n, [d](V v) HWY_ATTR { return Softplus(d, v); });
    case UnaryOp::kReciprocal:
      return Map(d, x, y, n, [d, one](V v) HWY_ATTR { return Canonical(d, hn::Div(one, v)); });
    case UnaryOp::kSquare:
      return Map(d, x, y, n, [d](V v) HWY_ATTR { return Canonical(d, hn::Mul(v, v)); });
    case UnaryOp::kCount:
      return;
  }
}

/// kMin and kMax by comparison, NaN first, then the sign of zero: no hardware minimum.
template <bool kGreater, class D, class V = hn::Vec<D>>
HWY_INLINE V Extreme(D d, V a, V b) {
  const V pick = kGreater ? hn::IfThenElse(hn::Gt(a, b), a, b) : hn::IfThenElse(hn::Lt(a, b), a, b);
  const V zero = kGreater ? hn::And(a, b) : hn::Or(a, b);  // of two equal numbers the bits differ in a zero's sign only
  const V sum = hn::Add(a, b);
  return Canonical(d,
                   hn::IfThenElse(hn::Eq(a, b), zero, hn::IfThenElse(hn::And(hn::Eq(a, a), hn::Eq(b, b)), pick, sum)));
}

template <typename T, class Run>
HWY_INLINE void WithBinary(BinaryOp op, Run run) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  switch (op) {
    case BinaryOp::kAdd:
      return run([d](V a, V b) HWY_ATTR { return Canonical(d, hn::Add(a, b)); });
    case BinaryOp::kSub:
      return run([d](V a, V b) HWY_ATTR { return Canonical(d, hn::Sub(a, b)); });
    case BinaryOp::kMul:
      return run([d](V a, V b) HWY_ATTR { return Canonical(d, hn::Mul(a, b)); });
    case BinaryOp::kDiv:
      return run([d](V a, V b) HWY_ATTR { return Canonical(d, hn::Div(a, b)); });
    case BinaryOp::kMin:
      return run([d](V a, V b) HWY_ATTR { return Extreme<false>(d, a, b); });
    case BinaryOp::kMax:
      return run([d](V a, V b) HWY_ATTR { return Extreme<true>(d, a, b); });
    case BinaryOp::kCount:
      return;
  }
}

template <typename T>
void Binary(BinaryOp op, const T* x, const T* other, T* y, int64_t n) {
  const hn::ScalableTag<T> d;
  WithBinary<T>(op, [&](auto f) HWY_ATTR { Map2(d, x, other, y, n, f); });
}

template <typename T>
void BinaryScalar(BinaryOp op, const T* x, T scalar, T* y, int64_t n) {
  const hn::ScalableTag<T> d;
  using V = hn::Vec<decltype(d)>;
  const V s = hn::Set(d, scalar);
  WithBinary<T>(op, [&](auto f) HWY_ATTR { Map(d, x, y, n, [f, s](V v) HWY_ATTR { return f(v, s); }); });
}

void UnaryF32(UnaryOp op, const float* x, float* y, int64_t n) { Unary(op, x, y, n); }
void UnaryF64(UnaryOp op, const double* x, double* y, int64_t n) { Unary(op, x, y, n); }
void BinaryF32(BinaryOp op, const float* x, const float* b, float* y, int64_t n) { Binary(op, x, b, y, n); }
void BinaryF64(BinaryOp op, const double* x, const double* b, double* y, int64_t n) { Binary(op, x, b, y, n); }
void BinaryScalarF32(BinaryOp op, const float* x, float s, float* y, int64_t n) { BinaryScalar(op, x, s, y, n); }
void BinaryScalarF64(BinaryOp op, const double* x, double s, double* y, int64_t n) { BinaryScalar(op, x, s, y, n); }

void ScaleShift(const float* x, const float* scale, const float* shift, float* y, int64_t n) {
  const hn::ScalableTag<float> d;
  constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(hn::ScalableTag<float>()));
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    hn::StoreU(Canonical(d, Fma(d, hn::LoadU(d, scale + i), hn::LoadU(d, x + i), hn::LoadU(d, shift + i))), d, y + i);
  }
  if (i == n) return;
  HWY_ALIGN float tail[3 * kLanes] = {};
  for (int64_t j = 0; i + j < n; ++j) {
    tail[j] = scale[i + j];
    tail[kLanes + j] = x[i + j];
    tail[2 * kLanes + j] = shift[i + j];
  }
  const hn::Vec<decltype(d)> last =
      Fma(d, hn::Load(d, tail), hn::Load(d, tail + kLanes), hn::Load(d, tail + 2 * kLanes));
  hn::Store(Canonical(d, last), d, tail);
  std::memcpy(y + i, tail, static_cast<size_t>(n - i) * sizeof(float));
}

}  // namespace HWY_NAMESPACE
}  // namespace modnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace modnet {
namespace {

HWY_EXPORT(UnaryF32);
HWY_EXPORT(UnaryF64);
HWY_EXPORT(BinaryF32);
HWY_EXPORT(BinaryF64);
HWY_EXPORT(BinaryScalarF32);
HWY_EXPORT(BinaryScalarF64);
HWY_EXPORT(ScaleShift);

template <UnaryOp kOp>
void in_place(float* x, int64_t n) {
  HWY_DYNAMIC_DISPATCH(UnaryF32)(kOp, x, x, n);
}

template <size_t... kOps>
RowFunction pick_row_function(UnaryOp op, std::index_sequence<kOps...>) {
  static constexpr RowFunction kTable[] = {in_place<static_cast<UnaryOp>(kOps)>...};
  return kTable[static_cast<size_t>(op)];
}

}  // namespace

void unary(UnaryOp op, const float* x, float* y, int64_t n) { HWY_DYNAMIC_DISPATCH(UnaryF32)(op, x, y, n); }
void unary(UnaryOp op, const double* x, double* y, int64_t n) { HWY_DYNAMIC_DISPATCH(UnaryF64)(op, x, y, n); }

RowFunction row_function(UnaryOp op) {
  return pick_row_function(op, std::make_index_sequence<static_cast<size_t>(UnaryOp::kCount)>());
}

void binary(BinaryOp op, const float* x, const float* other, float* y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(BinaryF32)(op, x, other, y, n);
}
void binary(BinaryOp op, const double* x, const double* other, double* y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(BinaryF64)(op, x, other, y, n);
}
void binary_scalar(BinaryOp op, const float* x, float scalar, float* y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(BinaryScalarF32)(op, x, scalar, y, n);
}
void binary_scalar(BinaryOp op, const double* x, double scalar, double* y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(BinaryScalarF64)(op, x, scalar, y, n);
}
void binary_row(BinaryOp op, const float* x, int64_t ldx, const float* row, float* y, int64_t ldy, int64_t rows,
                int64_t n) {
  for (int64_t r = 0; r < rows; ++r) HWY_DYNAMIC_DISPATCH(BinaryF32)(op, x + r * ldx, row, y + r * ldy, n);
}
void scale_shift(const float* x, const float* scale, const float* shift, float* y, int64_t n) {
  HWY_DYNAMIC_DISPATCH(ScaleShift)(x, scale, shift, y, n);
}

void power(const float* x, const float* exponent, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = reference::pow(x[i], exponent[i]);
}
void power(const double* x, const double* exponent, double* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = reference::pow(x[i], exponent[i]);
}

}  // namespace modnet
#endif
