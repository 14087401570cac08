// What every linear solver returns: one matrix and one bias on the raw features, and a record of how they were chosen.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "formats/base/result.h"

namespace modnet {

/// Features of n rows as they came out of a backbone; borrowed, 'values' must outlive it.
struct Features {
  std::span<const float> values;  // [rows, columns], row-major
  int64_t rows = 0;
  int64_t columns = 0;
};

/// One strength of the regularisation path, fitted on the training part and scored on the holdout.
struct PathPoint {
  double strength = 0;       // C of a logistic regression (greater is weaker), alpha of a ridge (greater is stronger)
  double holdout_loss = 0;   // logistic: mean log loss; ridge: mean squared error over rows and outputs
  double holdout_score = 0;  // classification: accuracy; regression: R² (NaN where it is undefined)
  int64_t iterations = 0;    // passes over the training part; 0 for closed forms
  double objective = 0;      // of the training part, in the terms of the solver's header
};

/// kNo: features as they are. kYes: always. kAuto: unless every row's norm is within 1e-3 of 1 (DESIGN.md section 8).
enum class Standardize : uint8_t { kAuto, kNo, kYes };

struct TrainReport {
  std::vector<PathPoint> path;  // from strong to weak; empty where nothing had to be, or could be, chosen
  double strength = 0;          // the chosen one, with which all rows were fitted
  double objective = 0;         // of the final fit
  int64_t iterations = 0;       // of the final fit
  bool converged = true;        // of the final fit: the tolerance was met within the iterations allowed
  int64_t rows = 0;
  int64_t holdout_rows = 0;           // 0: nothing was held out
  bool standardized = false;          // of the final fit; its scaling is folded into the weights
  std::vector<int64_t> dropped;       // columns without spread, in order; their weights are 0
  std::vector<int64_t> class_counts;  // [classes] rows of each class; empty for regression
};

/// outputs = x · weightsᵀ + bias, on raw features.
struct LinearHead {
  int64_t outputs = 0;
  int64_t columns = 0;
  std::vector<double> weights;  // [outputs, columns]
  std::vector<double> bias;     // [outputs]
  TrainReport report;
};

/// Called from the calling thread after each step: what is being done, steps done, steps in all.
using TrainProgress = std::function<void(std::string_view stage, int64_t done, int64_t total)>;

/// kInvalid, naming what and where and the way out: no rows, one row, no columns, a size that does not fit, a value
/// that is not finite (row and column), features that are the same in every row.
[[nodiscard]] Status check_features(const Features& features);

/// Rows of each class, [classes]. kInvalid: as many labels as rows expected, a label outside [0, classes), fewer than
/// two classes, more classes than rows, a class without rows.
[[nodiscard]] Result<std::vector<int64_t>> check_labels(std::span<const int32_t> labels, int64_t rows, int64_t classes);

}  // namespace modnet
