// Ridge regression and classification: one Gram matrix, one Cholesky a strength. Tested by
// tests/unit/train/ridge_test.cc and tests/parity/logistic.py (scikit-learn's coefficients).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libmod/compute/matmul.h"
#include "libmod/train/head.h"

namespace modnet {

struct RidgeOptions {
  /// alpha of each strength, positive; empty: default_ridge_strengths(). One alone is used as it is.
  std::vector<double> strengths;
  double holdout_share = 0.15;
  uint64_t seed = 0;
  Standardize standardize = Standardize::kAuto;
};

/// 17 values of alpha from 1e-3 to 1e5, two a decade.
[[nodiscard]] std::vector<double> default_ridge_strengths();

/// Minimises  Σᵢ ‖yᵢ − (zᵢW + b)‖² + alpha ‖W‖²  (bias not penalised) in f64, z as in logistic.h. The strength with the
/// smallest squared error on a random holdout is fitted again on all rows (ties: the stronger); with fewer than 4 rows
/// the greatest alpha is taken. targets: [rows, outputs], finite. kInvalid: check_features, a target that is not
/// finite, too small an alpha for features that depend on one another (the Gram matrix is singular); kUsage: options
/// out of range.
[[nodiscard]] Result<LinearHead> train_ridge(const ComputeContext& context, const Features& features,
                                             std::span<const double> targets, int64_t outputs,
                                             const RidgeOptions& options, const TrainProgress& progress = {});

/// The same on targets +1 for the row's class and −1 for the others (as scikit-learn's RidgeClassifier); the holdout is
/// stratified and the strength with the best accuracy is chosen, then the smallest squared error. The prediction is the
/// greatest output; outputs are scores, not logits.
[[nodiscard]] Result<LinearHead> train_ridge_classifier(const ComputeContext& context, const Features& features,
                                                        std::span<const int32_t> labels, int64_t classes,
                                                        const RidgeOptions& options,
                                                        const TrainProgress& progress = {});

}  // namespace modnet
