// Metrics of predicted probabilities: per-row losses first, so that bootstrap replicates only re-weight them.
// Tested by tests/unit/metrics/probability_test.cc and tests/parity/metrics_test.cc.
#include "libmod/metrics/probability.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "libmod/compute/elementwise.h"

namespace modnet {
namespace {

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

Status check_rows(const ScoredRows& rows) {
  if (rows.truth.empty()) return invalid("no rows to score", "give data with at least one labelled row");
  if (rows.classes < 1) return invalid("expected at least one class, got " + std::to_string(rows.classes));
  const auto k = static_cast<size_t>(rows.classes);
  if (rows.probabilities.size() / k != rows.truth.size() || rows.probabilities.size() % k != 0) {
    return invalid("expected " + std::to_string(rows.truth.size()) + " rows of " + std::to_string(k) +
                   " probabilities, got " + std::to_string(rows.probabilities.size()) + " numbers");
  }
  for (size_t i = 0; i < rows.truth.size(); ++i) {
    if (rows.truth[i] < 0 || rows.truth[i] >= rows.classes) {
      return invalid("row " + std::to_string(i) + " has class " + std::to_string(rows.truth[i]) + ", expected 0 to " +
                     std::to_string(rows.classes - 1));
    }
    double sum = 0;
    for (size_t c = 0; c < k; ++c) {
      const double p = rows.probabilities[i * k + c];
      if (!(p >= 0 && p <= 1)) {
        return invalid("row " + std::to_string(i) + ", class " + std::to_string(c) + ": a probability outside 0 to 1");
      }
      sum += p;
    }
    if (std::fabs(sum - 1) > 1e-4) {
      return invalid("row " + std::to_string(i) + ": probabilities that do not sum to 1");
    }
  }
  return ok();
}

Result<std::vector<double>> softmax_rows(std::span<const float> logits, int64_t classes) {
  if (classes < 1 || logits.size() % static_cast<size_t>(classes) != 0) {
    return invalid("expected rows of " + std::to_string(classes) + " logits, got " + std::to_string(logits.size()) +
                   " numbers");
  }
  const auto k = static_cast<size_t>(classes);
  std::vector<double> out(logits.size());
  for (size_t row = 0; row < logits.size(); row += k) {
    float top = logits[row];
    for (size_t c = 0; c < k; ++c) {
      if (!std::isfinite(logits[row + c])) {
        return invalid("row " + std::to_string(row / k) + ", class " + std::to_string(c) +
                       ": a logit that is not finite");
      }
      if (logits[row + c] > top) top = logits[row + c];
    }
    for (size_t c = 0; c < k; ++c) out[row + c] = static_cast<double>(logits[row + c]) - static_cast<double>(top);
  }
  unary(UnaryOp::kExp, out.data(), out.data(), static_cast<int64_t>(out.size()));
  for (size_t row = 0; row < out.size(); row += k) {
    double sum = 0;
    for (size_t c = 0; c < k; ++c) sum += out[row + c];
    for (size_t c = 0; c < k; ++c) out[row + c] /= sum;
  }
  return out;
}

std::vector<int32_t> most_probable(std::span<const double> probabilities, int64_t classes) {
  const auto k = static_cast<size_t>(classes);
  std::vector<int32_t> out(probabilities.size() / k);
  for (size_t i = 0; i < out.size(); ++i) {
    const std::span<const double> row = probabilities.subspan(i * k, k);
    out[i] = static_cast<int32_t>(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return out;
}

std::vector<double> log_loss_rows(const ScoredRows& rows) {
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  std::vector<double> out(rows.truth.size());
  for (size_t i = 0; i < out.size(); ++i) {
    const double p = rows.probabilities[i * static_cast<size_t>(rows.classes) + static_cast<size_t>(rows.truth[i])];
    out[i] = std::clamp(p, kEpsilon, 1 - kEpsilon);
  }
  unary(UnaryOp::kLog, out.data(), out.data(), static_cast<int64_t>(out.size()));
  for (double& loss : out) loss = -loss;
  return out;
}

double log_loss(const ScoredRows& rows) { return mean_of(log_loss_rows(rows)); }

std::vector<double> brier_rows(const ScoredRows& rows) {
  const auto k = static_cast<size_t>(rows.classes);
  std::vector<double> out(rows.truth.size());
  for (size_t i = 0; i < out.size(); ++i) {
    double sum = 0;
    for (size_t c = 0; c < k; ++c) {
      const double miss = rows.probabilities[i * k + c] - (static_cast<size_t>(rows.truth[i]) == c ? 1.0 : 0.0);
      sum += miss * miss;
    }
    out[i] = sum;
  }
  return out;
}

double brier_score(const ScoredRows& rows) { return mean_of(brier_rows(rows)); }

int64_t calibration_bin(double confidence, int64_t bins) {
  const auto bin = static_cast<int64_t>(std::ceil(confidence * static_cast<double>(bins))) - 1;
  return std::clamp<int64_t>(bin, 0, bins - 1);
}

CalibrationBins calibration_bins(std::span<const double> confidence, std::span<const uint8_t> correct, int64_t bins) {
  const auto b = static_cast<size_t>(bins);
  CalibrationBins out{std::vector<double>(b), std::vector<double>(b), std::vector<double>(b)};
  for (size_t i = 0; i < confidence.size(); ++i) {
    const auto bin = static_cast<size_t>(calibration_bin(confidence[i], bins));
    out.count[bin] += 1;
    out.confidence[bin] += confidence[i];
    out.correct[bin] += correct[i] != 0 ? 1 : 0;
  }
  return out;
}

double expected_calibration_error(const CalibrationBins& bins) {
  double total = 0;
  double gap = 0;
  for (size_t b = 0; b < bins.count.size(); ++b) {
    total += bins.count[b];
    gap += std::fabs(bins.correct[b] - bins.confidence[b]);  // count · |accuracy − mean confidence|
  }
  return gap / total;
}

double maximum_calibration_error(const CalibrationBins& bins) {
  double worst = 0;
  for (size_t b = 0; b < bins.count.size(); ++b) {
    if (bins.count[b] == 0) continue;
    worst = std::max(worst, std::fabs(bins.correct[b] - bins.confidence[b]) / bins.count[b]);
  }
  return worst;
}

double expected_calibration_error(const ScoredRows& rows, int64_t bins) {
  const std::vector<int32_t> top = most_probable(rows.probabilities, rows.classes);
  std::vector<double> confidence(top.size());
  std::vector<uint8_t> correct(top.size());
  for (size_t i = 0; i < top.size(); ++i) {
    confidence[i] = rows.probabilities[i * static_cast<size_t>(rows.classes) + static_cast<size_t>(top[i])];
    correct[i] = top[i] == rows.truth[i] ? 1 : 0;
  }
  return expected_calibration_error(calibration_bins(confidence, correct, bins));
}

double top_k_accuracy(const ScoredRows& rows, int64_t k) {
  const auto classes = static_cast<size_t>(rows.classes);
  int64_t hits = 0;
  for (size_t i = 0; i < rows.truth.size(); ++i) {
    const double* row = rows.probabilities.data() + i * classes;
    const auto truth = static_cast<size_t>(rows.truth[i]);
    int64_t ahead = 0;
    for (size_t c = 0; c < classes; ++c) {
      if (row[c] > row[truth] || (row[c] == row[truth] && c > truth)) ++ahead;
    }
    if (ahead < k) ++hits;
  }
  return static_cast<double>(hits) / static_cast<double>(rows.truth.size());
}

}  // namespace modnet
