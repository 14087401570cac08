// The figures of `eval`. Per-row losses, bins and hits are computed once; a bootstrap replicate only re-weights them,
// which is what makes a thousand replicates of every figure take a fraction of a second.
// Tested by tests/unit/metrics/report_test.cc.
#include "libmod/metrics/report.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace modnet {
namespace {

constexpr int64_t kBins = 15;
constexpr int64_t kTop = 5;

// Everything about one set of class predictions that does not depend on how often a row counts.
struct ClassificationRows {
  std::span<const int32_t> truth;
  std::vector<int32_t> predicted;
  std::vector<double> loss;
  std::vector<double> brier;
  std::vector<double> confidence;
  std::vector<double> in_top;  // 1 where the true class is among the kTop most probable
  std::vector<int32_t> bin;
  int64_t classes = 0;
};

ClassificationRows classification_rows(const ScoredRows& rows) {
  ClassificationRows out{
      rows.truth,  most_probable(rows.probabilities, rows.classes), log_loss_rows(rows), brier_rows(rows), {}, {}, {},
      rows.classes};
  const auto k = static_cast<size_t>(rows.classes);
  for (size_t i = 0; i < rows.truth.size(); ++i) {
    out.confidence.push_back(rows.probabilities[i * k + static_cast<size_t>(out.predicted[i])]);
    out.bin.push_back(static_cast<int32_t>(calibration_bin(out.confidence.back(), kBins)));
    const ScoredRows one{rows.truth.subspan(i, 1), rows.probabilities.subspan(i * k, k), rows.classes};
    out.in_top.push_back(top_k_accuracy(one, kTop));
  }
  return out;
}

const std::vector<std::string_view>& classification_names() {
  static const std::vector<std::string_view> names = {
      "accuracy",       "balanced_accuracy",    "macro_f1",   "weighted_f1", "micro_f1", "log_loss", "brier", "ece_15",
      "top_5_accuracy", "matthews_correlation", "cohen_kappa"};
  return names;
}

// counts: [n], how often each row counts. values: one a name above.
void classification_values(const ClassificationRows& rows, std::span<const double> counts, std::span<double> values) {
  const auto k = static_cast<size_t>(rows.classes);
  ClassTotals totals{std::vector<double>(k), std::vector<double>(k), std::vector<double>(k)};
  CalibrationBins bins{std::vector<double>(kBins), std::vector<double>(kBins), std::vector<double>(kBins)};
  double total = 0;
  double loss = 0;
  double brier = 0;
  double in_top = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double count = counts[i];
    if (count == 0) continue;
    const auto truth = static_cast<size_t>(rows.truth[i]);
    const auto predicted = static_cast<size_t>(rows.predicted[i]);
    const auto bin = static_cast<size_t>(rows.bin[i]);
    const double right = truth == predicted ? count : 0;
    totals.truth[truth] += count;
    totals.predicted[predicted] += count;
    totals.correct[truth] += right;
    bins.count[bin] += count;
    bins.confidence[bin] += count * rows.confidence[i];
    bins.correct[bin] += right;
    total += count;
    loss += count * rows.loss[i];
    brier += count * rows.brier[i];
    in_top += count * rows.in_top[i];
  }
  const double figures[] = {accuracy(totals),
                            balanced_accuracy(totals),
                            averaged_scores(totals, Average::kMacro).f1,
                            averaged_scores(totals, Average::kWeighted).f1,
                            averaged_scores(totals, Average::kMicro).f1,
                            loss / total,
                            brier / total,
                            expected_calibration_error(bins),
                            in_top / total,
                            matthews_correlation(totals),
                            cohen_kappa(totals)};
  std::copy(std::begin(figures), std::end(figures), values.begin());
}

const std::vector<std::string_view>& regression_names() {
  static const std::vector<std::string_view> names = {
      "r2", "mae", "rmse", "mse", "median_absolute_error", "max_error", "explained_variance"};
  return names;
}

// Rows of numbers with, per output, the rows in order of their absolute error.
struct RegressionRows {
  NumberRows rows;
  std::vector<std::vector<std::pair<double, size_t>>> by_error;  // [outputs][n] (|truth − predicted|, row)
};

RegressionRows regression_rows(const NumberRows& rows) {
  const auto m = static_cast<size_t>(rows.outputs);
  RegressionRows out{rows, std::vector<std::vector<std::pair<double, size_t>>>(m)};
  for (size_t i = 0; i < rows.truth.size(); ++i) {
    out.by_error[i % m].emplace_back(std::fabs(rows.truth[i] - rows.predicted[i]), i / m);
  }
  for (auto& errors : out.by_error) std::sort(errors.begin(), errors.end());
  return out;
}

// median_absolute_error for whole counts, without sorting again.
double median_error(const RegressionRows& scored, std::span<const double> counts) {
  double total = 0;
  for (const double count : counts) total += count;
  double sum = 0;
  for (const auto& errors : scored.by_error) {
    double reached = 0;
    size_t i = 0;
    while (2 * reached < total) reached += counts[errors[i++].second];
    const double at = errors[i - 1].first;
    if (2 * reached == total) {
      while (i < errors.size() && counts[errors[i].second] == 0) ++i;
    }
    sum += 2 * reached == total && i < errors.size() ? (at + errors[i].first) / 2 : at;
  }
  return sum / static_cast<double>(scored.by_error.size());
}

// counts: [n] whole numbers, how often each row counts. values: one a name above.
void regression_values(const RegressionRows& scored, std::span<const double> counts, std::span<double> values) {
  NumberRows weighted = scored.rows;
  weighted.weights = counts;
  double worst = 0;
  const auto m = static_cast<size_t>(weighted.outputs);
  for (size_t i = 0; i < weighted.truth.size(); ++i) {
    if (counts[i / m] > 0) worst = std::max(worst, std::fabs(weighted.truth[i] - weighted.predicted[i]));
  }
  const double figures[] = {
      r2_score(weighted),           mean_absolute_error(weighted), root_mean_squared_error(weighted),
      mean_squared_error(weighted), median_error(scored, counts),  worst,
      explained_variance(weighted)};
  std::copy(std::begin(figures), std::end(figures), values.begin());
}

std::vector<Figure> figures_of(const std::vector<std::string_view>& names, std::span<const double> values,
                               std::span<const Interval> intervals, std::span<const double> baseline) {
  std::vector<Figure> out;
  for (size_t i = 0; i < names.size(); ++i) {
    Figure figure{names[i], values[i], std::nullopt, std::nullopt};
    if (!intervals.empty()) figure.interval = intervals[i];
    if (std::isfinite(baseline[i])) figure.baseline = baseline[i];
    out.push_back(figure);
  }
  return out;
}

}  // namespace

Result<ClassificationReport> classification_report(const ScoredRows& rows, std::span<const int64_t> training_counts,
                                                   const BootstrapOptions& options, ThreadPool* pool) {
  MODNET_TRY(check_rows(rows));
  if (!training_counts.empty() && static_cast<int64_t>(training_counts.size()) != rows.classes) {
    return invalid("expected training counts of " + std::to_string(rows.classes) + " classes, got " +
                   std::to_string(training_counts.size()));
  }
  ClassificationReport out;
  out.rows = rows.rows();
  MODNET_ASSIGN(out.baseline, training_counts.empty() ? majority_baseline(rows.truth, rows.classes)
                                                      : majority_baseline(training_counts));
  const ClassificationRows scored = classification_rows(rows);
  MODNET_ASSIGN(out.confusion, confusion_matrix(rows.truth, scored.predicted, rows.classes));
  const ClassTotals totals = class_totals(out.confusion);
  for (int64_t c = 0; c < rows.classes; ++c) out.per_class.push_back(class_scores(totals, c));

  const std::vector<std::string_view>& names = classification_names();
  const std::vector<double> ones(rows.truth.size(), 1.0);
  std::vector<double> values(names.size());
  classification_values(scored, ones, values);

  // The baseline answers every row with the frequencies, and with the majority class where a class is asked for.
  std::vector<double> constant;
  constant.reserve(rows.probabilities.size());
  for (size_t i = 0; i < rows.truth.size(); ++i) {
    constant.insert(constant.end(), out.baseline.frequency.begin(), out.baseline.frequency.end());
  }
  std::vector<double> baseline(names.size());
  classification_values(classification_rows({rows.truth, constant, rows.classes}), ones, baseline);

  std::vector<Interval> intervals;
  if (options.replicates > 0) {
    const auto statistic = [&](std::span<const double> counts, std::span<double> result) {
      classification_values(scored, counts, result);
    };
    MODNET_ASSIGN(intervals, bootstrap(out.rows, static_cast<int64_t>(names.size()), options, statistic, pool));
  }
  out.figures = figures_of(names, values, intervals, baseline);
  if (rows.classes <= kTop) {
    std::erase_if(out.figures, [](const Figure& figure) { return figure.name == "top_5_accuracy"; });
  }
  return out;
}

Result<RegressionReport> regression_report(const NumberRows& rows, std::span<const double> training_mean,
                                           const BootstrapOptions& options, ThreadPool* pool) {
  MODNET_TRY(check_rows(rows));
  if (!rows.weights.empty()) return invalid("a report takes no sample weights");
  RegressionReport out;
  out.rows = rows.rows();
  if (training_mean.empty()) {
    MODNET_ASSIGN(out.baseline, mean_baseline(rows.truth, rows.outputs));
  } else if (static_cast<int64_t>(training_mean.size()) != rows.outputs) {
    return invalid("expected the training mean of " + std::to_string(rows.outputs) + " outputs, got " +
                   std::to_string(training_mean.size()));
  } else {
    out.baseline.assign(training_mean.begin(), training_mean.end());
  }
  const std::vector<std::string_view>& names = regression_names();
  const std::vector<double> ones(static_cast<size_t>(out.rows), 1.0);
  std::vector<double> values(names.size());
  const RegressionRows scored = regression_rows(rows);
  regression_values(scored, ones, values);

  std::vector<double> constant(rows.truth.size());
  for (size_t i = 0; i < constant.size(); ++i) constant[i] = out.baseline[i % out.baseline.size()];
  std::vector<double> baseline(names.size());
  regression_values(regression_rows({rows.truth, constant, rows.outputs, {}}), ones, baseline);

  std::vector<Interval> intervals;
  if (options.replicates > 0) {
    const auto statistic = [&](std::span<const double> counts, std::span<double> result) {
      regression_values(scored, counts, result);
    };
    MODNET_ASSIGN(intervals, bootstrap(out.rows, static_cast<int64_t>(names.size()), options, statistic, pool));
  }
  out.figures = figures_of(names, values, intervals, baseline);
  return out;
}

}  // namespace modnet
