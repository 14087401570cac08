// Metrics that follow from the confusion matrix: sums over its rows, columns and diagonal.
// Tested by tests/unit/metrics/confusion_test.cc and tests/parity/metrics_test.cc.
#include "libmod/metrics/confusion.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace modnet {
namespace {

double sum_of(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

double ratio(double numerator, double denominator, ZeroDivision zero) {
  if (denominator == 0) return zero == ZeroDivision::kOne ? 1.0 : 0.0;
  return numerator / denominator;
}

ClassScores scores_of(double tp, double truth, double predicted, ZeroDivision zero) {
  return {ratio(tp, predicted, zero), ratio(tp, truth, zero), ratio(2 * tp, truth + predicted, zero), truth};
}

}  // namespace

ClassTotals class_totals(const ConfusionMatrix& m) {
  const auto k = static_cast<size_t>(m.classes);
  ClassTotals out{std::vector<double>(k), std::vector<double>(k), std::vector<double>(k)};
  for (size_t i = 0; i < k; ++i) {
    for (size_t j = 0; j < k; ++j) {
      out.truth[i] += m.cells[i * k + j];
      out.predicted[j] += m.cells[i * k + j];
    }
    out.correct[i] = m.cells[i * k + i];
  }
  return out;
}

Result<ConfusionMatrix> confusion_matrix(std::span<const int32_t> truth, std::span<const int32_t> predicted,
                                         int64_t classes, std::span<const double> weights) {
  if (truth.empty()) return invalid("no rows to score", "give data with at least one labelled row");
  if (truth.size() != predicted.size()) {
    return invalid("expected as many predictions as labels, got " + std::to_string(predicted.size()) + " and " +
                   std::to_string(truth.size()));
  }
  if (!weights.empty() && weights.size() != truth.size()) {
    return invalid("expected one weight a row, got " + std::to_string(weights.size()) + " for " +
                   std::to_string(truth.size()) + " rows");
  }
  if (classes < 1) return invalid("expected at least one class, got " + std::to_string(classes));
  ConfusionMatrix m{classes, {}};
  m.cells.assign(static_cast<size_t>(classes) * static_cast<size_t>(classes), 0.0);
  for (size_t i = 0; i < truth.size(); ++i) {
    for (const int32_t label : {truth[i], predicted[i]}) {
      if (label < 0 || label >= classes) {
        return invalid("row " + std::to_string(i) + " has class " + std::to_string(label) + ", expected 0 to " +
                       std::to_string(classes - 1));
      }
    }
    const double weight = weights.empty() ? 1.0 : weights[i];
    if (!(weight >= 0) || !std::isfinite(weight)) {
      return invalid("row " + std::to_string(i) + " has a weight that is negative or not finite");
    }
    m.cells[static_cast<size_t>(truth[i] * classes + predicted[i])] += weight;
  }
  return m;
}

ClassScores class_scores(const ClassTotals& t, int64_t label, ZeroDivision zero) {
  const auto c = static_cast<size_t>(label);
  return scores_of(t.correct[c], t.truth[c], t.predicted[c], zero);
}

ClassScores averaged_scores(const ClassTotals& t, Average average, std::span<const int32_t> labels, ZeroDivision zero) {
  const size_t count = labels.empty() ? t.truth.size() : labels.size();
  ClassScores pooled;  // precision: correct, recall: predicted, support: truth
  ClassScores out;
  double weight_sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t c = labels.empty() ? i : static_cast<size_t>(labels[i]);
    pooled.precision += t.correct[c];
    pooled.recall += t.predicted[c];
    pooled.support += t.truth[c];
    const ClassScores one = scores_of(t.correct[c], t.truth[c], t.predicted[c], zero);
    const double weight = average == Average::kWeighted ? one.support : 1.0;
    out.precision += weight * one.precision;
    out.recall += weight * one.recall;
    out.f1 += weight * one.f1;
    weight_sum += weight;
  }
  if (average == Average::kMicro) return scores_of(pooled.precision, pooled.support, pooled.recall, zero);
  return {ratio(out.precision, weight_sum, zero), ratio(out.recall, weight_sum, zero), ratio(out.f1, weight_sum, zero),
          pooled.support};
}

double accuracy(const ClassTotals& t) { return sum_of(t.correct) / sum_of(t.truth); }

double balanced_accuracy(const ClassTotals& t) {
  double recalls = 0;
  double seen = 0;
  for (size_t c = 0; c < t.truth.size(); ++c) {
    if (t.truth[c] == 0) continue;
    recalls += t.correct[c] / t.truth[c];
    seen += 1;
  }
  return recalls / seen;
}

double cohen_kappa(const ClassTotals& t) {
  // Disagreement expected by chance is Σ truth_i · Σ_{j≠i} predicted_j: sums of non-negative terms from both sides, so
  // it is exactly zero when a single class is all there is.
  std::vector<double> after(t.predicted.size() + 1);
  for (size_t c = t.predicted.size(); c-- > 0;) after[c] = after[c + 1] + t.predicted[c];
  double before = 0;
  double chance = 0;
  double disagree = 0;
  for (size_t c = 0; c < t.truth.size(); ++c) {
    chance += t.truth[c] * t.predicted[c];
    disagree += t.truth[c] * (before + after[c + 1]);
    before += t.predicted[c];
  }
  if (disagree == 0) return std::numeric_limits<double>::quiet_NaN();
  return (sum_of(t.correct) * sum_of(t.truth) - chance) / disagree;
}

double matthews_correlation(const ClassTotals& t) {
  const double total = sum_of(t.truth);
  double both = 0;
  double truth = 0;
  double predicted = 0;
  for (size_t c = 0; c < t.truth.size(); ++c) {
    both += t.truth[c] * t.predicted[c];
    truth += t.truth[c] * t.truth[c];
    predicted += t.predicted[c] * t.predicted[c];
  }
  const double product = (total * total - predicted) * (total * total - truth);
  if (product <= 0) return 0;
  return (sum_of(t.correct) * total - both) / std::sqrt(product);
}

}  // namespace modnet
