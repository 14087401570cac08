// Errors of predicted numbers: each metric is computed per output and averaged.
// Tested by tests/unit/metrics/regression_test.cc and tests/parity/metrics_test.cc.
#include "libmod/metrics/regression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

namespace modnet {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

double weight_at(const NumberRows& rows, size_t row) { return rows.weights.empty() ? 1.0 : rows.weights[row]; }

double total_weight(const NumberRows& rows) {
  if (rows.weights.empty()) return static_cast<double>(rows.rows());
  return std::accumulate(rows.weights.begin(), rows.weights.end(), 0.0);
}

// Weighted mean over the rows of f(truth, predicted) for one output.
template <typename F>
double mean_over_rows(const NumberRows& rows, size_t output, F f) {
  const auto m = static_cast<size_t>(rows.outputs);
  double sum = 0;
  for (size_t i = 0; i < static_cast<size_t>(rows.rows()); ++i) {
    sum += weight_at(rows, i) * f(rows.truth[i * m + output], rows.predicted[i * m + output]);
  }
  return sum / total_weight(rows);
}

template <typename F>
double mean_over_outputs(const NumberRows& rows, F f) {
  double sum = 0;
  for (size_t output = 0; output < static_cast<size_t>(rows.outputs); ++output) sum += f(output);
  return sum / static_cast<double>(rows.outputs);
}

double squared_error(const NumberRows& rows, size_t output) {
  return mean_over_rows(rows, output, [](double y, double p) { return (y - p) * (y - p); });
}

// 1 − unexplained/total, where a total of zero counts as explained only when nothing is left.
double share_explained(double unexplained, double total) {
  if (total != 0) return 1 - unexplained / total;
  return unexplained == 0 ? 1.0 : 0.0;
}

double median_error(const NumberRows& rows, size_t output) {
  const auto m = static_cast<size_t>(rows.outputs);
  std::vector<std::pair<double, double>> errors;  // |error|, weight
  for (size_t i = 0; i < static_cast<size_t>(rows.rows()); ++i) {
    const double weight = weight_at(rows, i);
    if (weight > 0) errors.emplace_back(std::fabs(rows.truth[i * m + output] - rows.predicted[i * m + output]), weight);
  }
  std::sort(errors.begin(), errors.end());
  double total = 0;
  for (const auto& [error, weight] : errors) total += weight;
  const double half = total / 2;
  double reached = 0;
  for (size_t i = 0; i < errors.size(); ++i) {
    reached += errors[i].second;
    if (reached < half) continue;
    if (reached - half > kEpsilon || i + 1 == errors.size()) return errors[i].first;
    return (errors[i].first + errors[i + 1].first) / 2;
  }
  return errors.back().first;
}

}  // namespace

Status check_rows(const NumberRows& rows) {
  if (rows.truth.empty()) return invalid("no rows to score", "give data with at least one row that has a target");
  if (rows.outputs < 1 || rows.truth.size() % static_cast<size_t>(rows.outputs) != 0) {
    return invalid("expected rows of " + std::to_string(rows.outputs) + " numbers, got " +
                   std::to_string(rows.truth.size()) + " numbers");
  }
  if (rows.truth.size() != rows.predicted.size()) {
    return invalid("expected as many predictions as targets, got " + std::to_string(rows.predicted.size()) + " and " +
                   std::to_string(rows.truth.size()));
  }
  for (size_t i = 0; i < rows.truth.size(); ++i) {
    if (std::isfinite(rows.truth[i]) && std::isfinite(rows.predicted[i])) continue;
    return invalid("row " + std::to_string(i / static_cast<size_t>(rows.outputs)) + ": a " +
                   (std::isfinite(rows.truth[i]) ? "prediction" : "target") + " that is not finite");
  }
  if (rows.weights.empty()) return ok();
  if (rows.weights.size() != static_cast<size_t>(rows.rows())) {
    return invalid("expected one weight a row, got " + std::to_string(rows.weights.size()) + " for " +
                   std::to_string(rows.rows()) + " rows");
  }
  for (size_t i = 0; i < rows.weights.size(); ++i) {
    if (!(rows.weights[i] >= 0) || !std::isfinite(rows.weights[i])) {
      return invalid("row " + std::to_string(i) + " has a weight that is negative or not finite");
    }
  }
  if (!(total_weight(rows) > 0)) return invalid("weights that sum to zero");
  return ok();
}

double mean_squared_error(const NumberRows& rows) {
  return mean_over_outputs(rows, [&](size_t output) { return squared_error(rows, output); });
}

double root_mean_squared_error(const NumberRows& rows) {
  return mean_over_outputs(rows, [&](size_t output) { return std::sqrt(squared_error(rows, output)); });
}

double mean_absolute_error(const NumberRows& rows) {
  return mean_over_outputs(rows, [&](size_t output) {
    return mean_over_rows(rows, output, [](double y, double p) { return std::fabs(y - p); });
  });
}

double median_absolute_error(const NumberRows& rows) {
  return mean_over_outputs(rows, [&](size_t output) { return median_error(rows, output); });
}

double max_error(const NumberRows& rows) {
  double worst = 0;
  for (size_t i = 0; i < rows.truth.size(); ++i) worst = std::max(worst, std::fabs(rows.truth[i] - rows.predicted[i]));
  return worst;
}

double mean_absolute_percentage_error(const NumberRows& rows) {
  return mean_over_outputs(rows, [&](size_t output) {
    return mean_over_rows(rows, output,
                          [](double y, double p) { return std::fabs(y - p) / std::max(std::fabs(y), kEpsilon); });
  });
}

double r2_score(const NumberRows& rows) {
  if (rows.rows() < 2) return std::numeric_limits<double>::quiet_NaN();
  return mean_over_outputs(rows, [&](size_t output) {
    const double mean = mean_over_rows(rows, output, [](double y, double) { return y; });
    const double total = mean_over_rows(rows, output, [mean](double y, double) { return (y - mean) * (y - mean); });
    return share_explained(squared_error(rows, output), total);
  });
}

double explained_variance(const NumberRows& rows) {
  return mean_over_outputs(rows, [&](size_t output) {
    const double bias = mean_over_rows(rows, output, [](double y, double p) { return y - p; });
    const double mean = mean_over_rows(rows, output, [](double y, double) { return y; });
    const double left =
        mean_over_rows(rows, output, [bias](double y, double p) { return (y - p - bias) * (y - p - bias); });
    const double total = mean_over_rows(rows, output, [mean](double y, double) { return (y - mean) * (y - mean); });
    return share_explained(left, total);
  });
}

}  // namespace modnet
