// Metrics that follow from the table of true against predicted classes.
// Tested by tests/unit/metrics/confusion_test.cc and tests/parity/metrics_test.cc (scikit-learn's values).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/base/result.h"

namespace modnet {

/// Counts (or sums of sample weights) of rows by true class (row) and predicted class (column).
struct ConfusionMatrix {
  int64_t classes = 0;
  std::vector<double> cells;  // [classes, classes], row = true class

  [[nodiscard]] double at(int64_t truth, int64_t predicted) const {
    return cells[static_cast<size_t>(truth * classes + predicted)];
  }
};

/// The sums that every metric below is made of; n re-weighted rows give them without a classes × classes table.
struct ClassTotals {
  std::vector<double> correct;    // [classes] diagonal
  std::vector<double> truth;      // [classes] row sums
  std::vector<double> predicted;  // [classes] column sums

  [[nodiscard]] int64_t classes() const { return static_cast<int64_t>(truth.size()); }
};
[[nodiscard]] ClassTotals class_totals(const ConfusionMatrix& m);

/// The table over n rows. truth, predicted: [n] in [0, classes); weights: [n] non-negative, or empty for ones.
/// kInvalid: no rows, unequal lengths, a class outside the range (the row is named), a negative or non-finite weight.
[[nodiscard]] Result<ConfusionMatrix> confusion_matrix(std::span<const int32_t> truth,
                                                       std::span<const int32_t> predicted, int64_t classes,
                                                       std::span<const double> weights = {});

/// What a ratio is worth whose denominator is zero (a class never predicted, or never true).
enum class ZeroDivision : uint8_t { kZero, kOne };

/// One class: precision = tp/(tp+fp), recall = tp/(tp+fn), F1 = 2tp/(2tp+fp+fn), support = rows (or weight) of the
/// class.
struct ClassScores {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  double support = 0;
};

/// Scores of one class against the rest.
[[nodiscard]] ClassScores class_scores(const ClassTotals& t, int64_t label, ZeroDivision zero = ZeroDivision::kZero);

/// How the scores of several classes become one: the plain mean, the mean weighted by support, or pooled counts.
enum class Average : uint8_t { kMacro, kWeighted, kMicro };

/// Averaged precision, recall and F1 over `labels` (empty: all classes); support is their sum. As scikit-learn's
/// precision_recall_fscore_support, so a class that is neither true nor predicted counts in the macro mean.
[[nodiscard]] ClassScores averaged_scores(const ClassTotals& t, Average average, std::span<const int32_t> labels = {},
                                          ZeroDivision zero = ZeroDivision::kZero);

/// Share of rows on the diagonal.
[[nodiscard]] double accuracy(const ClassTotals& t);

/// Mean recall over the classes that occur as truth.
[[nodiscard]] double balanced_accuracy(const ClassTotals& t);

/// Cohen's kappa (Cohen 1960), unweighted; NaN where chance agreement is already 1 (a single class on both sides).
[[nodiscard]] double cohen_kappa(const ClassTotals& t);

/// Matthews correlation for any number of classes (Gorodkin 2004); 0 where a side has a single class.
[[nodiscard]] double matthews_correlation(const ClassTotals& t);

}  // namespace modnet
