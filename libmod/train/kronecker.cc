// The Kronecker preconditioner. Tested by tests/unit/train/kronecker_test.cc.
#include "libmod/train/kronecker.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "libmod/compute/linalg.h"
#include "libmod/compute/threads.h"

namespace modnet {
namespace {

constexpr int64_t kMostRotated = 64;    // classes beyond which M's diagonal has to do
constexpr double kNoCurvature = 1e-13;  // λ below this share of the greatest one counts as zero
constexpr double kSingular = 1e-13;     // what is added to G is at least this share of its trace
constexpr int kSweeps = 30;

// ratio rounded to a power of 2 (4 for wide features): within a factor of √2 (2) of it.
int bucket_of(double ratio, int64_t columns) {
  const int exponent = std::ilogb(ratio);
  return columns > 1024 ? (exponent >= 0 ? exponent / 2 : (exponent - 1) / 2) : exponent;
}
double bucket_value(int bucket, int64_t columns) {
  return columns > 1024 ? std::ldexp(2.0, 2 * bucket) : std::ldexp(1.4142135623730951, bucket);
}

}  // namespace

void jacobi_eigen(int64_t n, std::vector<double>& a, std::vector<double>& vectors) {
  const auto size = static_cast<size_t>(n);
  vectors.assign(size * size, 0.0);
  for (size_t i = 0; i < size; ++i) vectors[i * size + i] = 1;
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    double off = 0;
    double all = 0;
    for (size_t i = 0; i < size; ++i) {
      for (size_t j = 0; j < size; ++j) (i == j ? all : off) += a[i * size + j] * a[i * size + j];
    }
    if (off <= 1e-30 * all) return;
    for (size_t p = 0; p < size; ++p) {
      for (size_t q = p + 1; q < size; ++q) {
        const double apq = a[p * size + q];
        if (apq == 0) continue;
        const double theta = (a[q * size + q] - a[p * size + p]) / (2 * apq);
        const double t = (theta >= 0 ? 1.0 : -1.0) / (std::fabs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1);
        const double s = t * c;
        for (size_t i = 0; i < size; ++i) {
          const double x = a[i * size + p];
          const double y = a[i * size + q];
          a[i * size + p] = c * x - s * y;
          a[i * size + q] = s * x + c * y;
        }
        for (size_t i = 0; i < size; ++i) {
          const double x = a[p * size + i];
          const double y = a[q * size + i];
          a[p * size + i] = c * x - s * y;
          a[q * size + i] = s * x + c * y;
          const double u = vectors[i * size + p];
          const double v = vectors[i * size + q];
          vectors[i * size + p] = c * u - s * v;
          vectors[i * size + q] = s * u + c * v;
        }
      }
    }
  }
}

Result<KroneckerInverse> KroneckerInverse::make(const ComputeContext& context, std::vector<double> covariance,
                                                int64_t classes, const std::vector<double>& gram, int64_t columns,
                                                double penalty) {
  KroneckerInverse out;
  out.classes_ = classes;
  out.columns_ = columns;
  out.penalty_ = penalty;
  if (classes <= kMostRotated) jacobi_eigen(classes, covariance, out.rotation_);
  double greatest = 0;
  for (int64_t c = 0; c < classes; ++c) {
    out.lambda_.push_back(covariance[static_cast<size_t>(c * classes + c)]);
    greatest = std::max(greatest, out.lambda_.back());
  }
  double trace = 0;
  for (int64_t j = 0; j < columns; ++j) trace += gram[static_cast<size_t>(j * columns + j)];
  const double least = kSingular * trace;
  std::map<int, size_t> by_bucket;
  for (int64_t c = 0; c < classes; ++c) {
    double& lambda = out.lambda_[static_cast<size_t>(c)];
    if (!(lambda > kNoCurvature * greatest)) {
      lambda = 0;
      continue;
    }
    if (columns == 0) continue;
    const int bucket = bucket_of(std::max(penalty / lambda, least), columns);
    const auto [at, added] = by_bucket.try_emplace(bucket, out.groups_.size());
    if (!added) {
      out.groups_[at->second].members.push_back(c);
      continue;
    }
    const double ratio = bucket_value(bucket, columns);
    Group group{{c}, gram};
    for (int64_t j = 0; j < columns; ++j) group.factor[static_cast<size_t>(j * columns + j)] += ratio;
    MODNET_TRY(cholesky(context, columns, group.factor.data(), columns));
    out.groups_.push_back(std::move(group));
  }
  return out;
}

void KroneckerInverse::apply(const ComputeContext& context, std::span<double> v) const {
  const int64_t d = columns_;
  const int64_t k = classes_;
  const int64_t weights = k * d;
  std::vector<double> turned(v.begin(), v.end());
  const auto rotate = [&](Trans trans, const double* from, double* to) {
    if (rotation_.empty()) {
      std::copy_n(from, weights + k, to);
      return;
    }
    matmul(context, k, d, k, rotation_.data(), k, trans, from, d, Trans::kNo, to, d);
    matmul(context, k, 1, k, rotation_.data(), k, trans, from + weights, 1, Trans::kNo, to + weights, 1);
  };
  rotate(Trans::kYes, v.data(), turned.data());
  for (int64_t c = 0; c < k; ++c) {
    const double lambda = lambda_[static_cast<size_t>(c)];
    const double scale = 1 / (lambda > 0 ? lambda : penalty_);
    for (int64_t j = 0; j < d; ++j) turned[static_cast<size_t>(c * d + j)] *= scale;
    double& bias = turned[static_cast<size_t>(weights + c)];
    bias = lambda > 0 ? bias / lambda : 0;
  }
  run_tasks(context.pool, static_cast<int64_t>(groups_.size()), [&](int64_t number, int) {  // each has classes of its own
    const Group& group = groups_[static_cast<size_t>(number)];
    const auto count = static_cast<int64_t>(group.members.size());
    std::vector<double> columns(static_cast<size_t>(d * count));  // one right-hand side a member
    for (int64_t g = 0; g < count; ++g) {
      const double* from = turned.data() + group.members[static_cast<size_t>(g)] * d;
      for (int64_t j = 0; j < d; ++j) columns[static_cast<size_t>(j * count + g)] = from[j];
    }
    cholesky_solve(context, d, group.factor.data(), d, count, columns.data(), count);
    for (int64_t g = 0; g < count; ++g) {
      double* to = turned.data() + group.members[static_cast<size_t>(g)] * d;
      for (int64_t j = 0; j < d; ++j) to[j] = columns[static_cast<size_t>(j * count + g)];
    }
  });
  rotate(Trans::kNo, turned.data(), v.data());
}

}  // namespace modnet
