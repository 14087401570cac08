// The solver meets the optimality conditions of the objective that it documents, on raw features, and its selection is
// honest.
#include "libmod/train/logistic.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "libmod/train/score.h"
#include "tests/unit/train/train_cases.h"

using namespace modnet;

namespace {

LogisticOptions at(double c, Standardize standardize = Standardize::kNo) {
  LogisticOptions options;
  options.strengths = {c};
  options.standardize = standardize;
  options.tolerance = 1e-15;
  return options;
}

// Gradient of C Σ loss + ½‖W‖² at a head, by plain loops: the greatest absolute entry.
double greatest_gradient(const test::Labelled& data, const LinearHead& head, double c) {
  const auto k = static_cast<size_t>(data.classes);
  const auto d = static_cast<size_t>(data.columns);
  std::vector<double> gradient = head.weights;
  gradient.resize(k * d + k);
  for (size_t i = 0; i < static_cast<size_t>(data.rows); ++i) {
    std::vector<double> p(k);
    double sum = 0;
    for (size_t o = 0; o < k; ++o) {
      double z = head.bias[o];
      for (size_t j = 0; j < d; ++j) z += head.weights[o * d + j] * static_cast<double>(data.x[i * d + j]);
      p[o] = std::exp(z);
      sum += p[o];
    }
    for (size_t o = 0; o < k; ++o) {
      const double residual = c * (p[o] / sum - (static_cast<size_t>(data.y[i]) == o ? 1 : 0));
      for (size_t j = 0; j < d; ++j) gradient[o * d + j] += residual * static_cast<double>(data.x[i * d + j]);
      gradient[k * d + o] += residual;
    }
  }
  double worst = 0;
  for (const double g : gradient) worst = std::max(worst, std::fabs(g));
  return worst;
}

}  // namespace

TEST_CASE("the gradient of the documented objective vanishes at the solution") {
  for (const int64_t classes : {2, 3, 7}) {
    const test::Labelled data = test::labelled(300, 6, classes, 0.7, 10 + static_cast<uint64_t>(classes));
    for (const double c : {0.01, 1.0, 100.0}) {
      CAPTURE(classes);
      CAPTURE(c);
      const LinearHead head = train_logistic({}, data.features(), data.y, classes, at(c)).value();
      CHECK(head.report.converged);
      CHECK(greatest_gradient(data, head, c) < 1e-4 * c * 300 / static_cast<double>(classes));
    }
  }
}

TEST_CASE("a standardised fit is the plain fit of standardised features") {
  test::Labelled data = test::labelled(200, 4, 3, 1, 21);
  for (size_t i = 0; i < data.x.size(); ++i) data.x[i] = data.x[i] * (i % 4 == 1 ? 100.0f : 1.0f) + 3;
  const LinearHead folded = train_logistic({}, data.features(), data.y, 3, at(0.5, Standardize::kYes)).value();
  test::Labelled scaled = data;
  for (size_t j = 0; j < 4; ++j) {
    double mean = 0;
    double square = 0;
    for (size_t i = 0; i < 200; ++i) mean += static_cast<double>(data.x[i * 4 + j]) / 200;
    for (size_t i = 0; i < 200; ++i) square += std::pow(static_cast<double>(data.x[i * 4 + j]) - mean, 2) / 200;
    for (size_t i = 0; i < 200; ++i) {
      scaled.x[i * 4 + j] = static_cast<float>((static_cast<double>(data.x[i * 4 + j]) - mean) / std::sqrt(square));
    }
  }
  const LinearHead plain = train_logistic({}, scaled.features(), data.y, 3, at(0.5)).value();
  CHECK(folded.report.standardized);
  CHECK(folded.report.objective == doctest::Approx(plain.report.objective).epsilon(1e-6));
  const std::vector<double> a = head_outputs({}, data.features(), {}, folded);
  const std::vector<double> b = head_outputs({}, scaled.features(), {}, plain);
  for (size_t i = 0; i < a.size(); ++i) CHECK(a[i] == doctest::Approx(b[i]).epsilon(1e-4));
}

TEST_CASE("separable data converges to finite weights that separate it") {
  const test::Labelled data = test::labelled(200, 8, 4, 10, 5);
  const LinearHead head = train_logistic({}, data.features(), data.y, 4, at(1e4)).value();
  CHECK(head.report.converged);
  const std::vector<double> outputs = head_outputs({}, data.features(), {}, head);
  std::vector<int64_t> rows(200);
  for (size_t i = 0; i < 200; ++i) rows[i] = static_cast<int64_t>(i);
  CHECK(greatest_output_accuracy({outputs, rows, 4}, data.y) == 1);
  for (const double w : head.weights) CHECK(std::isfinite(w));
}

TEST_CASE("heads have the same bits on one and on three threads, with selection and standardisation") {
  const test::Labelled data = test::labelled(3000, 24, 5, 0.4, 6);
  LogisticOptions options;
  options.seed = 3;
  ThreadPool pool(3);
  const LinearHead one = train_logistic({}, data.features(), data.y, 5, options).value();
  const LinearHead three = train_logistic({&pool, Policy::kPortable}, data.features(), data.y, 5, options).value();
  CHECK(one.weights == three.weights);
  CHECK(one.bias == three.bias);
  CHECK(one.report.strength == three.report.strength);
}

TEST_CASE("renaming the classes permutes the head") {
  const test::Labelled data = test::labelled(250, 5, 3, 1, 8);
  std::vector<int32_t> renamed = data.y;
  for (int32_t& label : renamed) label = (label + 1) % 3;
  const LinearHead a = train_logistic({}, data.features(), data.y, 3, at(1)).value();
  const LinearHead b = train_logistic({}, data.features(), renamed, 3, at(1)).value();
  for (size_t c = 0; c < 3; ++c) {
    for (size_t j = 0; j < 5; ++j) {
      CHECK(a.weights[c * 5 + j] == doctest::Approx(b.weights[(c + 1) % 3 * 5 + j]).epsilon(1e-5));
    }
  }
}

TEST_CASE("the path reports every strength and the one with the smallest holdout loss is chosen") {
  const test::Labelled data = test::labelled(600, 10, 3, 0.5, 9);
  int64_t calls = 0;
  const LinearHead head =
      train_logistic({}, data.features(), data.y, 3, {}, [&](std::string_view, int64_t, int64_t) { ++calls; }).value();
  const TrainReport& report = head.report;
  REQUIRE(report.path.size() == default_logistic_strengths().size());
  REQUIRE(report.path.size() >= 10);
  const auto least =
      std::min_element(report.path.begin(), report.path.end(),
                       [](const PathPoint& a, const PathPoint& b) { return a.holdout_loss < b.holdout_loss; });
  CHECK(report.strength == least->strength);
  CHECK(report.holdout_rows > 80);
  CHECK(report.holdout_rows < 100);
  CHECK(report.rows == 600);
  CHECK(calls == static_cast<int64_t>(report.path.size()) + 1);
  CHECK(report.class_counts.size() == 3);
}

TEST_CASE("the chosen strength and the head do not depend on the order in which strengths are named") {
  const test::Labelled data = test::labelled(300, 4, 2, 0.5, 12);
  LogisticOptions up;
  up.strengths = {0.01, 0.1, 1, 10};
  LogisticOptions down = up;
  down.strengths = {10, 1, 1, 0.1, 0.01};
  CHECK(train_logistic({}, data.features(), data.y, 2, up).value().weights ==
        train_logistic({}, data.features(), data.y, 2, down).value().weights);
}

TEST_CASE("a class with one row among thousands is trained on and kept out of the holdout") {
  test::Labelled data = test::labelled(3000, 3, 2, 1, 13);
  for (size_t i = 0; i < data.y.size(); ++i) data.y[i] = i == 1500 ? 1 : 0;
  data.x[1500 * 3] = 12;
  const LinearHead head = train_logistic({}, data.features(), data.y, 2, {}).value();
  CHECK(head.report.converged);
  CHECK(head.report.class_counts == std::vector<int64_t>{2999, 1});
  for (const double w : head.weights) CHECK(std::isfinite(w));
}

TEST_CASE("where every class has one row nothing is held out and the strength nearest to one is taken") {
  const test::Labelled data = test::labelled(4, 3, 4, 1, 14);
  LogisticOptions options;
  options.strengths = {0.001, 0.5, 30};
  const LinearHead head = train_logistic({}, data.features(), data.y, 4, options).value();
  CHECK(head.report.strength == 0.5);
  CHECK(head.report.path.empty());
  CHECK(head.report.holdout_rows == 0);
}

TEST_CASE("a constant column is dropped by name and gets weight zero") {
  test::Labelled data = test::labelled(100, 3, 2, 1, 15);
  for (size_t i = 0; i < 100; ++i) data.x[i * 3 + 1] = 42;
  const LinearHead head = train_logistic({}, data.features(), data.y, 2, at(1, Standardize::kAuto)).value();
  CHECK(head.report.dropped == std::vector<int64_t>{1});
  CHECK(head.weights[1] == 0);
  CHECK(head.weights[4] == 0);
}

TEST_CASE("strengths and options out of range are usage errors, running out of iterations is reported") {
  const test::Labelled data = test::labelled(100, 3, 2, 1, 16);
  LogisticOptions bad = at(-1);
  CHECK(train_logistic({}, data.features(), data.y, 2, bad).error().code == Code::kUsage);
  bad = {};
  bad.holdout_share = 1.5;
  CHECK(train_logistic({}, data.features(), data.y, 2, bad).error().code == Code::kUsage);
  bad = at(1);
  bad.max_iterations = 2;
  CHECK_FALSE(train_logistic({}, data.features(), data.y, 2, bad).value().report.converged);
  CHECK(train_logistic({}, data.features(), data.y, 1, {}).error().code == Code::kInvalid);
}

TEST_CASE("default strengths of standardised features are divided by their columns") {
  const test::Labelled data = test::labelled(300, 10, 3, 0.5, 17);
  const LinearHead head = train_logistic({}, data.features(), data.y, 3, {}).value();
  REQUIRE(head.report.standardized);
  REQUIRE(head.report.path.size() == default_logistic_strengths().size());
  CHECK(head.report.path.back().strength == doctest::Approx(default_logistic_strengths().back() / 10));
}
