// The objective of multinomial logistic regression, its gradient, and the class covariance that its curvature is made
// of. Tested by tests/unit/train/softmax_loss_test.cc (finite differences).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libmod/train/design.h"

namespace modnet {

/// f(θ) = (1/n) Σᵢ −log softmax(zᵢW + b)[yᵢ] + ½ penalty ‖W‖², θ = W [classes, columns], then b [classes];
/// the logits of a row are W z + b.
/// With penalty = 1/(C n) this is scikit-learn's objective divided by C n.
class SoftmaxLoss {
 public:
  /// labels: [design.rows()] by the design's row order. Borrows the design and the labels.
  SoftmaxLoss(const ComputeContext& context, const Design& design, std::span<const int32_t> labels, int64_t classes);

  [[nodiscard]] int64_t classes() const { return classes_; }
  /// Length of θ.
  [[nodiscard]] int64_t size() const { return (design_->columns() + 1) * classes_; }

  /// f(θ), and its gradient into `gradient` [size()].
  [[nodiscard]] double evaluate(std::span<const double> theta, double penalty, std::span<double> gradient) const;

  /// (1/n) Σᵢ (diag(pᵢ) − pᵢpᵢᵀ) at θ: [classes, classes].
  [[nodiscard]] std::vector<double> class_covariance(std::span<const double> theta) const;

 private:
  struct Scratch;
  [[nodiscard]] std::vector<double> by_column(std::span<const double> theta) const;
  void logits(std::span<const double> columns, int64_t rows, const double* z, Scratch& scratch) const;
  double probabilities(std::span<const double> columns, int64_t first, int64_t rows, double loss, Scratch& scratch) const;

  ComputeContext context_;
  const Design* design_;
  std::span<const int32_t> labels_;
  int64_t classes_;
  int64_t width_;  // of a row of logits in memory
};

}  // namespace modnet
