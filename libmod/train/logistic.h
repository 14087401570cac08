// Multinomial logistic regression on frozen features, along a path of regularisation strengths. Tested by
// tests/unit/train/logistic_test.cc (optimality conditions) and tests/parity/logistic.py (scikit-learn's objective).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libmod/compute/matmul.h"
#include "libmod/train/head.h"

namespace modnet {

struct LogisticOptions {
  /// C of each strength, positive; empty: default_logistic_strengths(), divided by the number of columns where features
  /// are standardised (what counts is C times a row's squared norm: 1 for unit-norm features, the columns for
  /// standardised ones). One alone is used as it is, nothing is held out.
  std::vector<double> strengths;
  double holdout_share = 0.15;
  uint64_t seed = 0;
  int64_t max_iterations = 2000;  // a strength
  /// Stop when the predicted relative distance to the optimal objective, ½ gᵀ H⁻¹ g / objective with the solver's own
  /// approximation of the Hessian H, is below this. The true distance was at most ten times it on real embeddings.
  double tolerance = 1e-8;
  double path_tolerance = 1e-5;  // the same for the fits that are only compared on the holdout
  Standardize standardize = Standardize::kAuto;
};

/// 12 values of C from 1e-4 to 100.
[[nodiscard]] std::vector<double> default_logistic_strengths();

/// Minimises scikit-learn's objective  C · Σᵢ −log softmax(zᵢW + b)[yᵢ] + ½ ‖W‖²  (bias not penalised) in f64, where z
/// are the features, standardised as the options say. Each strength starts from the one before; the one with the
/// smallest log loss on a stratified holdout is fitted again on all rows (ties: the stronger). Where no row can be held
/// out (every class has one row) the strength nearest to C = 1 (divided likewise) is taken.
/// labels: [rows] in [0, classes). outputs are logits, one a class; report.objective is the one above.
/// Solver: L-BFGS preconditioned with the Kronecker product of the classes' covariance and the features' Gram matrix.
/// Sums over rows are divided the same way for any number of threads: the same bits for any pool.
/// kInvalid: check_features, check_labels; kUsage: strengths or options out of range.
[[nodiscard]] Result<LinearHead> train_logistic(const ComputeContext& context, const Features& features,
                                                std::span<const int32_t> labels, int64_t classes,
                                                const LogisticOptions& options, const TrainProgress& progress = {});

}  // namespace modnet
