// Resampling: seeded, independent of threads, and of the right width.
#include "libmod/metrics/bootstrap.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

using namespace modnet;

namespace {

void mean_and_total(std::span<const double> counts, std::span<double> values) {
  double sum = 0;
  for (size_t i = 0; i < counts.size(); ++i) sum += counts[i] * static_cast<double>(i % 2);
  values[0] = sum / static_cast<double>(counts.size());
  values[1] = std::accumulate(counts.begin(), counts.end(), 0.0);
}

}  // namespace

TEST_CASE("every replicate draws as many rows as there are") {
  const std::vector<Interval> intervals = bootstrap(101, 2, {200, 3}, mean_and_total).value();
  CHECK(intervals[1].low == 101);
  CHECK(intervals[1].high == 101);
  CHECK(intervals[1].replicates == 200);
}

TEST_CASE("the interval of a mean is as wide as the normal approximation says") {
  const int64_t n = 4000;
  const std::vector<Interval> intervals = bootstrap(n, 2, {1000, 7}, mean_and_total).value();
  const double half = 1.96 * 0.5 / std::sqrt(static_cast<double>(n));
  CHECK(intervals[0].high - intervals[0].low == doctest::Approx(2 * half).epsilon(0.1));
  CHECK((intervals[0].high + intervals[0].low) / 2 == doctest::Approx(0.5).epsilon(0.01));
}

TEST_CASE("the same seed gives the same interval on one and on three threads, another seed another one") {
  ThreadPool pool(3);
  const std::vector<Interval> alone = bootstrap(500, 2, {300, 11}, mean_and_total).value();
  const std::vector<Interval> threads = bootstrap(500, 2, {300, 11}, mean_and_total, &pool).value();
  const std::vector<Interval> other = bootstrap(500, 2, {300, 12}, mean_and_total).value();
  CHECK(alone[0].low == threads[0].low);
  CHECK(alone[0].high == threads[0].high);
  CHECK((alone[0].low != other[0].low || alone[0].high != other[0].high));
}

TEST_CASE("a replicate on which the figure is undefined is left out and not counted") {
  const auto never = [](std::span<const double> counts, std::span<double> values) {
    values[0] = counts[0] > 0 ? 1.0 : std::numeric_limits<double>::quiet_NaN();
  };
  const std::vector<Interval> some = bootstrap(3, 1, {400, 1}, never).value();
  CHECK(some[0].low == 1);
  CHECK(some[0].replicates < 400);
  CHECK(some[0].replicates > 200);
  const auto nan = [](std::span<const double>, std::span<double> values) { values[0] = NAN; };
  CHECK(std::isnan(bootstrap(3, 1, {10, 1}, nan).value()[0].low));
}

TEST_CASE("no rows and a single replicate are refused") {
  CHECK(bootstrap(0, 2, {100, 1}, mean_and_total).error().code == Code::kInvalid);
  CHECK(bootstrap(5, 2, {1, 1}, mean_and_total).error().code == Code::kInvalid);
}
