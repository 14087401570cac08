// Probability metrics against values worked out by hand.
#include "libmod/metrics/probability.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace modnet;

TEST_CASE("log loss is the mean of minus the logarithm of the true class's probability") {
  const std::vector<int32_t> truth = {0, 1};
  const std::vector<double> p = {0.5, 0.5, 0.25, 0.75};
  const double expected = (std::log(2.0) - std::log(0.75)) / 2;
  CHECK(log_loss({truth, p, 2}) == doctest::Approx(expected).epsilon(1e-14));
}

TEST_CASE("a probability of zero costs the logarithm of the machine epsilon, not infinity") {
  const std::vector<int32_t> truth = {1};
  const std::vector<double> p = {1, 0};
  CHECK(log_loss({truth, p, 2}) == doctest::Approx(52 * std::log(2.0)).epsilon(1e-14));
}

TEST_CASE("the Brier score is two for a certain wrong answer and zero for a certain right one") {
  const std::vector<int32_t> truth = {1, 0};
  const std::vector<double> p = {1, 0, 1, 0};
  const std::vector<double> rows = brier_rows({truth, p, 2});
  CHECK(rows[0] == 2);
  CHECK(rows[1] == 0);
  CHECK(brier_score({truth, p, 2}) == 1);
}

TEST_CASE("a confidence on an edge belongs to the lower bin, zero to the first") {
  CHECK(calibration_bin(0.0, 15) == 0);
  CHECK(calibration_bin(1.0, 15) == 14);
  CHECK(calibration_bin(0.2, 5) == 0);
  CHECK(calibration_bin(0.2000001, 5) == 1);
}

TEST_CASE("calibration error weighs each bin by its rows") {
  const std::vector<double> confidence = {0.9, 0.9, 0.6, 0.6};
  const std::vector<uint8_t> correct = {1, 1, 0, 1};
  const CalibrationBins bins = calibration_bins(confidence, correct, 10);
  CHECK(expected_calibration_error(bins) == doctest::Approx(0.1));
  CHECK(maximum_calibration_error(bins) == doctest::Approx(0.1));
}

TEST_CASE("top-k accuracy grows to one, with ties going to the highest class") {
  const std::vector<int32_t> truth = {0, 2};
  const std::vector<double> p = {0.25, 0.25, 0.5, 0.25, 0.25, 0.5};
  CHECK(top_k_accuracy({truth, p, 3}, 1) == 0.5);
  CHECK(top_k_accuracy({truth, p, 3}, 2) == 0.5);
  CHECK(top_k_accuracy({truth, p, 3}, 3) == 1);
  CHECK(top_k_accuracy({truth, p, 3}, 9) == 1);
}

TEST_CASE("softmax rows sum to one, also for logits far from zero") {
  const std::vector<float> logits = {1e30f, 0, -1e30f, 1, 2, 3};
  const std::vector<double> p = softmax_rows(logits, 3).value();
  CHECK(p[0] == 1);
  CHECK(p[1] == 0);
  CHECK(p[3] + p[4] + p[5] == doctest::Approx(1).epsilon(1e-15));
  CHECK(p[5] == doctest::Approx(1 / (1 + std::exp(-1.0) + std::exp(-2.0))).epsilon(1e-14));
}

TEST_CASE("a logit that is not finite is refused with its row and class") {
  const std::vector<float> logits = {0, 1, std::numeric_limits<float>::quiet_NaN(), 1};
  CHECK(softmax_rows(logits, 2).error().what.find("row 1, class 0") == 0);
}

TEST_CASE("the most probable class is the first of equal ones") {
  const std::vector<double> p = {0.4, 0.4, 0.2, 0, 0.5, 0.5};
  CHECK(most_probable(p, 3) == std::vector<int32_t>{0, 1});
}

TEST_CASE("rows that are no probabilities are refused") {
  const std::vector<int32_t> truth = {0};
  const std::vector<double> sum = {0.5, 0.6};
  const std::vector<double> negative = {-0.5, 1.5};
  const std::vector<double> good = {0.5, 0.5};
  const std::vector<int32_t> outside = {2};
  CHECK(check_rows(ScoredRows{truth, good, 2}).ok());
  CHECK(check_rows(ScoredRows{truth, sum, 2}).error().code == Code::kInvalid);
  CHECK(check_rows(ScoredRows{truth, negative, 2}).error().code == Code::kInvalid);
  CHECK(check_rows(ScoredRows{outside, good, 2}).error().what.find("class 2") != std::string::npos);
  CHECK(check_rows(ScoredRows{truth, good, 1}).error().code == Code::kInvalid);
  CHECK(check_rows(ScoredRows{{}, {}, 2}).error().what == "no rows to score");
}
