// One pass over the rows: logits, softmax and residual of a few rows, then their share of the gradient while they are in a near cache;
// each element of it is one chain over the rows, so it does not matter how many come at once.
//
// Rows are divided into lanes, each a fixed run of blocks with sums of its own; threads take whole lanes, and the
// lanes' sums are added in order at the end. So the result does not depend on the number of threads. Where θ is large
// the lanes' gradients would be, too: then there is one lane, and the products inside are divided instead.
// Tested by tests/unit/train/softmax_loss_test.cc.
#include "libmod/train/softmax_loss.h"

#include <algorithm>

#include "libmod/compute/elementwise.h"
#include "libmod/compute/rows.h"
#include "libmod/compute/skinny.h"
#include "libmod/compute/threads.h"

namespace modnet {
namespace {

constexpr int64_t kLanes = 16;
constexpr int64_t kMostSkinny = 64;  // classes beyond which the general product pays
constexpr int64_t kRowsAtOnce = 64;  // of 384 columns, 192 KB: well within a second-level cache (16 to 96 were within a tenth)
constexpr int64_t kLargeTheta = 1 << 20;

}  // namespace

struct SoftmaxLoss::Scratch {
  std::vector<double> block;    // z, where the design keeps no copy
  std::vector<double> p;        // [rows, width] logits, then probabilities
  std::vector<double> sums;     // [rows]
  std::vector<double> shift;    // [rows] logit of the true class minus the greatest one
  std::vector<double> product;  // [columns, width], many classes only
};

SoftmaxLoss::SoftmaxLoss(const ComputeContext& context, const Design& design, std::span<const int32_t> labels,
                         int64_t classes)
    : context_(context),
      design_(&design),
      labels_(labels),
      classes_(classes),
      width_(classes <= kMostSkinny ? skinny_width(classes) : classes) {}

// W as [columns, width], the way the product of every block wants it; the bias as one more row.
std::vector<double> SoftmaxLoss::by_column(std::span<const double> theta) const {
  const int64_t d = design_->columns();
  std::vector<double> out(static_cast<size_t>((d + 1) * width_));
  for (int64_t c = 0; c < classes_; ++c) {
    for (int64_t j = 0; j < d; ++j) out[static_cast<size_t>(j * width_ + c)] = theta[static_cast<size_t>(c * d + j)];
    out[static_cast<size_t>(d * width_ + c)] = theta[static_cast<size_t>(d * classes_ + c)];
  }
  return out;
}

// The rows' logits, without the bias.
void SoftmaxLoss::logits(std::span<const double> columns, int64_t rows, const double* z, Scratch& scratch) const {
  const int64_t d = design_->columns();
  scratch.p.resize(static_cast<size_t>(rows * width_));
  scratch.sums.resize(static_cast<size_t>(rows));
  scratch.shift.resize(scratch.sums.size());
  if (classes_ <= kMostSkinny) {
    std::fill(scratch.p.begin(), scratch.p.end(), 0.0);
    skinny_product(rows, width_, d, z, d, 1, columns.data(), scratch.p.data());
  } else {
    matmul(context_, rows, width_, d, z, d, Trans::kNo, columns.data(), width_, Trans::kNo, scratch.p.data(), width_);
  }
}

// Turns the logits of the rows from `first` on into probabilities; returns `loss` plus theirs, row by row.
double SoftmaxLoss::probabilities(std::span<const double> columns, int64_t first, int64_t rows, double loss, Scratch& scratch) const {
  const double* bias = columns.data() + design_->columns() * width_;
  for (int64_t i = 0; i < rows; ++i) {
    double* row = scratch.p.data() + i * width_;
    double top = row[0] + bias[0];
    for (int64_t c = 0; c < classes_; ++c) {
      row[c] += bias[c];
      top = row[c] > top ? row[c] : top;
    }
    for (int64_t c = 0; c < classes_; ++c) row[c] -= top;
    scratch.shift[static_cast<size_t>(i)] = row[labels_[static_cast<size_t>(first + i)]];
  }
  unary(UnaryOp::kExp, scratch.p.data(), scratch.p.data(), rows * width_);
  for (int64_t i = 0; i < rows; ++i) {
    double* row = scratch.p.data() + i * width_;
    double sum = 0;
    for (int64_t c = 0; c < classes_; ++c) sum += row[c];
    const double inverse = 1 / sum;
    for (int64_t c = 0; c < classes_; ++c) row[c] *= inverse;
    scratch.sums[static_cast<size_t>(i)] = sum;
  }
  unary(UnaryOp::kLog, scratch.sums.data(), scratch.sums.data(), rows);
  for (int64_t i = 0; i < rows; ++i) {
    loss += scratch.sums[static_cast<size_t>(i)] - scratch.shift[static_cast<size_t>(i)];
  }
  return loss;
}

double SoftmaxLoss::evaluate(std::span<const double> theta, double penalty, std::span<double> gradient) const {
  const int64_t d = design_->columns();
  const int64_t weights = d * width_;
  const int64_t lane_size = weights + width_;
  const int64_t lanes = size() > kLargeTheta ? 1 : std::min(kLanes, design_->blocks());
  std::vector<double> lane_gradient(static_cast<size_t>(lanes * lane_size));  // of W by column, then of the bias
  std::vector<double> lane_loss(static_cast<size_t>(lanes));
  std::vector<Scratch> scratches(static_cast<size_t>(lanes == 1 ? 1 : worker_count(context_)));
  const std::vector<double> columns = by_column(theta);

  const auto run_lane = [&](int64_t lane, int worker) {
    Scratch& scratch = scratches[static_cast<size_t>(worker)];
    double* mine = lane_gradient.data() + lane * lane_size;
    for (int64_t b = design_->blocks() * lane / lanes; b < design_->blocks() * (lane + 1) / lanes; ++b) {
      const double* z = design_->block(b, scratch.block);
      const int64_t all = design_->rows_in(b);
      const int64_t most = classes_ <= kMostSkinny ? kRowsAtOnce : all;
      double loss = 0;
      for (int64_t done = 0; done < all; done += most) {
        const int64_t first = b * design_->block_rows() + done, rows = std::min(most, all - done);
        const double* part = z + done * d;
        logits(columns, rows, part, scratch);
        loss = probabilities(columns, first, rows, loss, scratch);
        for (int64_t i = 0; i < rows; ++i) {  // residual p − y, and its column sums: the gradient of the bias
          double* row = scratch.p.data() + i * width_;
          row[labels_[static_cast<size_t>(first + i)]] -= 1;
          for (int64_t c = 0; c < classes_; ++c) mine[weights + c] += row[c];
        }
        if (classes_ <= kMostSkinny) {
          skinny_product(d, width_, rows, part, 1, d, scratch.p.data(), mine);
        } else {
          scratch.product.resize(static_cast<size_t>(weights));
          matmul(context_, d, width_, rows, part, d, Trans::kYes, scratch.p.data(), width_, Trans::kNo,
                 scratch.product.data(), width_);
          axpy(1.0, scratch.product.data(), mine, weights);
        }
      }
      lane_loss[static_cast<size_t>(lane)] += loss;
    }
  };
  if (lanes == 1) {
    run_lane(0, 0);
  } else {
    run_tasks(context_.pool, lanes, run_lane);
  }

  const double inverse = 1 / static_cast<double>(design_->rows());
  double loss = 0;
  for (const double part : lane_loss) loss += part;
  for (int64_t lane = 1; lane < lanes; ++lane) {
    axpy(1.0, lane_gradient.data() + lane * lane_size, lane_gradient.data(), lane_size);
  }
  for (int64_t c = 0; c < classes_; ++c) {
    for (int64_t j = 0; j < d; ++j) {
      gradient[static_cast<size_t>(c * d + j)] = inverse * lane_gradient[static_cast<size_t>(j * width_ + c)];
    }
    gradient[static_cast<size_t>(classes_ * d + c)] = inverse * lane_gradient[static_cast<size_t>(weights + c)];
  }
  axpy(penalty, theta.data(), gradient.data(), classes_ * d);
  return loss * inverse + 0.5 * penalty * dot(theta.data(), theta.data(), classes_ * d);
}

std::vector<double> SoftmaxLoss::class_covariance(std::span<const double> theta) const {
  const auto k = static_cast<size_t>(classes_);
  const std::vector<double> columns = by_column(theta);
  const int64_t lanes = std::min(kLanes, design_->blocks());
  const size_t lane_size = k * k + k;
  std::vector<double> sums(static_cast<size_t>(lanes) * lane_size);  // Σ ppᵀ and Σ p of each lane
  std::vector<Scratch> scratches(static_cast<size_t>(worker_count(context_)));
  run_tasks(context_.pool, lanes, [&](int64_t lane, int worker) {
    Scratch& scratch = scratches[static_cast<size_t>(worker)];
    std::vector<double> part(k * k);
    double* mine = sums.data() + static_cast<size_t>(lane) * lane_size;
    for (int64_t b = design_->blocks() * lane / lanes; b < design_->blocks() * (lane + 1) / lanes; ++b) {
      const int64_t rows = design_->rows_in(b);
      logits(columns, rows, design_->block(b, scratch.block), scratch);
      (void)probabilities(columns, b * design_->block_rows(), rows, 0, scratch);
      gram(context_, rows, classes_, scratch.p.data(), width_, part.data(), classes_);
      axpy(1.0, part.data(), mine, static_cast<int64_t>(k * k));
      for (int64_t i = 0; i < rows; ++i) axpy(1.0, scratch.p.data() + i * width_, mine + k * k, classes_);
    }
  });
  for (int64_t lane = 1; lane < lanes; ++lane) {
    axpy(1.0, sums.data() + static_cast<size_t>(lane) * lane_size, sums.data(), static_cast<int64_t>(lane_size));
  }
  const double inverse = 1 / static_cast<double>(design_->rows());
  std::vector<double> out(k * k);
  for (size_t i = 0; i < k * k; ++i) out[i] = -sums[i] * inverse;
  for (size_t c = 0; c < k; ++c) out[c * k + c] += sums[k * k + c] * inverse;
  return out;
}

}  // namespace modnet
