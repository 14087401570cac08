// The portable elementary functions: the same bits on every instruction set as the plain form, and close to the exact
// values.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "libmod/compute/elementwise.h"
#include "libmod/compute/reference/math.h"
#include "tests/unit/compute/math_cases.h"

namespace modnet::test {
namespace {

struct Function {
  const char* name;
  UnaryOp op;
  float (*single)(float);
  double (*wide)(double);
  long double (*exact)(long double);
  double ulp;  // allowed error, f32 and f64
};

long double exact_sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }
long double exact_exp(long double x) { return std::exp(x); }
long double exact_log(long double x) { return std::log(x); }
long double exact_sin(long double x) { return std::sin(x); }
long double exact_cos(long double x) { return std::cos(x); }
long double exact_tanh(long double x) { return std::tanh(x); }
long double exact_erf(long double x) { return std::erf(x); }

const Function kFunctions[] = {
    {"exp", UnaryOp::kExp, reference::exp, reference::exp, exact_exp, 1.1},
    {"log", UnaryOp::kLog, reference::log, reference::log, exact_log, 1.0},
    {"sin", UnaryOp::kSin, reference::sin, reference::sin, exact_sin, 1.0},
    {"cos", UnaryOp::kCos, reference::cos, reference::cos, exact_cos, 1.0},
    {"tanh", UnaryOp::kTanh, reference::tanh, reference::tanh, exact_tanh, 2.0},
    {"erf", UnaryOp::kErf, reference::erf, reference::erf, exact_erf, 2.0},
    {"sigmoid", UnaryOp::kSigmoid, reference::sigmoid, reference::sigmoid, exact_sigmoid, 2.5},
    {"gelu", UnaryOp::kGelu, reference::gelu, reference::gelu, nullptr, 0},
    {"gelu_tanh", UnaryOp::kGeluTanh, reference::gelu_tanh, reference::gelu_tanh, nullptr, 0},
    {"softplus", UnaryOp::kSoftplus, reference::softplus, reference::softplus, nullptr, 0},
};

template <typename T>
T plain(const Function& f, T x) {
  if constexpr (sizeof(T) == 4) {
    return f.single(x);
  } else {
    return f.wide(x);
  }
}

template <typename T>
void check_bits(const Function& f, int64_t count) {
  const std::vector<T> x = samples<T>(count);
  std::vector<T> expected(x.size()), got(x.size());
  for (size_t i = 0; i < x.size(); ++i) expected[i] = plain(f, x[i]);
  for_each_target([&] {
    INFO("function ", std::string(f.name), ", ", sizeof(T), " bytes");
    unary(f.op, x.data(), got.data(), static_cast<int64_t>(x.size()));
    CHECK(different_bits(got, expected) == 0);
  });
}

template <typename T, typename Wide>
double worst_ulp(const Function& f, int64_t count, double* where) {
  double worst = 0;
  for (const T x : samples<T>(count)) {
    const double d = ulp_distance<T, Wide>(plain(f, x), static_cast<Wide>(f.exact(static_cast<long double>(x))));
    if (!(d <= worst)) worst = d, *where = static_cast<double>(x);
  }
  return worst;
}

TEST_CASE("every instruction set gives the plain form's bits, f32") {
  for (const Function& f : kFunctions) check_bits<float>(f, 120000);
}

TEST_CASE("every instruction set gives the plain form's bits, f64") {
  for (const Function& f : kFunctions) check_bits<double>(f, 120000);
}

TEST_CASE("functions are close to the exact values over the whole range") {
  for (const Function& f : kFunctions) {
    if (f.exact == nullptr) continue;
    double where = 0;
    const double single = worst_ulp<float, double>(f, 400000, &where);
    INFO(std::string(f.name), " f32: ", single, " ulp at ", where);
    CHECK(single <= f.ulp);
    const double wide = worst_ulp<double, long double>(f, 400000, &where);
    INFO(std::string(f.name), " f64: ", wide, " ulp at ", where);
    CHECK(wide <= f.ulp);
  }
}

TEST_CASE("an element's bits do not depend on its place or the array's length") {
  const std::vector<float> x = samples<float>(200);
  for (const Function& f : kFunctions) {
    for_each_target([&] {
      for (int64_t n = 0; n <= 67; ++n) {
        std::vector<float> y(static_cast<size_t>(n) + 1, 7.0f), expected(static_cast<size_t>(n) + 1, 7.0f);
        for (int64_t i = 0; i < n; ++i) expected[static_cast<size_t>(i)] = f.single(x[static_cast<size_t>(i + n)]);
        unary(f.op, x.data() + n, y.data(), n);
        REQUIRE(different_bits(y, expected) == 0);
      }
    });
  }
}

TEST_CASE("special values come out as IEEE 754 says") {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  CHECK(reference::exp(0.0) == 1.0);
  CHECK(reference::exp(-kInf) == 0.0);
  CHECK(reference::exp(kInf) == kInf);
  CHECK(reference::log(1.0) == 0.0);
  CHECK(!std::signbit(reference::log(1.0)));
  CHECK(reference::log(0.0) == -kInf);
  CHECK(reference::log(-0.0f) == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(reference::log(-1.0)));
  CHECK(std::signbit(reference::sin(-0.0)));
  CHECK(std::signbit(reference::tanh(-0.0f)));
  CHECK(std::signbit(reference::erf(-0.0)));
  CHECK(reference::cos(0.0f) == 1.0f);
  CHECK(reference::tanh(kInf) == 1.0);
  CHECK(reference::erf(-kInf) == -1.0);
  CHECK(std::isnan(reference::sin(kInf)));
  CHECK(reference::sigmoid(-kInf) == 0.0);
  CHECK(reference::sigmoid(200.0f) == 1.0f);
  const float nan_with_payload = std::bit_cast<float>(0xffc12345u);
  for (const Function& f : kFunctions) {
    INFO(std::string(f.name));
    CHECK(std::bit_cast<uint32_t>(f.single(nan_with_payload)) == 0x7fc00000u);
    CHECK(std::bit_cast<uint64_t>(f.wide(-std::numeric_limits<double>::quiet_NaN())) == 0x7ff8000000000000u);
  }
}

TEST_CASE("huge angles are reduced exactly") {
  const Random random(7, 1);
  double worst = 0;
  for (uint64_t i = 0; i < 20000; ++i) {
    const double x = std::bit_cast<double>((random.bits(i) & 0x000fffffffffffffu) | ((1043 + i % 1000) << 52));
    worst = std::max(worst, ulp_distance<double, long double>(reference::sin(x), sinl(x)));
    worst = std::max(worst, ulp_distance<double, long double>(reference::cos(-x), cosl(-x)));
  }
  CHECK(worst <= 1.0);
  // 6381956970095103 * 2^797 is the double closest to a multiple of pi / 2.
  const double hard = std::ldexp(6381956970095103.0, 797);
  CHECK(ulp_distance<double, long double>(reference::cos(hard), cosl(hard)) <= 1.0);
}

TEST_CASE("pow is close to the exact value and knows the special cases") {
  const Random random(8, 1);
  double worst = 0, worst_single = 0;
  for (uint64_t i = 0; i < 200000; ++i) {
    const double u = random.uniform(3 * i), v = random.uniform(3 * i + 1) * 2 - 1;
    const double x = i % 3 == 0 ? u * 10 : i % 3 == 1 ? 1 + (u - 0.5) * 1e-3 : std::ldexp(u, static_cast<int>(v * 300));
    const double y = i % 3 == 0 ? v * 300 : i % 3 == 1 ? v * 3e5 : v * 3;
    worst = std::max(worst, ulp_distance<double, long double>(reference::pow(x, y), powl(x, y)));
    const float xs = static_cast<float>(x), ys = static_cast<float>(y);
    worst_single =
        std::max(worst_single, ulp_distance<float, double>(reference::pow(xs, ys),
                                                           std::pow(static_cast<double>(xs), static_cast<double>(ys))));
  }
  CHECK(worst <= 1.5);
  CHECK(worst_single <= 1.0);
  for (const double x : edge_values<double>()) {
    for (const double y :
         {0.0, -0.0, 1.0, 2.0, 3.0, -1.0, -3.0, 0.5, -0.5, 1e300, -1e300, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
      INFO(x, " to the power ", y);
      CHECK(ulp_distance<double, long double>(reference::pow(x, y), powl(x, y)) <= 1.0);
      CHECK((std::isnan(std::pow(x, y)) || std::signbit(reference::pow(x, y)) == std::signbit(std::pow(x, y))));
    }
  }
}

TEST_CASE("log1p, expm1 and softplus keep small arguments") {
  const Random random(9, 1);
  double log_worst = 0, exp_worst = 0, soft_worst = 0;
  for (uint64_t i = 0; i < 100000; ++i) {
    const double x = (random.uniform(i) * 2 - 1) * std::ldexp(1.0, -static_cast<int>(i % 60)) * 0.9;
    log_worst = std::max(log_worst, ulp_distance<double, long double>(reference::log1p(x), log1pl(x)));
    exp_worst = std::max(exp_worst, ulp_distance<double, long double>(reference::expm1(x), expm1l(x)));
    const double z = (random.uniform(i) * 2 - 1) * 40;
    soft_worst = std::max(soft_worst, ulp_distance<double, long double>(
                                          reference::softplus(z), std::max(z, 0.0) + log1pl(expl(-std::fabs(z)))));
  }
  CHECK(log_worst <= 2.0);
  CHECK(exp_worst <= 4.0);
  CHECK(soft_worst <= 4.0);
}

}  // namespace
}  // namespace modnet::test
