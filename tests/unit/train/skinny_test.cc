// Skinny products have the bits of the general product, for both orders of the tall side, on every instruction set.
#include "libmod/compute/skinny.h"

#include <doctest/doctest.h>

#include <vector>

#include "libmod/compute/matmul.h"
#include "libmod/compute/random.h"
#include "libmod/compute/target.h"

using namespace modnet;

namespace {

std::vector<double> draw(int64_t count, uint64_t seed) {
  std::vector<double> out(static_cast<size_t>(count));
  Random(seed, 1).fill_normal(0, out.data(), count);
  return out;
}

}  // namespace

TEST_CASE("a skinny product has the bits of the general one on every instruction set") {
  for (const std::string& target : cpu_targets()) {
    REQUIRE(select_cpu_target(target).ok());
    for (const int64_t n : {1, 5, 8, 12, 16, 20, 24, 32, 40, 64}) {
      const int64_t width = skinny_width(n);
      REQUIRE(width >= n);
      for (const int64_t m : {1, 7, 8, 21}) {
        CAPTURE(target);
        CAPTURE(width);
        CAPTURE(m);
        constexpr int64_t kDepth = 37;
        const std::vector<double> a = draw(m * kDepth, 1);
        const std::vector<double> b = draw(kDepth * width, 2);
        std::vector<double> expected(static_cast<size_t>(m * width));
        matmul<double>({}, m, width, kDepth, a.data(), kDepth, Trans::kNo, b.data(), width, Trans::kNo, expected.data(),
                       width);
        std::vector<double> got(expected.size());
        skinny_product(m, width, kDepth, a.data(), kDepth, 1, b.data(), got.data());
        CHECK(got == expected);
        matmul<double>({}, m, width, kDepth, a.data(), m, Trans::kYes, b.data(), width, Trans::kNo, expected.data(),
                       width);
        got.assign(got.size(), 0.0);
        skinny_product(m, width, kDepth - 10, a.data(), 1, m, b.data(), got.data());
        skinny_product(m, width, 10, a.data() + (kDepth - 10) * m, 1, m, b.data() + (kDepth - 10) * width, got.data());
        CHECK(got == expected);
      }
    }
  }
  REQUIRE(select_cpu_target("").ok());
}

TEST_CASE("no rows and no depth change nothing") {
  std::vector<double> c(8, 1.5);
  skinny_product(1, 8, 0, nullptr, 0, 0, nullptr, c.data());
  skinny_product(0, 8, 3, nullptr, 0, 0, nullptr, nullptr);
  CHECK(c == std::vector<double>(8, 1.5));
}

TEST_CASE("centring and scaling rounds each step once, on every instruction set") {
  const std::vector<float> x = {1.5f, -2, 3, 0.1f, 7, 1e30f, -1, 2, 9, 4, 5};
  const std::vector<double> mean = draw(11, 3);
  const std::vector<double> factor = draw(11, 4);
  for (const std::string& target : cpu_targets()) {
    REQUIRE(select_cpu_target(target).ok());
    std::vector<double> out(11);
    centre_and_scale(x.data(), mean.data(), factor.data(), out.data(), 11);
    for (size_t i = 0; i < 11; ++i) CHECK(out[i] == (static_cast<double>(x[i]) - mean[i]) * factor[i]);
  }
  REQUIRE(select_cpu_target("").ok());
}
