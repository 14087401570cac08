// One pass over the rows: logits, softmax and residual of a block while it is in cache, then its share of the gradient.
//
// Rows are divided into lanes, each a fixed run of blocks with sums of its own; threads take whole lanes, and the
// lanes' sums are added in order at the end. So the result does not depend on the number of threads. Where θ is large
// the lanes' gradients would be, too: then there is one lane, and the products inside are divided instead.
// Tested by tests/unit/train/softmax_loss_test.cc.
#include "libmod/train/softmax_loss.h"

#include <algorithm>

#include "libmod/compute/elementwise.h"
#include "libmod/compute/rows.h"

namespace modnet {
namespace {

constexpr int64_t kLanes = 16;
constexpr int64_t kLargeTheta = 1 << 20;

}  // namespace

struct SoftmaxLoss::Scratch {
  std::vector<double> block;    // z, where the design keeps no copy
  std::vector<double> p;        // [rows, classes] logits, then probabilities
  std::vector<double> sums;     // [rows]
  std::vector<double> shift;    // [rows] logit of the true class minus the greatest one
  std::vector<double> product;  // [classes, columns]
};

SoftmaxLoss::SoftmaxLoss(const ComputeContext& context, const Design& design, std::span<const int32_t> labels,
                         int64_t classes)
    : context_(context), design_(&design), labels_(labels), classes_(classes) {}

// W as [columns, classes], the way the product of every block wants it; the bias after it.
std::vector<double> SoftmaxLoss::by_column(std::span<const double> theta) const {
  const int64_t d = design_->columns();
  std::vector<double> out(theta.begin(), theta.end());
  for (int64_t c = 0; c < classes_; ++c) {
    for (int64_t j = 0; j < d; ++j) out[static_cast<size_t>(j * classes_ + c)] = theta[static_cast<size_t>(c * d + j)];
  }
  return out;
}

void SoftmaxLoss::logits(std::span<const double> columns, int64_t block, const double* z, Scratch& scratch) const {
  const int64_t rows = design_->rows_in(block);
  const int64_t d = design_->columns();
  scratch.p.resize(static_cast<size_t>(design_->block_rows() * classes_));
  scratch.sums.resize(static_cast<size_t>(design_->block_rows()));
  scratch.shift.resize(scratch.sums.size());
  matmul(context_, rows, classes_, d, z, d, Trans::kNo, columns.data(), classes_, Trans::kNo, scratch.p.data(),
         classes_);
  const double* bias = columns.data() + d * classes_;
  for (int64_t i = 0; i < rows; ++i) {
    double* row = scratch.p.data() + i * classes_;
    for (int64_t c = 0; c < classes_; ++c) row[c] += bias[c];
  }
}

// Turns the block's logits into probabilities; returns the sum of its losses.
double SoftmaxLoss::probabilities(int64_t block, Scratch& scratch) const {
  const int64_t rows = design_->rows_in(block);
  for (int64_t i = 0; i < rows; ++i) {
    double* row = scratch.p.data() + i * classes_;
    double top = row[0];
    for (int64_t c = 1; c < classes_; ++c) top = row[c] > top ? row[c] : top;
    for (int64_t c = 0; c < classes_; ++c) row[c] -= top;
    scratch.shift[static_cast<size_t>(i)] = row[labels_[static_cast<size_t>(block * design_->block_rows() + i)]];
  }
  unary(UnaryOp::kExp, scratch.p.data(), scratch.p.data(), rows * classes_);
  for (int64_t i = 0; i < rows; ++i) {
    double* row = scratch.p.data() + i * classes_;
    double sum = 0;
    for (int64_t c = 0; c < classes_; ++c) sum += row[c];
    const double inverse = 1 / sum;
    for (int64_t c = 0; c < classes_; ++c) row[c] *= inverse;
    scratch.sums[static_cast<size_t>(i)] = sum;
  }
  unary(UnaryOp::kLog, scratch.sums.data(), scratch.sums.data(), rows);
  double loss = 0;
  for (int64_t i = 0; i < rows; ++i)
    loss += scratch.sums[static_cast<size_t>(i)] - scratch.shift[static_cast<size_t>(i)];
  return loss;
}

double SoftmaxLoss::evaluate(std::span<const double> theta, double penalty, std::span<double> gradient) const {
  const int64_t d = design_->columns();
  const int64_t weights = d * classes_;
  const int64_t lanes = size() > kLargeTheta ? 1 : std::min(kLanes, design_->blocks());
  std::vector<double> lane_gradient(static_cast<size_t>(lanes * size()));
  std::vector<double> lane_loss(static_cast<size_t>(lanes));
  std::vector<Scratch> scratches(static_cast<size_t>(lanes == 1 ? 1 : worker_count(context_)));

  const std::vector<double> columns = by_column(theta);
  const auto run_lane = [&](int64_t lane, int worker) {
    Scratch& scratch = scratches[static_cast<size_t>(worker)];
    scratch.product.resize(static_cast<size_t>(weights));
    double* mine = lane_gradient.data() + lane * size();
    for (int64_t b = design_->blocks() * lane / lanes; b < design_->blocks() * (lane + 1) / lanes; ++b) {
      const double* z = design_->block(b, scratch.block);
      const int64_t rows = design_->rows_in(b);
      logits(columns, b, z, scratch);
      lane_loss[static_cast<size_t>(lane)] += probabilities(b, scratch);
      for (int64_t i = 0; i < rows; ++i) {  // residual p − y, and its column sums: the gradient of the bias
        double* row = scratch.p.data() + i * classes_;
        row[labels_[static_cast<size_t>(b * design_->block_rows() + i)]] -= 1;
        for (int64_t c = 0; c < classes_; ++c) mine[weights + c] += row[c];
      }
      matmul(context_, classes_, d, rows, scratch.p.data(), classes_, Trans::kYes, z, d, Trans::kNo,
             scratch.product.data(), d);
      axpy(1.0, scratch.product.data(), mine, weights);
    }
  };
  if (lanes == 1) {
    run_lane(0, 0);
  } else {
    for_each_task(context_, lanes, run_lane);
  }

  const double inverse = 1 / static_cast<double>(design_->rows());
  double loss = 0;
  for (const double part : lane_loss) loss += part;
  std::fill(gradient.begin(), gradient.end(), 0.0);
  for (int64_t lane = 0; lane < lanes; ++lane) {
    axpy(inverse, lane_gradient.data() + lane * size(), gradient.data(), size());
  }
  axpy(penalty, theta.data(), gradient.data(), weights);
  return loss * inverse + 0.5 * penalty * dot(theta.data(), theta.data(), weights);
}

std::vector<double> SoftmaxLoss::class_covariance(std::span<const double> theta) const {
  const auto k = static_cast<size_t>(classes_);
  std::vector<double> total(k * k);
  std::vector<double> mean(k);
  std::vector<double> part(k * k);
  Scratch scratch;
  const std::vector<double> columns = by_column(theta);
  for (int64_t b = 0; b < design_->blocks(); ++b) {
    const int64_t rows = design_->rows_in(b);
    logits(columns, b, design_->block(b, scratch.block), scratch);
    probabilities(b, scratch);
    gram(context_, rows, classes_, scratch.p.data(), classes_, part.data(), classes_);
    axpy(1.0, part.data(), total.data(), static_cast<int64_t>(k * k));
    for (int64_t i = 0; i < rows; ++i) axpy(1.0, scratch.p.data() + i * classes_, mean.data(), classes_);
  }
  const double inverse = 1 / static_cast<double>(design_->rows());
  for (size_t i = 0; i < k * k; ++i) total[i] = -total[i] * inverse;
  for (size_t c = 0; c < k; ++c) total[c * k + c] += mean[c] * inverse;
  return total;
}

}  // namespace modnet
