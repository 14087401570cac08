// Philox4x32-10 and what is drawn from it. Tested by tests/unit/compute/random_test.cc.
#include "libmod/compute/random.h"

#include <cmath>
#include <limits>
#include <utility>

#include "libmod/compute/reference/math.h"

namespace modnet {
namespace {

/// Coefficients of PPND16, constant term first: numerator and denominator of each of the three ranges.
constexpr double kCentreTop[] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                 1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                 3.3430575583588128105e+4, 2.5090809287301226727e+3};
constexpr double kCentreBottom[] = {1.0,
                                    4.2313330701600911252e+1,
                                    6.8718700749205790830e+2,
                                    5.3941960214247511077e+3,
                                    2.1213794301586595867e+4,
                                    3.9307895800092710610e+4,
                                    2.8729085735721942674e+4,
                                    5.2264952788528545610e+3};
constexpr double kMiddleTop[] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                 3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                 2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr double kMiddleBottom[] = {1.0,
                                    2.05319162663775882187e0,
                                    1.67638483018380384940e0,
                                    6.89767334985100004550e-1,
                                    1.48103976427480074590e-1,
                                    1.51986665636164571966e-2,
                                    5.47593808499534494600e-4,
                                    1.05075007164441684324e-9};
constexpr double kTailTop[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                               2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                               2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr double kTailBottom[] = {1.0,
                                  5.99832206555887937690e-1,
                                  1.36929880922735805310e-1,
                                  1.48753612908506148525e-2,
                                  7.86869131145613259100e-4,
                                  1.84631831751005468180e-5,
                                  1.42151175831644588870e-7,
                                  2.04426310338993978564e-15};

double poly(double x, const double (&a)[8]) {
  double p = a[7];
  for (int i = 6; i >= 0; --i) p = std::fma(p, x, a[i]);
  return p;
}

uint64_t joined(uint32_t low, uint32_t high) { return (static_cast<uint64_t>(high) << 32) | low; }

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

std::array<uint32_t, 4> Random::block(uint64_t index, uint32_t attempt) const {
  return philox4x32({static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), stream_, attempt},
                    {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
}

uint64_t Random::bits(uint64_t index) const {
  const std::array<uint32_t, 4> b = block(index, 0);
  return joined(b[0], b[1]);
}

double Random::uniform(uint64_t index) const { return static_cast<double>(bits(index) >> 11) * 0x1p-53; }
float Random::uniform_f32(uint64_t index) const { return static_cast<float>(bits(index) >> 40) * 0x1p-24f; }
double Random::normal(uint64_t index) const {
  return normal_quantile((static_cast<double>(bits(index) >> 12) + 0.5) * 0x1p-52);
}

uint64_t Random::below(uint64_t n, uint64_t index) const {
  const uint64_t refused = (0 - n) % n;  // 2^64 mod n
  for (uint32_t attempt = 0;; ++attempt) {
    const std::array<uint32_t, 4> b = block(index, attempt);
    const unsigned __int128 product = static_cast<unsigned __int128>(joined(b[0], b[1])) * n;
    if (static_cast<uint64_t>(product) >= refused) return static_cast<uint64_t>(product >> 64);
  }
}

std::vector<int64_t> Random::permutation(int64_t n) const {
  std::vector<int64_t> order(static_cast<size_t>(n < 0 ? 0 : n));
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int64_t>(i);
  for (size_t i = order.size(); i-- > 1;) std::swap(order[i], order[below(i + 1, i)]);
  return order;
}

void Random::fill_uniform(uint64_t first, float* out, int64_t n) const {
  for (int64_t i = 0; i < n; ++i) out[i] = uniform_f32(first + static_cast<uint64_t>(i));
}
void Random::fill_normal(uint64_t first, float* out, int64_t n) const {
  for (int64_t i = 0; i < n; ++i) out[i] = static_cast<float>(normal(first + static_cast<uint64_t>(i)));
}
void Random::fill_normal(uint64_t first, double* out, int64_t n) const {
  for (int64_t i = 0; i < n; ++i) out[i] = normal(first + static_cast<uint64_t>(i));
}

double normal_quantile(double p) {
  if (!(p > 0.0 && p < 1.0)) {
    if (p == 0.0) return -std::numeric_limits<double>::infinity();
    if (p == 1.0) return std::numeric_limits<double>::infinity();
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double q = p - 0.5;
  if (std::fabs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * poly(r, kCentreTop) / poly(r, kCentreBottom);
  }
  const double r = std::sqrt(-reference::log(q < 0.0 ? p : 1.0 - p));
  const double x = r <= 5.0 ? poly(r - 1.6, kMiddleTop) / poly(r - 1.6, kMiddleBottom)
                            : poly(r - 5.0, kTailTop) / poly(r - 5.0, kTailBottom);
  return q < 0.0 ? -x : x;
}

}  // namespace modnet
