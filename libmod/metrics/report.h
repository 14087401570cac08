// The figures of `eval`: every metric of one set of predictions, with bootstrap intervals and the baseline beside them.
// Tested by tests/unit/metrics/report_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "libmod/metrics/baseline.h"
#include "libmod/metrics/bootstrap.h"
#include "libmod/metrics/confusion.h"
#include "libmod/metrics/probability.h"
#include "libmod/metrics/regression.h"

namespace modnet {

/// One figure. `baseline` is the same metric of the constant answer, where it has one (probabilities of the baseline
/// are the training frequencies); `interval` is the bootstrap's.
struct Figure {
  std::string_view name;  // as printed: "accuracy", "macro_f1", …
  double value = 0;
  std::optional<Interval> interval;
  std::optional<double> baseline;
};

struct ClassificationReport {
  int64_t rows = 0;
  std::vector<Figure> figures;  // accuracy, balanced_accuracy, macro_f1, weighted_f1, micro_f1, log_loss, brier,
                                // ece_15, top_5_accuracy (more than 5 classes), matthews_correlation, cohen_kappa
  ConfusionMatrix confusion;
  std::vector<ClassScores> per_class;  // [classes]
  MajorityBaseline baseline;
};

struct RegressionReport {
  int64_t rows = 0;
  std::vector<Figure> figures;   // r2, mae, rmse, mse, median_absolute_error, max_error, explained_variance
  std::vector<double> baseline;  // [outputs]
};

/// All figures of n rows. training_counts: [classes] rows of each class in the training data, or empty where it is not
/// known (then the baseline is the majority of the data itself). kInvalid as check_rows; replicates 0 leaves the
/// intervals out.
[[nodiscard]] Result<ClassificationReport> classification_report(const ScoredRows& rows,
                                                                 std::span<const int64_t> training_counts,
                                                                 const BootstrapOptions& options,
                                                                 ThreadPool* pool = nullptr);

/// training_mean: [outputs], or empty. As classification_report; weights are not taken.
[[nodiscard]] Result<RegressionReport> regression_report(const NumberRows& rows, std::span<const double> training_mean,
                                                         const BootstrapOptions& options, ThreadPool* pool = nullptr);

}  // namespace modnet
