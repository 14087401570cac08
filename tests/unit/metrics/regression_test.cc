// Regression metrics against values worked out by hand.
#include "libmod/metrics/regression.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace modnet;

namespace {
const std::vector<double> kTruth = {1, 2, 3, 4};
const std::vector<double> kPredicted = {1, 2, 4, 8};
}  // namespace

TEST_CASE("errors of four rows") {
  const NumberRows rows{kTruth, kPredicted};
  CHECK(mean_squared_error(rows) == 4.25);
  CHECK(root_mean_squared_error(rows) == doctest::Approx(std::sqrt(4.25)));
  CHECK(mean_absolute_error(rows) == 1.25);
  CHECK(median_absolute_error(rows) == 0.5);
  CHECK(max_error(rows) == 4);
  CHECK(r2_score(rows) == doctest::Approx(1 - 17.0 / 5));
  CHECK(explained_variance(rows) == doctest::Approx(1 - (17.0 / 4 - 1.25 * 1.25) / 1.25));
}

TEST_CASE("R2 of the mean is zero, of the truth one, of one row not a number") {
  const std::vector<double> mean(4, 2.5);
  CHECK(r2_score({kTruth, mean}) == 0);
  CHECK(r2_score({kTruth, kTruth}) == 1);
  CHECK(std::isnan(r2_score({std::span(kTruth).first(1), std::span(kTruth).first(1)})));
}

TEST_CASE("weights are repetitions") {
  const std::vector<double> weights = {1, 0, 2, 1};
  const std::vector<double> truth = {1, 3, 3, 4};
  const std::vector<double> predicted = {1, 4, 4, 8};
  const NumberRows weighted{kTruth, kPredicted, 1, weights};
  const NumberRows repeated{truth, predicted};
  CHECK(mean_squared_error(weighted) == doctest::Approx(mean_squared_error(repeated)));
  CHECK(median_absolute_error(weighted) == doctest::Approx(median_absolute_error(repeated)));
  CHECK(r2_score(weighted) == doctest::Approx(r2_score(repeated)));
}

TEST_CASE("several outputs are averaged") {
  const std::vector<double> truth = {0, 0, 0, 0};
  const std::vector<double> predicted = {1, 3, 1, 3};
  CHECK(root_mean_squared_error({truth, predicted, 2}) == 2);
  CHECK(mean_squared_error({truth, predicted, 2}) == 5);
}

TEST_CASE("a value that is not finite is refused with its row") {
  const std::vector<double> bad = {1, 2, std::numeric_limits<double>::quiet_NaN(), 4};
  CHECK(check_rows(NumberRows{bad, kTruth}).error().what == "row 2: a target that is not finite");
  CHECK(check_rows(NumberRows{kTruth, bad}).error().what == "row 2: a prediction that is not finite");
  CHECK(check_rows(NumberRows{{}, {}}).error().what == "no rows to score");
  CHECK(check_rows(NumberRows{kTruth, std::span(kTruth).first(3)}).error().code == Code::kInvalid);
}
