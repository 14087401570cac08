// The portable elementary functions on vectors: step for step what reference/math.cc does on one number, so the bits
// are the same on every instruction set. Included once per target by the kernels of this folder (Highway's
// foreach_target). Tested by tests/unit/compute/math_test.cc.

#if defined(MODNET_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODNET_MATH_INL_H_
#undef MODNET_MATH_INL_H_
#else
#define MODNET_MATH_INL_H_
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "libmod/compute/reference/traits.h"

// Before a loop over registers: g++ 12 otherwise keeps an array of vectors in memory. Where a fused multiply-add is a
// loop over lanes, unrolling would only make code.
#undef MODNET_UNROLL
#if HWY_NATIVE_FMA
#define MODNET_UNROLL _Pragma("GCC unroll 16")
#else
#define MODNET_UNROLL
#endif

HWY_BEFORE_NAMESPACE();
namespace modnet {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// a * b + c with one rounding, on every target: where the hardware cannot, std::fma lane by lane (slow, right).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V Fma(D d, V a, V b, V c) {
#if HWY_NATIVE_FMA
  (void)d;
  return hn::MulAdd(a, b, c);
#else
  using T = hn::TFromD<D>;
  constexpr size_t kLanes = hn::MaxLanes(D());
  HWY_ALIGN T x[kLanes];
  HWY_ALIGN T y[kLanes];
  HWY_ALIGN T z[kLanes];
  hn::Store(a, d, x);
  hn::Store(b, d, y);
  hn::Store(c, d, z);
  for (size_t i = 0; i < kLanes; ++i) z[i] = std::fma(x[i], y[i], z[i]);
  return hn::Load(d, z);
#endif
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Canonical(D d, V x) {
  const hn::RebindToUnsigned<D> du;
  return hn::IfThenElse(hn::Eq(x, x), x, hn::BitCast(d, hn::Set(du, MathTraits<hn::TFromD<D>>::kNan)));
}

/// |magnitude| with the sign of 'sign'.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V WithSign(D d, V magnitude, V sign) {
  const hn::RebindToUnsigned<D> du;
  const V mask = hn::BitCast(d, hn::Set(du, MathTraits<hn::TFromD<D>>::kSign));
  return hn::Or(hn::AndNot(mask, magnitude), hn::And(mask, sign));
}

/// The same of a magnitude that has no sign.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V AddSign(D d, V magnitude, V sign) {
  const hn::RebindToUnsigned<D> du;
  return hn::Or(magnitude, hn::And(hn::BitCast(d, hn::Set(du, MathTraits<hn::TFromD<D>>::kSign)), sign));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Absolute(D d, V x) {
  const hn::RebindToUnsigned<D> du;
  return hn::AndNot(hn::BitCast(d, hn::Set(du, MathTraits<hn::TFromD<D>>::kSign)), x);
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Negative(D d, V x) {
  const hn::RebindToUnsigned<D> du;
  return hn::Xor(hn::BitCast(d, hn::Set(du, MathTraits<hn::TFromD<D>>::kSign)), x);
}

/// a > b ? a : b, so b where one is not a number, or where both are zeros.
template <class V>
HWY_INLINE V GreaterOf(V a, V b) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  return hn::Max(a, b);  // maxps is just that
#else
  return hn::IfThenElse(hn::Gt(a, b), a, b);
#endif
}

/// a < b ? a : b, in the same way.
template <class V>
HWY_INLINE V LesserOf(V a, V b) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  return hn::Min(a, b);
#else
  return hn::IfThenElse(hn::Lt(a, b), a, b);
#endif
}

template <size_t I, class D, class V, size_t N>
HWY_INLINE V Horner(D d, V p, V x, const hn::TFromD<D> (&a)[N]) {
  if constexpr (I == 0) {
    return p;
  } else {
    return Horner<I - 1>(d, Fma(d, p, x, hn::Set(d, a[I - 1])), x, a);
  }
}
template <class D, class V, size_t N>
HWY_INLINE V Poly(D d, V x, const hn::TFromD<D> (&a)[N]) {
  return Horner<N - 1>(d, hn::Set(d, a[N - 1]), x, a);
}

/// What a function may take its argument for: anything, or a number between ±MathTraits<T>::kExpPlain, whose exponential is normal. The
/// second needs fewer steps to the same bits.
enum class Range : uint8_t { kAny, kPlain };

/// exp where the result is known to be normal: nothing to clamp, and its exponent is a sum. A NaN gives anything.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ExpNormal(D d, V x) {
  using T = hn::TFromD<D>;
  using M = MathTraits<T>;
  const hn::RebindToUnsigned<D> du;
  const V magic = hn::Set(d, M::kMagic);
  const V shifted = Fma(d, x, hn::Set(d, M::kLog2e), magic);
  const V n = hn::Sub(shifted, magic);
  V r = Fma(d, n, hn::Set(d, -M::kLn2Head), x);
  r = Fma(d, n, hn::Set(d, -M::kLn2Tail), r);
  const V y = hn::Add(Fma(d, hn::Mul(r, r), Poly(d, r, M::kExp), r), hn::Set(d, T{1}));
  const auto exponent = hn::ShiftLeft<M::kMantissaBits>(hn::BitCast(du, shifted));  // n; what else the bits hold is shifted out
  return hn::BitCast(d, hn::Add(hn::BitCast(du, y), exponent));
}

template <Range kRange = Range::kAny, class D, class V = hn::Vec<D>>
HWY_INLINE V Exp(D d, V x) {
  if constexpr (kRange == Range::kPlain) return ExpNormal(d, x);
  using T = hn::TFromD<D>;
  using M = MathTraits<T>;
  const hn::RebindToUnsigned<D> du;
  const hn::RebindToSigned<D> di;
  using VU = hn::Vec<decltype(du)>;
  const V most = hn::Set(d, M::kExpMax), least = hn::Set(d, M::kExpMin), magic = hn::Set(d, M::kMagic);
  x = GreaterOf(least, LesserOf(most, x));  // a NaN stays
  const V shifted = Fma(d, x, hn::Set(d, M::kLog2e), magic);
  const V n = hn::Sub(shifted, magic);
  const VU k = hn::Sub(hn::BitCast(du, shifted), hn::Set(du, M::kMagicBits));
  V r = Fma(d, n, hn::Set(d, -M::kLn2Head), x);
  r = Fma(d, n, hn::Set(d, -M::kLn2Tail), r);
  const V y = hn::Add(Fma(d, hn::Mul(r, r), Poly(d, r, M::kExp), r), hn::Set(d, T{1}));
  const VU half = hn::BitCast(du, hn::ShiftRight<1>(hn::BitCast(di, k)));
  const VU bias = hn::Set(du, M::kExponentBias);
  const V first = hn::BitCast(d, hn::ShiftLeft<M::kMantissaBits>(hn::Add(half, bias)));
  const V second = hn::BitCast(d, hn::ShiftLeft<M::kMantissaBits>(hn::Add(hn::Sub(k, half), bias)));
  return Canonical(d, hn::Mul(hn::Mul(y, first), second));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Log(D d, V x) {
  using T = hn::TFromD<D>;
  using M = MathTraits<T>;
  const hn::RebindToUnsigned<D> du;
  const hn::RebindToSigned<D> di;
  using VU = hn::Vec<decltype(du)>;
  const auto tiny = hn::Lt(x, hn::Set(d, M::kMinNormal));
  const VU bits = hn::BitCast(du, hn::IfThenElse(tiny, hn::Mul(x, hn::Set(d, M::kUpscale)), x));
  const VU k =
      hn::BitCast(du, hn::ShiftRight<M::kMantissaBits>(hn::BitCast(di, hn::Sub(bits, hn::Set(du, M::kSqrtHalfBits)))));
  const V m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<M::kMantissaBits>(k)));
  V exponent = hn::Sub(hn::BitCast(d, hn::Add(k, hn::Set(du, M::kMagicBits))), hn::Set(d, M::kMagic));
  exponent = hn::IfThenElse(tiny, hn::Sub(exponent, hn::Set(d, M::kUpscaleExponent)), exponent);
  const V f = hn::Sub(m, hn::Set(d, T{1}));
  const V s = hn::Div(f, hn::Add(f, hn::Set(d, T{2})));
  const V z = hn::Mul(s, s);
  const V half_square = hn::Mul(hn::Mul(hn::Set(d, T{0.5}), f), f);
  const V inner = Fma(d, z, Poly(d, z, M::kLog), half_square);
  const V small = Fma(d, exponent, hn::Set(d, M::kLn2Tail), hn::Mul(s, inner));
  V y = Fma(d, exponent, hn::Set(d, M::kLn2Head), hn::Sub(f, hn::Sub(half_square, small)));
  const V zero = hn::Zero(d), inf = hn::Set(d, M::kInf);
  y = hn::IfThenElse(hn::Gt(x, zero), y, hn::BitCast(d, hn::Set(du, M::kNan)));
  y = hn::IfThenElse(hn::Eq(x, zero), hn::Set(d, -M::kInf), y);
  return hn::IfThenElse(hn::Eq(x, inf), inf, y);
}

template <Range kRange = Range::kAny, class D, class V = hn::Vec<D>>
HWY_INLINE V Tanh(D d, V x) {  // kPlain: of 2 x
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, T{1});
  const V a = Absolute(d, x);
  const V z = hn::Mul(x, x);
  const V near = Fma(d, hn::Mul(a, z), Poly(d, z, MathTraits<T>::kTanh), a);
  const V e = hn::Add(Exp<kRange>(d, hn::Add(a, a)), one);
  const V far = hn::Sub(one, hn::Div(hn::Set(d, T{2}), e));
  const V y = AddSign(d, hn::IfThenElse(hn::Lt(a, hn::Set(d, T{0.625})), near, far), x);
  return kRange == Range::kPlain ? y : Canonical(d, y);
}

/// Erf, but a NaN stays some NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V ErfRaw(D d, V x) {
  using T = hn::TFromD<D>;
  using M = MathTraits<T>;
  const V one = hn::Set(d, T{1}), end = hn::Set(d, M::kErfEnd);
  const V a = Absolute(d, x);
  const V near = Fma(d, x, Poly(d, hn::Mul(x, x), M::kErf), x);
  const V u = hn::Sub(LesserOf(end, a), one);
  const V far = AddSign(d, hn::Sub(one, ExpNormal(d, Negative(d, Poly(d, u, M::kErfc)))), x);
  return hn::IfThenElse(hn::Ge(a, one), far, near);  // near of a NaN is one
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Erf(D d, V x) {
  return Canonical(d, ErfRaw(d, x));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Sigmoid(D d, V x) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, T{1});
  const V e = Exp(d, Negative(d, Absolute(d, x)));
  return Canonical(d, hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Softplus(D d, V x) {
  using T = hn::TFromD<D>;
  const V one = hn::Set(d, T{1}), zero = hn::Zero(d);
  const V e = Exp(d, Negative(d, Absolute(d, x)));
  const V w = hn::Add(one, e);
  const V log1p = hn::Add(Log(d, w), hn::Div(hn::Sub(e, hn::Sub(w, one)), w));
  return Canonical(d, hn::Add(hn::IfThenElse(hn::Lt(x, zero), zero, x), log1p));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V Gelu(D d, V x) {
  using T = hn::TFromD<D>;
  const V half = hn::Set(d, T{0.5});
  return Canonical(d, hn::Mul(x, Fma(d, ErfRaw(d, hn::Mul(x, hn::Set(d, MathTraits<T>::kSqrtHalf))), half, half)));
}

template <class D, class V = hn::Vec<D>>
HWY_INLINE V GeluTanh(D d, V x) {
  using T = hn::TFromD<D>;
  const V half = hn::Set(d, T{0.5});
  const V cube = hn::Mul(hn::Mul(x, x), x);
  const V u = hn::Mul(hn::Set(d, MathTraits<T>::kSqrtTwoOverPi), Fma(d, cube, hn::Set(d, static_cast<T>(0.044715)), x));
  return Canonical(d, hn::Mul(x, Fma(d, Tanh(d, u), half, half)));
}

/// The rounding error of a - b = difference.
template <class V>
HWY_INLINE V DifferenceError(V a, V b, V difference) {
  const V back = hn::Sub(difference, a);
  return hn::Sub(hn::Sub(a, hn::Sub(difference, back)), hn::Add(b, back));
}

/// sin (shift 0) or cos (shift 1) of f64 angles below MathTraits<double>::kAngleLimit; other lanes are undefined.
template <uint64_t kShift, class D, class V = hn::Vec<D>>
HWY_INLINE V SinCos64(D d, V x) {
  namespace c = coefficients;
  const hn::RebindToUnsigned<D> du;
  using VU = hn::Vec<decltype(du)>;
  const V magic = hn::Set(d, MathTraits<double>::kMagic), one = hn::Set(d, 1.0);
  const V shifted = Fma(d, x, hn::Set(d, c::kTwoOverPi), magic);
  const V n = hn::Sub(shifted, magic);
  const V a = Fma(d, n, hn::Set(d, -c::kHalfPiA), x);
  const V w = hn::Mul(n, hn::Set(d, c::kHalfPiB));
  const V b = hn::Sub(a, w);
  const V p = hn::Mul(n, hn::Set(d, c::kHalfPiC));
  const V q = hn::Sub(b, p);
  V tail = hn::Add(DifferenceError(a, w, b), DifferenceError(b, p, q));
  tail = hn::Sub(tail, Fma(d, n, hn::Set(d, c::kHalfPiC), Negative(d, p)));
  tail = Fma(d, n, hn::Set(d, -c::kHalfPiD), tail);
  const V h = hn::Add(q, tail);
  const V t = hn::Add(hn::Sub(q, h), tail);

  const V z = hn::Mul(h, h);
  const V sine = hn::Add(h, Fma(d, hn::Mul(h, z), Poly(d, z, c::kSinF64), Fma(d, hn::Mul(hn::Set(d, -0.5), z), t, t)));
  const V half = hn::Mul(hn::Set(d, 0.5), z);
  const V v = hn::Sub(one, half);
  const V cosine = hn::Add(v, hn::Add(hn::Sub(hn::Sub(one, v), half),
                                      Fma(d, hn::Mul(z, z), Poly(d, z, c::kCosF64), Negative(d, hn::Mul(h, t)))));

  const VU quarter = hn::Add(hn::BitCast(du, shifted), hn::Set(du, kShift));
  const auto odd = hn::Eq(hn::And(quarter, hn::Set(du, uint64_t{1})), hn::Set(du, uint64_t{1}));
  const V y = hn::IfThenElse(hn::RebindMask(d, odd), cosine, sine);
  const V sign = hn::BitCast(d, hn::ShiftLeft<62>(hn::And(quarter, hn::Set(du, uint64_t{2}))));
  return hn::Xor(y, sign);
}

/// The same for f32 angles held in f64 lanes, with the short polynomials.
template <uint64_t kShift, class D, class V = hn::Vec<D>>
HWY_INLINE V SinCos32(D d, V x) {
  namespace c = coefficients;
  const hn::RebindToUnsigned<D> du;
  using VU = hn::Vec<decltype(du)>;
  const V magic = hn::Set(d, MathTraits<double>::kMagic);
  const V shifted = Fma(d, x, hn::Set(d, c::kTwoOverPi), magic);
  const V n = hn::Sub(shifted, magic);
  const V h = Fma(d, n, hn::Set(d, -c::kHalfPiTail), Fma(d, n, hn::Set(d, -c::kHalfPiHead), x));
  const V z = hn::Mul(h, h);
  const V sine = Fma(d, hn::Mul(h, z), Poly(d, z, c::kSinF32), h);
  const V cosine = Fma(d, hn::Mul(z, z), Poly(d, z, c::kCosF32), Fma(d, z, hn::Set(d, -0.5), hn::Set(d, 1.0)));
  const VU quarter = hn::Add(hn::BitCast(du, shifted), hn::Set(du, kShift));
  const auto odd = hn::Eq(hn::And(quarter, hn::Set(du, uint64_t{1})), hn::Set(du, uint64_t{1}));
  const V y = hn::IfThenElse(hn::RebindMask(d, odd), cosine, sine);
  return hn::Xor(y, hn::BitCast(d, hn::ShiftLeft<62>(hn::And(quarter, hn::Set(du, uint64_t{2})))));
}

}  // namespace HWY_NAMESPACE
}  // namespace modnet
HWY_AFTER_NAMESPACE();

#endif
