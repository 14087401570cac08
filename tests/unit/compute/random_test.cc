// Philox against its published answers, and what is drawn from it against its distribution.
#include "libmod/compute/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace modnet::test {
namespace {

using Words = std::array<uint32_t, 4>;

TEST_CASE("Philox4x32-10 gives the known answers of Random123") {
  CHECK(philox4x32({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
        Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a draw depends on seed, stream and index only") {
  const Random a(5, 1);
  CHECK(a.bits(17) == Random(5, 1).bits(17));
  CHECK(a.bits(17) != a.bits(18));
  CHECK(a.bits(17) != Random(5, 2).bits(17));
  CHECK(a.bits(17) != Random(6, 1).bits(17));
  CHECK(a.bits(uint64_t{1} << 40) != a.bits(0));
  std::vector<float> all(100), part(40);
  a.fill_normal(0, all.data(), 100);
  a.fill_normal(60, part.data(), 40);
  CHECK(std::equal(part.begin(), part.end(), all.begin() + 60));
  a.fill_uniform(0, all.data(), 100);
  CHECK(all[3] == a.uniform_f32(3));
}

TEST_CASE("uniform draws lie in [0, 1) with the right mean and spread") {
  const Random random(1, 1);
  constexpr int kCount = 100000;
  double total = 0, square = 0;
  for (uint64_t i = 0; i < kCount; ++i) {
    const double u = random.uniform(i);
    const float f = random.uniform_f32(i);
    REQUIRE(u >= 0);
    REQUIRE(u < 1);
    REQUIRE(f >= 0);
    REQUIRE(f < 1);
    total += u, square += u * u;
  }
  CHECK(std::fabs(total / kCount - 0.5) < 0.005);
  CHECK(std::fabs(square / kCount - 1.0 / 3) < 0.005);
}

TEST_CASE("normal draws have the moments and the tails of the normal distribution") {
  const Random random(2, 1);
  constexpr int kCount = 200000;
  double m1 = 0, m2 = 0, m4 = 0;
  int beyond = 0;
  for (uint64_t i = 0; i < kCount; ++i) {
    const double x = random.normal(i);
    m1 += x, m2 += x * x, m4 += x * x * x * x;
    beyond += std::fabs(x) > 1.959964 ? 1 : 0;
  }
  CHECK(std::fabs(m1 / kCount) < 0.01);
  CHECK(std::fabs(m2 / kCount - 1) < 0.02);
  CHECK(std::fabs(m4 / kCount - 3) < 0.15);
  CHECK(std::fabs(static_cast<double>(beyond) / kCount - 0.05) < 0.003);
}

TEST_CASE("the normal quantile inverts the distribution function") {
  CHECK(normal_quantile(0.5) == 0.0);
  CHECK(std::fabs(normal_quantile(0.975) - 1.959963984540054) < 1e-15);
  CHECK(std::fabs(normal_quantile(1e-10) + 6.361340902404056) < 1e-14);
  CHECK(std::isinf(normal_quantile(0)));
  CHECK(std::isinf(normal_quantile(1)));
  CHECK(std::isnan(normal_quantile(1.5)));
  CHECK(std::isnan(normal_quantile(std::nan(""))));
  for (double p = 1e-300; p < 1e-3; p *= 7) {
    const double back = 0.5 * std::erfc(-normal_quantile(p) / std::sqrt(2.0));
    CHECK(std::fabs(back / p - 1) < 1e-12);
  }
  for (int i = 1; i < 1000; ++i) {
    const double p = i / 1000.0;
    CHECK(std::fabs(0.5 * std::erfc(-normal_quantile(p) / std::sqrt(2.0)) - p) < 1e-15);
    CHECK(std::fabs(normal_quantile(p) + normal_quantile(1 - p)) < 1e-12);
  }
}

TEST_CASE("integers below n are all reached and equally often") {
  const Random random(3, 1);
  std::vector<int> count(7);
  for (uint64_t i = 0; i < 70000; ++i) ++count[random.below(7, i)];
  for (const int c : count) CHECK(std::abs(c - 10000) < 500);
  CHECK(random.below(1, 5) == 0);
  const uint64_t large = (uint64_t{1} << 63) + 1;  // half of the draws are refused
  for (uint64_t i = 0; i < 1000; ++i) CHECK(random.below(large, i) < large);
}

TEST_CASE("a permutation has every element once and small ones are equally likely") {
  std::vector<int64_t> order = Random(4, 1).permutation(1000);
  CHECK(!std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  std::vector<int64_t> expected(1000);
  std::iota(expected.begin(), expected.end(), int64_t{0});
  CHECK(order == expected);
  CHECK(Random(4, 1).permutation(0).empty());
  std::vector<int> count(27);
  for (uint32_t seed = 0; seed < 6000; ++seed) {
    const std::vector<int64_t> p = Random(seed, 9).permutation(3);
    ++count[static_cast<size_t>(p[0] * 9 + p[1] * 3 + p[2])];
  }
  int kinds = 0;
  for (const int c : count) {
    if (c == 0) continue;
    ++kinds;
    CHECK(std::abs(c - 1000) < 150);
  }
  CHECK(kinds == 6);
}

}  // namespace
}  // namespace modnet::test
