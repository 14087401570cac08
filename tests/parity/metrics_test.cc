// Every case of parity/metrics/{classification,regression}.json, and the multiclass probability cases of scores.json.
// A case or an expected key that is not known here fails: nothing is passed over in silence.
#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "libmod/metrics/confusion.h"
#include "libmod/metrics/probability.h"
#include "libmod/metrics/regression.h"
#include "tests/support/skip.h"

using namespace modnet;
using nlohmann::json;

namespace {

// The file's cases, or nothing where the reference cases are not there.
json cases_of(const char* name) {
  const std::optional<std::string> shared = test::shared_dir();
  if (!shared) return {};
  std::ifstream file(*shared + "/parity/metrics/" + name);
  if (!file) return {};
  return json::parse(file).at("cases");
}

double number(const json& value) {
  if (value.is_string()) {
    REQUIRE(value.get<std::string>() == "NaN");
    return std::numeric_limits<double>::quiet_NaN();
  }
  return value.get<double>();
}

void check_number(double got, const json& expected, double tolerance) {
  const double want = number(expected);
  CAPTURE(got);
  CAPTURE(want);
  if (std::isnan(want)) {
    CHECK(std::isnan(got));
  } else {
    CHECK(std::fabs(got - want) <= tolerance * std::max(1.0, std::fabs(want)));
  }
}

bool expects_error(const json& expected) { return expected.is_object() && expected.contains("error"); }

void check_scores(const ClassScores& got, const json& expected, double tolerance) {
  check_number(got.precision, expected.at("precision"), tolerance);
  check_number(got.recall, expected.at("recall"), tolerance);
  check_number(got.f1, expected.at("f1"), tolerance);
}

void check_matrix(const ConfusionMatrix& m, const std::vector<int32_t>& labels, const json& expected,
                  double tolerance) {
  REQUIRE(expected.size() == labels.size());
  for (size_t i = 0; i < labels.size(); ++i) {
    for (size_t j = 0; j < labels.size(); ++j) check_number(m.at(labels[i], labels[j]), expected[i][j], tolerance);
  }
}

void check_per_class(const ClassTotals& totals, const std::vector<int32_t>& labels, const json& expected,
                     double tolerance) {
  for (size_t i = 0; i < labels.size(); ++i) {
    const ClassScores scores = class_scores(totals, labels[i]);
    check_number(scores.precision, expected.at("precision")[i], tolerance);
    check_number(scores.recall, expected.at("recall")[i], tolerance);
    check_number(scores.f1, expected.at("f1")[i], tolerance);
    check_number(scores.support, expected.at("support")[i], tolerance);
  }
}

void check_classification(const json& one) {
  const auto truth = one.at("inputs").at("y_true").get<std::vector<int32_t>>();
  const auto predicted = one.at("inputs").at("y_pred").get<std::vector<int32_t>>();
  const auto labels = one.at("args").at("labels").get<std::vector<int32_t>>();
  const std::vector<double> weights = one.at("inputs").value("sample_weight", std::vector<double>{});
  int32_t classes = 1;
  for (const std::vector<int32_t>* list : {&truth, &predicted, &labels}) {
    for (const int32_t label : *list) classes = std::max(classes, label + 1);
  }
  const Result<ConfusionMatrix> m = confusion_matrix(truth, predicted, classes, weights);
  const double tolerance = one.at("tolerance").get<double>();
  for (const auto& [key, expected] : one.at("expected").items()) {
    CAPTURE(key);
    if (expects_error(expected)) {
      CHECK_FALSE(m.ok());
      continue;
    }
    REQUIRE(m.ok());
    const ClassTotals t = class_totals(m.value());
    if (key == "accuracy")
      check_number(accuracy(t), expected, tolerance);
    else if (key == "balanced_accuracy")
      check_number(balanced_accuracy(t), expected, tolerance);
    else if (key == "confusion_matrix")
      check_matrix(m.value(), labels, expected, tolerance);
    else if (key == "cohen_kappa")
      check_number(cohen_kappa(t), expected, tolerance);
    else if (key == "matthews")
      check_number(matthews_correlation(t), expected, tolerance);
    else if (key == "macro")
      check_scores(averaged_scores(t, Average::kMacro, labels), expected, tolerance);
    else if (key == "micro")
      check_scores(averaged_scores(t, Average::kMicro, labels), expected, tolerance);
    else if (key == "weighted")
      check_scores(averaged_scores(t, Average::kWeighted, labels), expected, tolerance);
    else if (key == "per_class")
      check_per_class(t, labels, expected, tolerance);
    else if (key == "macro_zero_division_1") {
      check_scores(averaged_scores(t, Average::kMacro, labels, ZeroDivision::kOne), expected, tolerance);
    } else {
      FAIL_CHECK("expected value of an unknown kind");
    }
  }
}

// A list of numbers, or of rows of numbers, as one flat list.
std::vector<double> flat(const json& values, int64_t& outputs) {
  std::vector<double> out;
  for (const json& value : values) {
    if (!value.is_array()) {
      out.push_back(number(value));
      continue;
    }
    outputs = static_cast<int64_t>(value.size());
    for (const json& part : value) out.push_back(number(part));
  }
  return out;
}

void check_regression(const json& one) {
  int64_t outputs = 1;
  const std::vector<double> truth = flat(one.at("inputs").at("y_true"), outputs);
  const std::vector<double> predicted = flat(one.at("inputs").at("y_pred"), outputs);
  const std::vector<double> weights = one.at("inputs").value("sample_weight", std::vector<double>{});
  const NumberRows rows{truth, predicted, outputs, weights};
  const double tolerance = one.at("tolerance").get<double>();
  for (const auto& [key, expected] : one.at("expected").items()) {
    CAPTURE(key);
    if (expects_error(expected)) {
      CHECK_FALSE(check_rows(rows).ok());
      continue;
    }
    REQUIRE(check_rows(rows).ok());
    if (expected.is_null()) continue;  // scikit-learn has no such figure for several outputs
    if (key == "mse")
      check_number(mean_squared_error(rows), expected, tolerance);
    else if (key == "rmse")
      check_number(root_mean_squared_error(rows), expected, tolerance);
    else if (key == "mae")
      check_number(mean_absolute_error(rows), expected, tolerance);
    else if (key == "r2")
      check_number(r2_score(rows), expected, tolerance);
    else if (key == "median_absolute_error") {  // the reference was made without the weights
      check_number(median_absolute_error({truth, predicted, outputs}), expected, tolerance);
    } else if (key == "explained_variance")
      check_number(explained_variance(rows), expected, tolerance);
    else if (key == "max_error")
      check_number(max_error(rows), expected, tolerance);
    else if (key == "mape")
      check_number(mean_absolute_percentage_error(rows), expected, tolerance);
    else
      FAIL_CHECK("expected value of an unknown kind");
  }
}

void check_probabilities(const json& one) {
  const auto truth = one.at("inputs").at("y_true").get<std::vector<int32_t>>();
  int64_t classes = 1;
  const std::vector<double> p = flat(one.at("inputs").at("prob"), classes);
  const ScoredRows rows{truth, p, classes};
  REQUIRE(check_rows(rows).ok());
  const std::vector<int32_t> top = most_probable(p, classes);
  std::vector<double> confidence;
  std::vector<uint8_t> correct;
  for (size_t i = 0; i < truth.size(); ++i) {
    confidence.push_back(p[i * static_cast<size_t>(classes) + static_cast<size_t>(top[i])]);
    correct.push_back(top[i] == truth[i] ? 1 : 0);
  }
  const double tolerance = one.at("tolerance").get<double>();
  for (const auto& [key, expected] : one.at("expected").items()) {
    CAPTURE(key);
    if (key == "log_loss")
      check_number(log_loss(rows), expected, tolerance);
    else if (key == "brier_multiclass_sum")
      check_number(brier_score(rows), expected, tolerance);
    else if (key == "brier")
      check_number(brier_score(rows) / 2, expected, tolerance);  // binary: one class's square
    else if (key == "ece_15")
      check_number(expected_calibration_error(rows, 15), expected, tolerance);
    else if (key == "ece_15_torchmetrics")
      check_number(expected_calibration_error(rows, 15), expected, 1e-6);
    else if (key == "mce_15") {
      check_number(maximum_calibration_error(calibration_bins(confidence, correct, 15)), expected, tolerance);
    } else if (key.rfind("top_", 0) == 0) {
      check_number(top_k_accuracy(rows, std::stoll(key.substr(4))), expected, tolerance);
    } else {
      FAIL_CHECK("expected value of an unknown kind");
    }
  }
}

}  // namespace

TEST_CASE("class metrics are scikit-learn's, edge cases included") {
  const json cases = cases_of("classification.json");
  if (cases.is_null()) return test::skip_case("no reference cases");
  CHECK(cases.size() >= 11);
  for (const json& one : cases) {
    CAPTURE(one.at("name").get<std::string>());
    check_classification(one);
  }
}

TEST_CASE("regression metrics are scikit-learn's, edge cases included") {
  const json cases = cases_of("regression.json");
  if (cases.is_null()) return test::skip_case("no reference cases");
  CHECK(cases.size() >= 9);
  for (const json& one : cases) {
    CAPTURE(one.at("name").get<std::string>());
    check_regression(one);
  }
}

TEST_CASE("probability metrics are those of scikit-learn and of their definitions") {
  const json cases = cases_of("scores.json");
  if (cases.is_null()) return test::skip_case("no reference cases");
  int64_t checked = 0;
  for (const json& one : cases) {  // the other cases of the file are of binary ranking and multilabel metrics
    const std::string name = one.at("name").get<std::string>();
    if (name.rfind("prob_", 0) != 0) continue;
    CAPTURE(name);
    check_probabilities(one);
    ++checked;
  }
  CHECK(checked >= 6);
}
