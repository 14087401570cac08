// Ridge from the normal equations. The Gram matrix is made once; each strength adds alpha to its diagonal and factors
// it. Tested by tests/unit/train/ridge_test.cc and tests/parity/logistic.py.
#include "libmod/train/ridge.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "libmod/compute/linalg.h"
#include "libmod/metrics/regression.h"
#include "libmod/train/design.h"
#include "libmod/train/holdout.h"
#include "libmod/train/score.h"

namespace modnet {
namespace {

// Targets of one row, by its number in the features: [outputs].
using TargetRow = std::function<void(int64_t row, double* out)>;

// The normal equations of one set of rows: zᵀz, zᵀ(y − mean) and the mean of y.
class Normal {
 public:
  Normal(const ComputeContext& context, const Features& features, std::span<const int64_t> rows,
         const TargetRow& target, int64_t outputs, Standardize standardize)
      : context_(context),
        scaling_(measure_scaling(features, rows, standardize)),
        outputs_(outputs),
        mean_(static_cast<size_t>(outputs)) {
    const Design design(context, features, rows, scaling_);
    columns_ = design.columns();
    std::vector<double> one(mean_.size());
    for (int64_t i = 0; i < design.rows(); ++i) {
      target(design.source_row(i), one.data());
      for (size_t t = 0; t < one.size(); ++t) mean_[t] += one[t];
    }
    for (double& mean : mean_) mean /= static_cast<double>(design.rows());
    const auto centred = [&](int64_t first, int64_t count, double* out) {
      for (int64_t i = 0; i < count; ++i, out += outputs_) {
        target(design.source_row(first + i), out);
        for (size_t t = 0; t < mean_.size(); ++t) {
          out[t] -= mean_[t];
          square_ += out[t] * out[t];
        }
      }
    };
    design.gram(context, 1, gram_);
    design.correlate(context, outputs, centred, product_);
  }

  [[nodiscard]] const Scaling& scaling() const { return scaling_; }

  // The head at alpha, and its objective Σ‖y − ŷ‖² + alpha ‖W‖² (which at the optimum is Σ‖y‖² − Σ W·zᵀy for centred
  // y).
  Result<double> solve(double alpha, LinearHead& head) const {
    std::vector<double> factor = gram_;
    for (int64_t j = 0; j < columns_; ++j) factor[static_cast<size_t>(j * columns_ + j)] += alpha;
    const Status factored = cholesky(context_, columns_, factor.data(), columns_);
    if (!factored.ok()) {
      Error error = factored.error();
      error.what = "ridge with alpha " + std::to_string(alpha) + ": " + error.what;
      error.fix = "give a greater strength";
      return error;
    }
    std::vector<double> solved = product_;
    cholesky_solve(context_, columns_, factor.data(), columns_, outputs_, solved.data(), outputs_);
    double explained = 0;
    for (size_t i = 0; i < solved.size(); ++i) explained += solved[i] * product_[i];
    std::vector<double> weights(solved.size());
    for (int64_t j = 0; j < columns_; ++j) {
      for (int64_t t = 0; t < outputs_; ++t) {
        weights[static_cast<size_t>(t * columns_ + j)] = solved[static_cast<size_t>(j * outputs_ + t)];
      }
    }
    unscale(scaling_, outputs_, weights, mean_, head);
    return square_ - explained;
  }

 private:
  ComputeContext context_;
  Scaling scaling_;
  int64_t outputs_;
  int64_t columns_ = 0;
  std::vector<double> mean_;     // [outputs] of the targets
  std::vector<double> gram_;     // [columns, columns]
  std::vector<double> product_;  // [columns, outputs]
  double square_ = 0;            // Σ (y − mean)²
};

struct Problem {
  const Features* features;
  TargetRow target;
  int64_t outputs;
  const RidgeOptions* options;
  std::span<const int32_t> labels;  // empty for regression
};

Result<std::vector<double>> checked_strengths(const RidgeOptions& options) {
  std::vector<double> out = options.strengths.empty() ? default_ridge_strengths() : options.strengths;
  for (const double alpha : out) {
    if (!(alpha > 0) || !std::isfinite(alpha))
      return usage("expected strengths alpha above 0, got " + std::to_string(alpha));
  }
  std::sort(out.begin(), out.end(), std::greater<>());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

// Mean squared error and accuracy or R² of a head on the holdout.
void score(const ComputeContext& context, const Problem& problem, const std::vector<int64_t>& rows,
           const LinearHead& head, PathPoint& point) {
  const std::vector<double> predicted = head_outputs(context, *problem.features, rows, head);
  std::vector<double> truth(predicted.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    problem.target(rows[i], truth.data() + static_cast<int64_t>(i) * problem.outputs);
  }
  const NumberRows numbers{truth, predicted, problem.outputs, {}};
  point.holdout_loss = mean_squared_error(numbers);
  point.holdout_score = problem.labels.empty()
                            ? r2_score(numbers)
                            : greatest_output_accuracy({predicted, rows, problem.outputs}, problem.labels);
}

// Whether a weaker strength is better than the best so far: strictly, so that ties stay with the stronger.
bool better(const Problem& problem, const PathPoint& a, const PathPoint& best) {
  if (!problem.labels.empty() && a.holdout_score != best.holdout_score) return a.holdout_score > best.holdout_score;
  return a.holdout_loss < best.holdout_loss;
}

Result<LinearHead> train(const ComputeContext& context, const Problem& problem, const Split& split,
                         const std::vector<double>& strengths, const TrainProgress& progress) {
  LinearHead head;
  TrainReport& report = head.report;
  report.strength = strengths.front();
  if (strengths.size() > 1 && !split.holdout.empty()) {
    const Normal part(context, *problem.features, split.training, problem.target, problem.outputs,
                      problem.options->standardize);
    size_t best = 0;
    for (size_t s = 0; s < strengths.size(); ++s) {
      LinearHead tried;
      PathPoint point;
      point.strength = strengths[s];
      MODNET_ASSIGN(point.objective, part.solve(strengths[s], tried));
      score(context, problem, split.holdout, tried, point);
      report.path.push_back(point);
      if (s > 0 && better(problem, point, report.path[best])) best = s;
      if (progress) progress("path", static_cast<int64_t>(s + 1), static_cast<int64_t>(strengths.size()));
    }
    report.strength = strengths[best];
    report.holdout_rows = static_cast<int64_t>(split.holdout.size());
  }
  const Normal all(context, *problem.features, {}, problem.target, problem.outputs, problem.options->standardize);
  MODNET_ASSIGN(report.objective, all.solve(report.strength, head));
  report.rows = problem.features->rows;
  report.standardized = all.scaling().standardized;
  report.dropped = all.scaling().dropped;
  if (progress) progress("refit", 1, 1);
  return head;
}

}  // namespace

std::vector<double> default_ridge_strengths() {
  return {1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1e3, 3e3, 1e4, 3e4, 1e5};
}

Result<LinearHead> train_ridge(const ComputeContext& context, const Features& features, std::span<const double> targets,
                               int64_t outputs, const RidgeOptions& options, const TrainProgress& progress) {
  MODNET_TRY(check_features(features));
  if (outputs < 1 || static_cast<int64_t>(targets.size()) / outputs != features.rows ||
      static_cast<int64_t>(targets.size()) % outputs != 0) {
    return internal("expected " + std::to_string(features.rows) + " rows of " + std::to_string(outputs) +
                    " targets, got " + std::to_string(targets.size()) + " numbers");
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    if (std::isfinite(targets[i])) continue;
    return invalid("row " + std::to_string(i / static_cast<size_t>(outputs)) + ": a target that is not finite",
                   "remove the row");
  }
  MODNET_ASSIGN(const std::vector<double> strengths, checked_strengths(options));
  MODNET_ASSIGN(const Split split, random_split(features.rows, options.holdout_share, options.seed));
  const TargetRow target = [&](int64_t row, double* out) { std::copy_n(targets.data() + row * outputs, outputs, out); };
  return train(context, {&features, target, outputs, &options, {}}, split, strengths, progress);
}

Result<LinearHead> train_ridge_classifier(const ComputeContext& context, const Features& features,
                                          std::span<const int32_t> labels, int64_t classes, const RidgeOptions& options,
                                          const TrainProgress& progress) {
  MODNET_TRY(check_features(features));
  MODNET_ASSIGN(std::vector<int64_t> counts, check_labels(labels, features.rows, classes));
  MODNET_ASSIGN(const std::vector<double> strengths, checked_strengths(options));
  MODNET_ASSIGN(const Split split, stratified_split(labels, classes, options.holdout_share, options.seed));
  const TargetRow target = [&](int64_t row, double* out) {
    std::fill_n(out, classes, -1.0);
    out[labels[static_cast<size_t>(row)]] = 1;
  };
  MODNET_ASSIGN(LinearHead head,
                train(context, {&features, target, classes, &options, labels}, split, strengths, progress));
  head.report.class_counts = std::move(counts);
  return head;
}

}  // namespace modnet
