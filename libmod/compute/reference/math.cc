// The plain form of the portable elementary functions; cpu/math-inl.h repeats every step of it with vectors.
// Tested by tests/unit/compute/math_test.cc.
#include "libmod/compute/reference/math.h"

#include <bit>
#include <cmath>

#include "libmod/compute/reference/traits.h"

namespace modnet::reference {
namespace {

namespace c = coefficients;

template <typename T>
using Bits = typename MathTraits<T>::Bits;

template <typename T>
T canonical(T x) {
  return x == x ? x : std::bit_cast<T>(MathTraits<T>::kNan);
}

template <typename T>
T with_sign(T magnitude, T sign) {
  return std::bit_cast<T>((std::bit_cast<Bits<T>>(magnitude) & ~MathTraits<T>::kSign) |
                          (std::bit_cast<Bits<T>>(sign) & MathTraits<T>::kSign));
}

template <typename T>
T absolute(T x) {
  return std::bit_cast<T>(static_cast<Bits<T>>(std::bit_cast<Bits<T>>(x) & ~MathTraits<T>::kSign));
}

/// Horner's scheme, every step fused.
template <typename T, size_t N>
T poly(T x, const T (&a)[N]) {
  T p = a[N - 1];
  for (size_t i = N - 1; i-- > 0;) p = std::fma(p, x, a[i]);
  return p;
}

/// 2^n, for n in the range of normal exponents.
template <typename T>
T power_of_two(typename MathTraits<T>::Signed n) {
  using B = Bits<T>;
  return std::bit_cast<T>(
      static_cast<B>((static_cast<B>(n) + MathTraits<T>::kExponentBias) << MathTraits<T>::kMantissaBits));
}

/// exp(x + tail) with |tail| far below |x|'s ulp times 2^10: n ln 2 + r, |r| <= ln 2 / 2, then 2^n in two factors so
/// that subnormal results are rounded once.
template <typename T>
T exp_with_tail(T x, T tail) {
  using M = MathTraits<T>;
  using S = typename M::Signed;
  x = x > M::kExpMax ? M::kExpMax : x;
  x = x < M::kExpMin ? M::kExpMin : x;
  const T shifted = std::fma(x, M::kLog2e, M::kMagic);
  const T n = shifted - M::kMagic;
  const S k = static_cast<S>(std::bit_cast<Bits<T>>(shifted) - M::kMagicBits);
  T r = std::fma(n, -M::kLn2Head, x);
  r = std::fma(n, -M::kLn2Tail, r) + tail;
  const T y = std::fma(r * r, poly(r, M::kExp), r) + T{1};
  const S half = k >> 1;
  return canonical(y * power_of_two<T>(half) * power_of_two<T>(k - half));
}

template <typename T>
T exp_of(T x) {
  return exp_with_tail(x, T{0});
}

/// x = 2^exponent (1 + f), sqrt(1/2) <= 1 + f < sqrt 2, for a positive finite x.
template <typename T>
struct Split {
  T exponent;
  T f;
};
template <typename T>
Split<T> split(T x) {
  using M = MathTraits<T>;
  using B = Bits<T>;
  using S = typename M::Signed;
  const bool tiny = x < M::kMinNormal;
  const B bits = std::bit_cast<B>(tiny ? x * M::kUpscale : x);
  const S k = static_cast<S>(bits - M::kSqrtHalfBits) >> M::kMantissaBits;
  const T m = std::bit_cast<T>(static_cast<B>(bits - (static_cast<B>(k) << M::kMantissaBits)));
  const T exponent = std::bit_cast<T>(static_cast<B>(static_cast<B>(k) + M::kMagicBits)) - M::kMagic;
  return {tiny ? exponent - M::kUpscaleExponent : exponent, m - T{1}};
}

/// log(1 + f) = 2 atanh(s), s = f / (2 + f), arranged so that f itself enters exactly.
template <typename T>
T log_of(T x) {
  using M = MathTraits<T>;
  const Split<T> part = split(x);
  const T f = part.f;
  const T s = f / (f + T{2});
  const T z = s * s;
  const T half_square = T{0.5} * f * f;
  const T inner = std::fma(z, poly(z, M::kLog), half_square);
  const T small = std::fma(part.exponent, M::kLn2Tail, s * inner);
  const T y = std::fma(part.exponent, M::kLn2Head, f - (half_square - small));
  if (x == T{0}) return -M::kInf;
  if (x == M::kInf) return x;
  if (!(x > T{0})) return std::bit_cast<T>(M::kNan);
  return y;
}

/// tanh: a polynomial near 0, 1 - 2 / (exp(2 |x|) + 1) elsewhere.
template <typename T>
T tanh_of(T x) {
  const T a = absolute(x);
  const T z = x * x;
  if (a < T{0.625}) return with_sign(std::fma(a * z, poly(z, MathTraits<T>::kTanh), a), x);
  return canonical(with_sign(T{1} - T{2} / (exp_of(a + a) + T{1}), x));
}

template <typename T>
T erf_of(T x) {
  using M = MathTraits<T>;
  const T a = absolute(x);
  if (a < T{1}) return std::fma(x, poly(x * x, M::kErf), x);
  const T end = a > M::kErfEnd ? M::kErfEnd : a;
  return canonical(with_sign(T{1} - exp_of(-poly(end - T{1}, M::kErfc)), x));
}

template <typename T>
T sigmoid_of(T x) {
  const T e = exp_of(-absolute(x));
  return canonical((x < T{0} ? e : T{1}) / (T{1} + e));
}

template <typename T>
T softplus_of(T x) {
  const T e = exp_of(-absolute(x));
  const T w = T{1} + e;
  const T log1p_e = log_of(w) + (e - (w - T{1})) / w;
  return canonical((x < T{0} ? T{0} : x) + log1p_e);
}

template <typename T>
T gelu_of(T x) {
  return canonical(x * std::fma(erf_of(x * MathTraits<T>::kSqrtHalf), T{0.5}, T{0.5}));
}

template <typename T>
T gelu_tanh_of(T x) {
  const T u = MathTraits<T>::kSqrtTwoOverPi * std::fma(x * x * x, static_cast<T>(0.044715), x);
  return canonical(x * std::fma(tanh_of(u), T{0.5}, T{0.5}));
}

/// The rounding error of a - b = difference.
double difference_error(double a, double b, double difference) {
  const double back = difference - a;
  return (a - (difference - back)) - (b + back);
}

Angle reduce_angle(double x) {
  if (absolute(x) >= MathTraits<double>::kAngleLimit) return reduce_large_angle(x);
  const double shifted = std::fma(x, c::kTwoOverPi, MathTraits<double>::kMagic);
  const double n = shifted - MathTraits<double>::kMagic;
  const double a = std::fma(n, -c::kHalfPiA, x);  // exact
  const double w = n * c::kHalfPiB;               // exact
  const double b = a - w;
  const double p = n * c::kHalfPiC;
  const double h = b - p;
  double tail = difference_error(a, w, b) + difference_error(b, p, h);
  tail = tail - std::fma(n, c::kHalfPiC, -p);
  tail = std::fma(n, -c::kHalfPiD, tail);
  const double head = h + tail;
  return {head, (h - head) + tail, static_cast<uint32_t>(std::bit_cast<uint64_t>(shifted) & 3)};
}

double sin_of_angle(double h, double t) {
  const double z = h * h;
  return h + std::fma(h * z, poly(z, c::kSinF64), std::fma(-0.5 * z, t, t));
}

double cos_of_angle(double h, double t) {
  const double z = h * h;
  const double half = 0.5 * z;
  const double w = 1.0 - half;
  return w + (((1.0 - w) - half) + std::fma(z * z, poly(z, c::kCosF64), -(h * t)));
}

double turn(const Angle& angle, uint32_t quarter) {
  const double y = (quarter & 1) != 0 ? cos_of_angle(angle.head, angle.tail) : sin_of_angle(angle.head, angle.tail);
  return (quarter & 2) != 0 ? -y : y;
}

/// f32 angles are reduced in f64, where two parts of pi / 2 are enough; the polynomials are shorter.
Angle reduce_angle_f32(float value) {
  const double x = static_cast<double>(value);
  if (absolute(x) >= MathTraits<float>::kAngleLimit) return reduce_large_angle(x);
  const double shifted = std::fma(x, c::kTwoOverPi, MathTraits<double>::kMagic);
  const double n = shifted - MathTraits<double>::kMagic;
  const double h = std::fma(n, -c::kHalfPiTail, std::fma(n, -c::kHalfPiHead, x));
  return {h, 0, static_cast<uint32_t>(std::bit_cast<uint64_t>(shifted) & 3)};
}

float turn_f32(double h, uint32_t quarter) {
  const double z = h * h;
  const double s = std::fma(h * z, poly(z, c::kSinF32), h);
  const double k = std::fma(z * z, poly(z, c::kCosF32), std::fma(z, -0.5, 1.0));
  const double y = (quarter & 1) != 0 ? k : s;
  return static_cast<float>((quarter & 2) != 0 ? -y : y);
}

struct Pair {
  double head, tail;
};

/// log(x) of a positive finite x to about 2^-65, as head + tail.
Pair log_pair(double x) {
  const Split<double> part = split(x);
  const double g = part.f + 2.0;
  const double g_tail = part.f - (g - 2.0);
  const double s = part.f / g;
  const double s_tail = (std::fma(-s, g, part.f) - s * g_tail) / g;
  const double z = s * s;
  const double z_tail = std::fma(s, s, -z) + 2.0 * s * s_tail;
  const double cube = s * z;
  const double cube_tail = std::fma(s, z, -cube) + (s * z_tail + s_tail * z);
  const double t = cube * c::kTwoThirdsHead;
  const double t_tail =
      std::fma(cube, c::kTwoThirdsHead, -t) + (cube * c::kTwoThirdsTail + cube_tail * c::kTwoThirdsHead);
  const double rest = cube * z * poly(z, c::kPowF64);
  const double exponent = part.exponent * c::kLn2HeadF64;  // exact
  const double a = exponent + 2.0 * s;
  const double a_error = difference_error(exponent, -2.0 * s, a);
  const double b = a + t;
  const double b_error = difference_error(a, -t, b);
  const double low = (a_error + b_error) + (t_tail + 2.0 * s_tail + (rest + part.exponent * c::kLn2TailF64));
  const double head = b + low;
  return {head, (b - head) + low};
}

enum class Parity : uint8_t { kFraction, kEven, kOdd };
Parity parity(double y) {
  const double a = absolute(y);
  if (a >= 0x1p53) return Parity::kEven;
  const int64_t n = static_cast<int64_t>(a);
  if (static_cast<double>(n) != a) return Parity::kFraction;
  return n % 2 == 0 ? Parity::kEven : Parity::kOdd;
}

}  // namespace

Angle reduce_large_angle(double x) {
  // |x| = m 2^e. The bits of 2/pi before position e - 2 contribute whole turns only, so 192 bits from there, times m,
  // hold the quarter turn in their top two bits and the angle in quarter turns behind it (error below 2^-137).
  const uint64_t bits = std::bit_cast<uint64_t>(absolute(x));
  const uint64_t m = (bits & ((uint64_t{1} << 52) - 1)) | (uint64_t{1} << 52);
  const int64_t start = static_cast<int64_t>(bits >> 52) - 1075 - 2 + 64;  // the table with a word of zeros before it
  const auto word = [](int64_t i) { return i == 0 || i > 20 ? uint64_t{0} : c::kTwoOverPiBits[i - 1]; };
  uint64_t w[3];
  for (int64_t i = 0; i < 3; ++i) {
    const int64_t at = start / 64 + i, shift = start % 64;
    w[i] = shift == 0 ? word(at) : (word(at) << shift) | (word(at + 1) >> (64 - shift));
  }
  unsigned __int128 product = static_cast<unsigned __int128>(w[2]) * m;
  const uint64_t f2 = static_cast<uint64_t>(product);
  product = static_cast<unsigned __int128>(w[1]) * m + static_cast<uint64_t>(product >> 64);
  const uint64_t f1 = static_cast<uint64_t>(product);
  const uint64_t f0 = w[0] * m + static_cast<uint64_t>(product >> 64);
  uint32_t quarter = static_cast<uint32_t>(f0 >> 62);
  uint64_t a0 = (f0 << 2) | (f1 >> 62), a1 = (f1 << 2) | (f2 >> 62), a2 = f2 << 2;
  const bool over = (a0 >> 63) != 0;  // more than half a quarter turn: count from the next one
  if (over) {
    ++quarter;
    a0 = ~a0, a1 = ~a1, a2 = ~a2;
    if (++a2 == 0 && ++a1 == 0) ++a0;
  }
  double unit = 0x1p-53;
  while ((a0 >> 63) == 0) {  // at most some 70 steps
    a0 = (a0 << 1) | (a1 >> 63), a1 = (a1 << 1) | (a2 >> 63), a2 <<= 1;
    unit *= 0.5;
  }
  const double high = static_cast<double>(a0 >> 11) * unit;
  const double low = static_cast<double>((a0 << 53) | (a1 >> 11)) * (unit * 0x1p-64);
  const double p = high * c::kHalfPiHead;
  const double p_tail = std::fma(high, c::kHalfPiHead, -p) + std::fma(high, c::kHalfPiTail, low * c::kHalfPiHead);
  double head = p + p_tail;
  double tail = (p - head) + p_tail;
  if (over) head = -head, tail = -tail;
  if (x < 0) head = -head, tail = -tail, quarter = 0u - quarter;
  return {head, tail, quarter & 3};
}

float exp(float x) { return exp_of(x); }
double exp(double x) { return exp_of(x); }
float log(float x) { return log_of(x); }
double log(double x) { return log_of(x); }

double log1p(double x) {
  const double w = 1.0 + x;
  if (w == 1.0) return x;  // -0 and subnormals too
  if (!(w > 0.0) || w == MathTraits<double>::kInf) return log_of(w);
  return log_of(w) + (x - (w - 1.0)) / w;
}

double expm1(double x) {
  if (absolute(x) < 0.34) return std::fma(x * x, poly(x, c::kExpF64), x);
  return exp_of(x) - 1.0;
}

float sin(float x) {
  if (!(absolute(x) < MathTraits<float>::kInf)) return std::bit_cast<float>(MathTraits<float>::kNan);
  if (absolute(x) < 0x1p-14f) return x;
  const Angle angle = reduce_angle_f32(x);
  return turn_f32(angle.head, angle.quarter);
}

double sin(double x) {
  if (!(absolute(x) < MathTraits<double>::kInf)) return std::bit_cast<double>(MathTraits<double>::kNan);
  if (absolute(x) < 0x1p-28) return x;
  const Angle angle = reduce_angle(x);
  return turn(angle, angle.quarter);
}

float cos(float x) {
  if (!(absolute(x) < MathTraits<float>::kInf)) return std::bit_cast<float>(MathTraits<float>::kNan);
  const Angle angle = reduce_angle_f32(x);
  return turn_f32(angle.head, angle.quarter + 1);
}

double cos(double x) {
  if (!(absolute(x) < MathTraits<double>::kInf)) return std::bit_cast<double>(MathTraits<double>::kNan);
  const Angle angle = reduce_angle(x);
  return turn(angle, angle.quarter + 1);
}

float tanh(float x) { return tanh_of(x); }
double tanh(double x) { return tanh_of(x); }
float erf(float x) { return erf_of(x); }
double erf(double x) { return erf_of(x); }
float sigmoid(float x) { return sigmoid_of(x); }
double sigmoid(double x) { return sigmoid_of(x); }
float gelu(float x) { return gelu_of(x); }
double gelu(double x) { return gelu_of(x); }
float gelu_tanh(float x) { return gelu_tanh_of(x); }
double gelu_tanh(double x) { return gelu_tanh_of(x); }
float softplus(float x) { return softplus_of(x); }
double softplus(double x) { return softplus_of(x); }

double pow(double x, double y) {
  constexpr double kInf = MathTraits<double>::kInf;
  if (x == 1.0 || y == 0.0) return 1.0;
  if (x != x || y != y) return std::bit_cast<double>(MathTraits<double>::kNan);
  const double a = absolute(x);
  if (absolute(y) == kInf) {
    if (a == 1.0) return 1.0;
    return (a > 1.0) == (y > 0.0) ? kInf : 0.0;
  }
  const bool negative = std::signbit(x);
  const Parity whole = negative ? parity(y) : Parity::kEven;
  double result;
  if (a == 0.0 || a == kInf) {
    result = (a == 0.0) == (y > 0.0) ? 0.0 : kInf;
  } else {
    if (whole == Parity::kFraction) return std::bit_cast<double>(MathTraits<double>::kNan);
    const Pair l = log_pair(a);
    const double p = y * l.head;
    const bool far = !(absolute(p) < 800.0);
    result = exp_with_tail(p, far ? 0.0 : std::fma(y, l.head, -p) + y * l.tail);
  }
  return negative && whole == Parity::kOdd ? -result : result;
}

float pow(float x, float y) { return static_cast<float>(pow(static_cast<double>(x), static_cast<double>(y))); }

}  // namespace modnet::reference
