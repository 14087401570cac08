// Scaling is measured, drops columns without spread, and folds away.
#include "libmod/train/standardize.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/unit/train/train_cases.h"

using namespace modnet;

TEST_CASE("unit-norm rows are not standardised, others are, and both can be asked for") {
  const std::vector<float> unit = {0.6f, 0.8f, -0.8f, 0.6f};
  const std::vector<float> other = {0.6f, 0.8f, -0.8f, 0.7f};
  CHECK_FALSE(measure_scaling({unit, 2, 2}, {}, Standardize::kAuto).standardized);
  CHECK(measure_scaling({other, 2, 2}, {}, Standardize::kAuto).standardized);
  CHECK(measure_scaling({unit, 2, 2}, {}, Standardize::kYes).standardized);
  CHECK_FALSE(measure_scaling({other, 2, 2}, {}, Standardize::kNo).standardized);
}

TEST_CASE("a standardised column has mean zero and spread one") {
  const std::vector<float> x = {1, 5, 3, 9};
  const Scaling scaling = measure_scaling({x, 2, 2}, {}, Standardize::kYes);
  CHECK(scaling.mean == std::vector<double>{2, 7});
  CHECK(scaling.factor == std::vector<double>{1, 0.5});
}

TEST_CASE("columns with a spread below a millionth of the median are dropped and named") {
  std::vector<float> x;
  for (int i = 0; i < 8; ++i) {
    const auto v = static_cast<float>(i);
    x.insert(x.end(), {v, 0.1f, 2 * v, 1e-7f * v, -v});
  }
  const Scaling scaling = measure_scaling({x, 8, 5}, {}, Standardize::kYes);
  CHECK(scaling.dropped == std::vector<int64_t>{1, 3});
  CHECK(scaling.kept == std::vector<int64_t>{0, 2, 4});
  CHECK(measure_scaling({x, 8, 5}, {}, Standardize::kNo).dropped.empty());
}

TEST_CASE("only the rows named are measured") {
  const std::vector<float> x = {1, 100, 3};
  const std::vector<int64_t> rows = {0, 2};
  CHECK(measure_scaling({x, 3, 1}, rows, Standardize::kYes).mean[0] == 2);
}

TEST_CASE("unscaled weights give the same outputs on raw features, and rescale undoes it") {
  const test::Labelled data = test::labelled(40, 5, 3, 1, 3);
  Scaling scaling = measure_scaling(data.features(), {}, Standardize::kYes);
  const std::vector<double> solved = {1, -2, 0.5, 3, 0.25, 2, 1, 1, -1, 0, 0.1, 0.2, 0.3, 0.4, 0.5};
  const std::vector<double> bias = {0.5, -0.5, 2};
  LinearHead head;
  unscale(scaling, 3, solved, bias, head);
  for (size_t c = 0; c < 3; ++c) {
    double scaled = bias[c];
    double raw = head.bias[c];
    for (size_t j = 0; j < 5; ++j) {
      scaled += solved[c * 5 + j] * (static_cast<double>(data.x[j]) - scaling.mean[j]) * scaling.factor[j];
      raw += head.weights[c * 5 + j] * static_cast<double>(data.x[j]);
    }
    CHECK(raw == doctest::Approx(scaled).epsilon(1e-12));
  }
  const std::vector<double> back = rescale(scaling, head);
  for (size_t i = 0; i < solved.size(); ++i) CHECK(back[i] == doctest::Approx(solved[i]).epsilon(1e-12));
  for (size_t c = 0; c < 3; ++c) CHECK(back[solved.size() + c] == doctest::Approx(bias[c]).epsilon(1e-12));
}

TEST_CASE("a dropped column gets weight zero") {
  const std::vector<float> x = {1, 7, 2, 7, 4, 7};
  const Scaling scaling = measure_scaling({x, 3, 2}, {}, Standardize::kYes);
  LinearHead head;
  unscale(scaling, 1, std::vector<double>{2}, std::vector<double>{0}, head);
  CHECK(head.columns == 2);
  CHECK(head.weights[1] == 0);
  CHECK(head.weights[0] != 0);
}
