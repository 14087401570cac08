// The report holds the same figures as the single functions, with intervals around them and the baseline beside them.
#include "libmod/metrics/report.h"

#include <doctest/doctest.h>

#include <string>

#include "libmod/compute/random.h"

using namespace modnet;

namespace {

struct Data {
  std::vector<int32_t> truth;
  std::vector<double> p;
  [[nodiscard]] ScoredRows rows(int64_t classes) const { return {truth, p, classes}; }
};

Data draw(int64_t n, int64_t classes) {
  Data out;
  const Random random(5, 1);
  for (int64_t i = 0; i < n; ++i) {
    out.truth.push_back(static_cast<int32_t>(random.below(static_cast<uint64_t>(classes), static_cast<uint64_t>(i))));
    std::vector<double> row;
    double sum = 0;
    for (int64_t c = 0; c < classes; ++c) {
      row.push_back(random.uniform(static_cast<uint64_t>(1000000 + i * classes + c)) +
                    (c == out.truth.back() ? 0.5 : 0));
      sum += row.back();
    }
    for (const double x : row) out.p.push_back(x / sum);
  }
  return out;
}

template <typename Report>
const Figure& figure(const Report& report, std::string_view name) {
  for (const Figure& one : report.figures) {
    if (one.name == name) return one;
  }
  FAIL("no figure ", std::string(name));
  return report.figures.front();
}

}  // namespace

TEST_CASE("the figures of a classification report are those of the single functions") {
  const Data data = draw(400, 7);
  const ScoredRows rows = data.rows(7);
  const ClassificationReport report = classification_report(rows, {}, {200, 1}).value();
  const ClassTotals totals = class_totals(report.confusion);
  CHECK(report.rows == 400);
  CHECK(figure(report, "accuracy").value == doctest::Approx(accuracy(totals)));
  CHECK(figure(report, "macro_f1").value == doctest::Approx(averaged_scores(totals, Average::kMacro).f1));
  CHECK(figure(report, "log_loss").value == doctest::Approx(log_loss(rows)));
  CHECK(figure(report, "brier").value == doctest::Approx(brier_score(rows)));
  CHECK(figure(report, "ece_15").value == doctest::Approx(expected_calibration_error(rows)));
  CHECK(figure(report, "top_5_accuracy").value == doctest::Approx(top_k_accuracy(rows, 5)));
  for (const Figure& one : report.figures) {
    CAPTURE(std::string(one.name));
    REQUIRE(one.interval.has_value());
    CHECK(one.interval->low < one.interval->high);
    if (one.name != "ece_15") CHECK(one.interval->low <= one.value);  // ECE of a resample is biased upwards
    if (one.name != "ece_15") CHECK(one.interval->high >= one.value);
  }
}

TEST_CASE("the baseline answers with the training frequencies where they are known") {
  const std::vector<int32_t> truth = {0, 0, 0, 1};
  const std::vector<double> p = {0.9, 0.1, 0.9, 0.1, 0.2, 0.8, 0.4, 0.6};
  const std::vector<int64_t> training = {1, 3};
  const ClassificationReport own = classification_report({truth, p, 2}, {}, {0, 0}).value();
  const ClassificationReport known = classification_report({truth, p, 2}, training, {0, 0}).value();
  CHECK(own.baseline.label == 0);
  CHECK(figure(own, "accuracy").baseline == 0.75);
  CHECK(known.baseline.label == 1);
  CHECK(figure(known, "accuracy").baseline == 0.25);
  CHECK_FALSE(figure(own, "accuracy").interval.has_value());
}

TEST_CASE("top-5 accuracy is left out where there are at most five classes") {
  const Data data = draw(50, 5);
  const ClassificationReport report = classification_report(data.rows(5), {}, {0, 0}).value();
  for (const Figure& one : report.figures) CHECK(one.name != "top_5_accuracy");
}

TEST_CASE("a regression report repeats the single functions and beats its own baseline on good predictions") {
  std::vector<double> truth;
  std::vector<double> predicted;
  const Random random(9, 2);
  for (uint64_t i = 0; i < 301; ++i) {
    truth.push_back(random.normal(i));
    predicted.push_back(truth.back() + 0.1 * random.normal(1000 + i));
  }
  const NumberRows rows{truth, predicted};
  ThreadPool pool(2);
  const RegressionReport report = regression_report(rows, {}, {200, 4}, &pool).value();
  CHECK(figure(report, "r2").value == doctest::Approx(r2_score(rows)));
  CHECK(figure(report, "median_absolute_error").value == doctest::Approx(median_absolute_error(rows)));
  CHECK(figure(report, "max_error").value == max_error(rows));
  CHECK(figure(report, "rmse").value < *figure(report, "rmse").baseline);
  CHECK(figure(report, "r2").baseline == doctest::Approx(0));
  CHECK(figure(report, "rmse").interval->low < figure(report, "rmse").value);
  CHECK(figure(report, "rmse").interval->high > figure(report, "rmse").value);
}

TEST_CASE("an empty report is refused") {
  CHECK(classification_report({{}, {}, 2}, {}, {10, 0}).error().code == Code::kInvalid);
  CHECK(regression_report({{}, {}}, {}, {10, 0}).error().code == Code::kInvalid);
}
