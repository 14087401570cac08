// The path of a logistic regression: fit each strength on the training part, choose on the holdout, fit all rows.
// Tested by tests/unit/train/logistic_test.cc and tests/parity/logistic.py.
#include "libmod/train/logistic.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "libmod/compute/elementwise.h"
#include "libmod/train/design.h"
#include "libmod/train/holdout.h"
#include "libmod/train/kronecker.h"
#include "libmod/train/lbfgs.h"
#include "libmod/train/score.h"
#include "libmod/train/softmax_loss.h"

namespace modnet {
namespace {

constexpr double kSimilar = 1.25;
constexpr int64_t kGramRowsAColumn = 4;  // rows that the preconditioner's Gram matrix is made of, a column

// Whether no class's variance p(1 − p) has changed by more than a quarter: then a new preconditioner would gain
// nothing.
bool similar(const std::vector<double>& a, const std::vector<double>& b, int64_t classes) {
  for (int64_t c = 0; c < classes; ++c) {
    const auto at = static_cast<size_t>(c * classes + c);
    if (a[at] > kSimilar * b[at] || b[at] > kSimilar * a[at]) return false;
  }
  return true;
}

// One set of rows made ready: scaled, with labels in the design's order and the Gram matrix of the preconditioner.
class Fit {
 public:
  Fit(const ComputeContext& context, const Features& features, std::span<const int64_t> rows,
      std::span<const int32_t> labels, int64_t classes, Standardize standardize)
      : context_(context),
        scaling_(measure_scaling(features, rows, standardize)),
        design_(context, features, rows, scaling_),
        labels_(static_cast<size_t>(design_.rows())),
        loss_(context, design_, labels_, classes) {
    for (int64_t i = 0; i < design_.rows(); ++i) {
      labels_[static_cast<size_t>(i)] = labels[static_cast<size_t>(design_.source_row(i))];
    }
    const int64_t enough = std::max<int64_t>(kGramRowsAColumn * design_.columns(), 8192);
    const int64_t used = design_.gram(context, std::max<int64_t>(1, design_.rows() / enough), gram_);
    for (double& g : gram_) g /= static_cast<double>(used);
  }
  Fit(const Fit&) = delete;
  Fit& operator=(const Fit&) = delete;

  [[nodiscard]] const Scaling& scaling() const { return scaling_; }

  // θ of a head that knows only how frequent each class is: the optimum for C → 0.
  [[nodiscard]] std::vector<double> frequencies() const {
    const auto k = static_cast<size_t>(loss_.classes());
    std::vector<double> share(k);
    for (const int32_t label : labels_) share[static_cast<size_t>(label)] += 1 / static_cast<double>(labels_.size());
    unary(UnaryOp::kLog, share.data(), share.data(), static_cast<int64_t>(k));
    std::vector<double> theta(static_cast<size_t>(loss_.size()));
    std::copy(share.begin(), share.end(), theta.end() - static_cast<std::ptrdiff_t>(k));
    return theta;
  }

  // Moves θ to the optimum at C. The value is scikit-learn's objective.
  Result<Minimum> solve(double c, double tolerance, int64_t most, std::vector<double>& theta) const {
    const double scale = c * static_cast<double>(design_.rows());
    const int64_t k = loss_.classes();
    std::vector<double> covariance = loss_.class_covariance(theta);
    MODNET_ASSIGN(KroneckerInverse inverse,
                  KroneckerInverse::make(context_, covariance, k, gram_, design_.columns(), 1 / scale));
    const auto refresh = [&](std::span<const double> x) {
      std::vector<double> now = loss_.class_covariance(x);
      if (similar(covariance, now, k)) return false;
      Result<KroneckerInverse> made = KroneckerInverse::make(context_, now, k, gram_, design_.columns(), 1 / scale);
      if (!made.ok()) return false;
      inverse = std::move(made).value();
      covariance.swap(now);
      return true;
    };
    const auto objective = [&](std::span<const double> x, std::span<double> gradient) {
      return loss_.evaluate(x, 1 / scale, gradient);
    };
    const auto precondition = [&](std::span<double> v) { inverse.apply(context_, v); };
    Minimum out = minimize_lbfgs(objective, precondition, refresh, {most, tolerance}, theta);
    out.value *= scale;
    return out;
  }

  // θ in terms of raw features.
  void write(const std::vector<double>& theta, LinearHead& head) const {
    const std::span<const double> all(theta);
    const auto weights = static_cast<size_t>(design_.columns() * loss_.classes());
    unscale(scaling_, loss_.classes(), all.first(weights), all.subspan(weights), head);
  }

 private:
  ComputeContext context_;
  Scaling scaling_;
  Design design_;
  std::vector<int32_t> labels_;
  SoftmaxLoss loss_;
  std::vector<double> gram_;
};

// Sorted from strong to weak, once each; `unit` is what C = 1 of unit-norm features stands for.
Result<std::vector<double>> checked_strengths(const LogisticOptions& options, double unit) {
  std::vector<double> out = options.strengths;
  if (out.empty()) {
    for (const double c : default_logistic_strengths()) out.push_back(c * unit);
  }
  for (const double c : out) {
    if (!(c > 0) || !std::isfinite(c)) return usage("expected strengths C above 0, got " + std::to_string(c));
  }
  if (options.max_iterations < 1) {
    return usage("expected at least 1 iteration, got " + std::to_string(options.max_iterations));
  }
  if (!(options.tolerance > 0) || !(options.path_tolerance > 0)) return usage("expected tolerances above 0");
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

struct Choice {
  double strength = 0;
  LinearHead start;  // the head of that strength, fitted on the training part; without outputs where there is none
};

// Fits every strength on the training part, records the path, and chooses.
Result<Choice> choose(const ComputeContext& context, const Features& features, std::span<const int32_t> labels,
                      int64_t classes, const LogisticOptions& options, const std::vector<double>& strengths,
                      const Split& split, const TrainProgress& progress, TrainReport& report) {
  const Fit fit(context, features, split.training, labels, classes, options.standardize);
  std::vector<double> theta = fit.frequencies();
  Choice best;
  double least = 0;
  for (size_t s = 0; s < strengths.size(); ++s) {
    MODNET_ASSIGN(const Minimum minimum,
                  fit.solve(strengths[s], options.path_tolerance, options.max_iterations, theta));
    LinearHead head;
    fit.write(theta, head);
    const std::vector<double> outputs = head_outputs(context, features, split.holdout, head);
    const OutputRows scored{outputs, split.holdout, classes};
    report.path.push_back({strengths[s], softmax_log_loss(scored, labels), greatest_output_accuracy(scored, labels),
                           minimum.evaluations, minimum.value});
    if (s == 0 || report.path.back().holdout_loss < least) {
      least = report.path.back().holdout_loss;
      best = {strengths[s], std::move(head)};
    }
    if (progress) progress("path", static_cast<int64_t>(s + 1), static_cast<int64_t>(strengths.size()));
  }
  return best;
}

}  // namespace

std::vector<double> default_logistic_strengths() { return {1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3, 10, 30, 100}; }

Result<LinearHead> train_logistic(const ComputeContext& context, const Features& features,
                                  std::span<const int32_t> labels, int64_t classes, const LogisticOptions& options,
                                  const TrainProgress& progress) {
  MODNET_TRY(check_features(features));
  LinearHead head;
  MODNET_ASSIGN(head.report.class_counts, check_labels(labels, features.rows, classes));
  double unit = 1;
  if (options.strengths.empty()) {
    const Scaling scaling = measure_scaling(features, {}, options.standardize);
    if (scaling.standardized) unit = 1 / static_cast<double>(std::max<size_t>(1, scaling.kept.size()));
  }
  MODNET_ASSIGN(const std::vector<double> strengths, checked_strengths(options, unit));

  Choice choice{strengths.front(), {}};
  if (strengths.size() > 1) {
    MODNET_ASSIGN(const Split split, stratified_split(labels, classes, options.holdout_share, options.seed));
    if (split.holdout.empty()) {
      // Nothing can be held out: the strength nearest to 1, as a ratio.
      const auto distance = [unit](double c) { return c > unit ? c / unit : unit / c; };
      for (const double c : strengths) choice.strength = distance(c) < distance(choice.strength) ? c : choice.strength;
    } else {
      head.report.holdout_rows = static_cast<int64_t>(split.holdout.size());
      MODNET_ASSIGN(choice,
                    choose(context, features, labels, classes, options, strengths, split, progress, head.report));
    }
  }

  const Fit fit(context, features, {}, labels, classes, options.standardize);
  std::vector<double> theta = choice.start.outputs == 0 ? fit.frequencies() : rescale(fit.scaling(), choice.start);
  MODNET_ASSIGN(const Minimum minimum, fit.solve(choice.strength, options.tolerance, options.max_iterations, theta));
  fit.write(theta, head);
  TrainReport& report = head.report;
  report.strength = choice.strength;
  report.objective = minimum.value;
  report.iterations = minimum.evaluations;
  report.converged = minimum.converged;
  report.rows = features.rows;
  report.standardized = fit.scaling().standardized;
  report.dropped = fit.scaling().dropped;
  if (progress) progress("refit", 1, 1);
  return head;
}

}  // namespace modnet
