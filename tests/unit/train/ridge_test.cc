// Ridge meets its normal equations, closed forms and limits.
#include "libmod/train/ridge.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "libmod/train/score.h"
#include "tests/unit/train/train_cases.h"

using namespace modnet;

namespace {

RidgeOptions at(double alpha) {
  RidgeOptions options;
  options.strengths = {alpha};
  options.standardize = Standardize::kNo;
  return options;
}

}  // namespace

TEST_CASE("one centred column has the closed form sum(xy) / (sum(xx) + alpha)") {
  const std::vector<float> x = {-1, 0, 1, 2};
  const std::vector<double> y = {1, 2, 5, 8};
  const LinearHead head = train_ridge({}, {x, 4, 1}, y, 1, at(0.5)).value();
  const double slope = 12.0 / (5 + 0.5);  // Σ(x − ½)(y − 4) = 12, Σ(x − ½)² = 5
  CHECK(head.weights[0] == doctest::Approx(slope).epsilon(1e-12));
  CHECK(head.bias[0] == doctest::Approx(4 - 0.5 * slope).epsilon(1e-12));
}

TEST_CASE("the gradient of the documented objective vanishes, and the objective is reported") {
  const test::Labelled data = test::labelled(150, 6, 3, 1, 31);
  std::vector<double> y;
  const Random random(1, 1);
  for (uint64_t i = 0; i < 300; ++i) y.push_back(random.normal(i) + static_cast<double>(data.x[i]));
  const double alpha = 2;
  const LinearHead head = train_ridge({}, data.features(), y, 2, at(alpha)).value();
  const std::vector<double> predicted = head_outputs({}, data.features(), {}, head);
  double objective = 0;
  for (size_t t = 0; t < 2; ++t) {
    double bias = 0;
    for (size_t i = 0; i < 150; ++i) {
      bias += predicted[i * 2 + t] - y[i * 2 + t];
      objective += std::pow(predicted[i * 2 + t] - y[i * 2 + t], 2);
    }
    CHECK(std::fabs(bias) < 1e-9);
    for (size_t j = 0; j < 6; ++j) {
      double gradient = alpha * head.weights[t * 6 + j];
      objective += alpha * head.weights[t * 6 + j] * head.weights[t * 6 + j];
      for (size_t i = 0; i < 150; ++i)
        gradient += (predicted[i * 2 + t] - y[i * 2 + t]) * static_cast<double>(data.x[i * 6 + j]);
      CHECK(std::fabs(gradient) < 1e-9);
    }
  }
  CHECK(head.report.objective == doctest::Approx(objective).epsilon(1e-10));
}

TEST_CASE("an enormous alpha leaves the mean") {
  const test::Labelled data = test::labelled(50, 3, 2, 1, 32);
  std::vector<double> y(50, 0.0);
  for (size_t i = 0; i < 50; ++i) y[i] = static_cast<double>(i);
  const LinearHead head = train_ridge({}, data.features(), y, 1, at(1e15)).value();
  CHECK(head.bias[0] == doctest::Approx(24.5).epsilon(1e-9));
  for (const double w : head.weights) CHECK(std::fabs(w) < 1e-10);
}

TEST_CASE("a linear target is found again, and the weakest strength is chosen for it") {
  const test::Labelled data = test::labelled(400, 5, 2, 0, 33);
  std::vector<double> y;
  for (size_t i = 0; i < 400; ++i)
    y.push_back(3 + 2 * static_cast<double>(data.x[i * 5]) - static_cast<double>(data.x[i * 5 + 3]));
  RidgeOptions options;
  const LinearHead head = train_ridge({}, data.features(), y, 1, options).value();
  CHECK(head.report.strength == 1e-3);
  CHECK(head.report.path.size() >= 10);
  CHECK(head.report.holdout_rows == 60);
  CHECK(head.weights[0] == doctest::Approx(2).epsilon(1e-4));
  CHECK(head.bias[0] == doctest::Approx(3).epsilon(1e-4));
  CHECK(head.report.path.back().holdout_score > 0.9999);
}

TEST_CASE("a ridge classifier separates separable classes, and has the same bits on three threads") {
  const test::Labelled data = test::labelled(900, 12, 4, 3, 34);
  ThreadPool pool(3);
  const LinearHead one = train_ridge_classifier({}, data.features(), data.y, 4, {}).value();
  const LinearHead three = train_ridge_classifier({&pool, Policy::kPortable}, data.features(), data.y, 4, {}).value();
  CHECK(one.weights == three.weights);
  CHECK(one.bias == three.bias);
  std::vector<int64_t> rows(900);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i);
  const std::vector<double> outputs = head_outputs({}, data.features(), {}, one);
  CHECK(greatest_output_accuracy({outputs, rows, 4}, data.y) > 0.99);
  CHECK(one.report.class_counts.size() == 4);
}

TEST_CASE("two classes give outputs that mirror one another") {
  const test::Labelled data = test::labelled(80, 4, 2, 1, 35);
  const LinearHead head = train_ridge_classifier({}, data.features(), data.y, 2, at(1)).value();
  for (size_t j = 0; j < 4; ++j) CHECK(head.weights[j] == doctest::Approx(-head.weights[4 + j]));
  CHECK(head.bias[0] == doctest::Approx(-head.bias[1]));
}

TEST_CASE("bad targets and strengths are refused") {
  const test::Labelled data = test::labelled(10, 2, 2, 1, 36);
  std::vector<double> y(10, 1.0);
  y[7] = std::numeric_limits<double>::infinity();
  CHECK(train_ridge({}, data.features(), y, 1, at(1)).error().what == "row 7: a target that is not finite");
  CHECK(train_ridge({}, data.features(), std::vector<double>(10), 1, at(0)).error().code == Code::kUsage);
  CHECK(train_ridge_classifier({}, data.features(), data.y, 12, {}).error().code == Code::kInvalid);
}
