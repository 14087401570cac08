// Pooling and embedding lookup against obvious loops, on every instruction set.
#include "libmod/compute/pool.h"

#include <doctest/doctest.h>

#include "libmod/compute/gather.h"
#include "libmod/compute/reference/rows.h"
#include "tests/unit/compute/math_cases.h"

namespace modnet::test {
namespace {

const std::vector<int64_t> kOffsets = {0, 1, 1, 4, 20, 37};

std::vector<float> numbers(int64_t count, uint64_t seed) {
  std::vector<float> x(static_cast<size_t>(count));
  Random(seed, 3).fill_normal(0, x.data(), count);
  return x;
}

TEST_CASE("pooling equals the plain form, with and without a mask") {
  for (const int64_t n : {1, 5, 8, 15, 16, 17, 33, 384}) {
    const int64_t total = kOffsets.back(), sequences = static_cast<int64_t>(kOffsets.size()) - 1;
    std::vector<float> x = numbers(total * (n + 3), 1);
    x[static_cast<size_t>(2 * (n + 3))] = std::numeric_limits<float>::quiet_NaN();
    std::vector<uint8_t> mask(static_cast<size_t>(total), 1);
    for (size_t i = 0; i < mask.size(); ++i) mask[i] = i % 3 == 0 || (i >= 1 && i < 4) ? 0 : 1;
    for (const Pooling pooling : {Pooling::kMean, Pooling::kCls, Pooling::kMax}) {
      for (const uint8_t* m : {static_cast<const uint8_t*>(nullptr), static_cast<const uint8_t*>(mask.data())}) {
        std::vector<float> expected(static_cast<size_t>(sequences * n), 9.0f);
        reference::pool_rows(pooling, {x.data(), total, n, n + 3}, kOffsets, m, {expected.data(), sequences, n, n});
        for_each_target([&] {
          INFO("pooling ", static_cast<int>(pooling), ", columns ", n);
          std::vector<float> got(static_cast<size_t>(sequences * n), 7.0f);
          pool_rows(pooling, {x.data(), total, n, n + 3}, kOffsets, m, {got.data(), sequences, n, n});
          CHECK(different_bits(got, expected) == 0);
        });
      }
    }
  }
}

TEST_CASE("a mean is the sum divided by the count, and nothing gives zeros") {
  const std::vector<float> x = {1, 2, 3, 6, 5, 10};
  const std::vector<int64_t> offsets = {0, 3, 3};
  std::vector<float> y(4, 9.0f);
  pool_rows(Pooling::kMean, {x.data(), 3, 2, 2}, offsets, nullptr, {y.data(), 2, 2, 2});
  CHECK(y == std::vector<float>{3, 6, 0, 0});
  const std::vector<uint8_t> mask = {0, 1, 0};
  pool_rows(Pooling::kMax, {x.data(), 3, 2, 2}, offsets, mask.data(), {y.data(), 2, 2, 2});
  CHECK(y == std::vector<float>{3, 6, 0, 0});
  pool_rows(Pooling::kCls, {x.data(), 3, 2, 2}, offsets, mask.data(), {y.data(), 2, 2, 2});
  CHECK(y == std::vector<float>{1, 2, 0, 0});
}

TEST_CASE("looked-up rows are summed in order and normalised") {
  for (const int64_t n : {1, 7, 16, 33, 384}) {
    const std::vector<float> words = numbers(50 * n, 4), places = numbers(20 * n, 5), types = numbers(2 * n, 6);
    const std::vector<int32_t> ids = {3, 49, 0, 7, 7}, at = {0, 1, 2, 19, 4};
    const std::vector<float> gamma = numbers(n, 7), beta = numbers(n, 8);
    const Lookup lookups[] = {
        {{words.data(), 50, n, n}, ids}, {{places.data(), 20, n, n}, at}, {{types.data(), 2, n, n}, {}}};
    std::vector<float> sums(static_cast<size_t>(5 * n)), normed(static_cast<size_t>(5 * n));
    for (size_t r = 0; r < 5; ++r) {
      for (size_t c = 0; c < static_cast<size_t>(n); ++c) {
        const size_t w = static_cast<size_t>(n);
        sums[r * w + c] =
            (words[static_cast<size_t>(ids[r]) * w + c] + places[static_cast<size_t>(at[r]) * w + c]) + types[c];
      }
    }
    reference::layer_norm({sums.data(), 5, n, n}, gamma.data(), beta.data(), 1e-12f, {normed.data(), 5, n, n});
    for_each_target([&] {
      std::vector<float> got(static_cast<size_t>(5 * n));
      gather_sum(lookups, {got.data(), 5, n, n});
      CHECK(different_bits(got, sums) == 0);
      gather_layer_norm(lookups, gamma.data(), beta.data(), 1e-12f, {got.data(), 5, n, n});
      CHECK(different_bits(got, normed) == 0);
    });
  }
}

TEST_CASE("an id outside its table is refused with its place") {
  const std::vector<int32_t> good = {0, 4}, high = {0, 5}, low = {-1};
  CHECK(check_ids(good, 5).ok());
  CHECK(check_ids({}, 0).ok());
  REQUIRE(!check_ids(high, 5).ok());
  CHECK(check_ids(high, 5).error().what == "id 5 at position 1 is not below the table's 5 rows");
  CHECK(!check_ids(low, 5).ok());
}

}  // namespace
}  // namespace modnet::test
