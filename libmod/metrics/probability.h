// Metrics of predicted probabilities: log loss, Brier score, calibration error, top-k accuracy.
// Tested by tests/unit/metrics/probability_test.cc and tests/parity/metrics_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/base/result.h"

namespace modnet {

/// Probabilities of n rows over `classes` classes beside the true class of each; the spans must outlive it.
struct ScoredRows {
  std::span<const int32_t> truth;         // [n] in [0, classes)
  std::span<const double> probabilities;  // [n, classes], rows sum to 1 within 1e-4
  int64_t classes = 0;

  [[nodiscard]] int64_t rows() const { return static_cast<int64_t>(truth.size()); }
};

/// kInvalid: no rows, sizes that do not fit, a class outside the range, a probability that is not in [0, 1], a row that
/// does not sum to 1. Every function below expects rows that passed.
[[nodiscard]] Status check_rows(const ScoredRows& rows);

/// Softmax over each row of logits [n, classes] in f64, with the portable exponential: [n, classes].
/// kInvalid: a size that is no multiple of classes, or a logit that is not finite (row and column are named).
[[nodiscard]] Result<std::vector<double>> softmax_rows(std::span<const float> logits, int64_t classes);

/// The most probable class of each row, the first of equal ones: [n].
[[nodiscard]] std::vector<int32_t> most_probable(std::span<const double> probabilities, int64_t classes);

/// −log of the true class's probability, a row each [n]; probabilities are clipped to [ε, 1 − ε] with the f64 machine
/// epsilon ε = 2⁻⁵², as scikit-learn's log_loss does.
[[nodiscard]] std::vector<double> log_loss_rows(const ScoredRows& rows);
/// Mean of log_loss_rows, in nats.
[[nodiscard]] double log_loss(const ScoredRows& rows);

/// Σ over classes of (p − 1[class is true])², a row each [n] (Brier 1950, in [0, 2]).
[[nodiscard]] std::vector<double> brier_rows(const ScoredRows& rows);
/// Mean of brier_rows.
[[nodiscard]] double brier_score(const ScoredRows& rows);

/// Equal-width confidence bins (i/bins, (i+1)/bins]; a confidence of 0 lies in the first.
struct CalibrationBins {
  std::vector<double> count;       // [bins] rows (or weight)
  std::vector<double> confidence;  // [bins] summed confidence
  std::vector<double> correct;     // [bins] rows that were right
};
/// The bin of one confidence in [0, 1]: ⌈confidence · bins⌉ − 1, with the product rounded to f64 once.
[[nodiscard]] int64_t calibration_bin(double confidence, int64_t bins);
/// confidence: [n] in [0, 1]; correct: [n] 0 or 1; bins ≥ 1.
[[nodiscard]] CalibrationBins calibration_bins(std::span<const double> confidence, std::span<const uint8_t> correct,
                                               int64_t bins = 15);
/// Expected calibration error: Σ count/n · |accuracy − mean confidence| (Guo et al. 2017, eq. 3). In [0, 1].
[[nodiscard]] double expected_calibration_error(const CalibrationBins& bins);
/// The largest |accuracy − mean confidence| of a bin with rows (Guo et al. 2017, eq. 5).
[[nodiscard]] double maximum_calibration_error(const CalibrationBins& bins);
/// Expected calibration error of the most probable class.
[[nodiscard]] double expected_calibration_error(const ScoredRows& rows, int64_t bins = 15);

/// Share of rows whose true class is among the k most probable. Among equal probabilities the highest class number
/// ranks first, as in scikit-learn's top_k_accuracy_score. k ≥ classes gives 1; k ≥ 1.
[[nodiscard]] double top_k_accuracy(const ScoredRows& rows, int64_t k);

}  // namespace modnet
