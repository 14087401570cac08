// Blocks of centred, scaled f64 features. Tested by tests/unit/train/design_test.cc.
#include "libmod/train/design.h"

#include <algorithm>

#include "libmod/compute/rows.h"
#include "libmod/compute/skinny.h"
#include "libmod/compute/threads.h"

namespace modnet {
namespace {

constexpr int64_t kBlockNumbers = 128 * 1024;       // one block is about 1 MiB
constexpr int64_t kCopyNumbers = 32 * 1024 * 1024;  // 256 MiB

}  // namespace

Design::Design(const ComputeContext& context, const Features& features, std::span<const int64_t> rows,
               const Scaling& scaling)
    : features_(&features),
      chosen_(rows),
      scaling_(&scaling),
      rows_(rows.empty() ? features.rows : static_cast<int64_t>(rows.size())),
      columns_(static_cast<int64_t>(scaling.kept.size())),
      block_rows_(std::clamp<int64_t>(kBlockNumbers / std::max<int64_t>(1, columns_), 64, 512)) {
  if (rows_ * columns_ > kCopyNumbers) return;
  copy_.resize(static_cast<size_t>(rows_ * columns_));
  run_tasks(context.pool, blocks(),
                [&](int64_t b, int) { make(b * block_rows_, rows_in(b), copy_.data() + b * block_rows_ * columns_); });
}

int64_t Design::rows_in(int64_t block) const { return std::min(block_rows_, rows_ - block * block_rows_); }

void Design::make(int64_t first, int64_t rows, double* out) const {
  const Scaling& scaling = *scaling_;
  const bool all = columns_ == features_->columns;
  std::vector<float> kept(all ? 0 : scaling.kept.size());
  for (int64_t i = 0; i < rows; ++i, out += columns_) {
    const float* row = features_->values.data() + source_row(first + i) * features_->columns;
    for (size_t j = 0; j < kept.size(); ++j) kept[j] = row[scaling.kept[j]];
    centre_and_scale(all ? row : kept.data(), scaling.mean.data(), scaling.factor.data(), out, columns_);
  }
}

const double* Design::block(int64_t block, std::vector<double>& buffer) const {
  if (!copy_.empty()) return copy_.data() + block * block_rows_ * columns_;
  buffer.resize(static_cast<size_t>(block_rows_ * columns_));
  make(block * block_rows_, rows_in(block), buffer.data());
  return buffer.data();
}

int64_t Design::gram(const ComputeContext& context, int64_t stride, std::vector<double>& out) const {
  const auto size = static_cast<size_t>(columns_ * columns_);
  out.assign(size, 0.0);
  std::vector<double> part(size);
  // Several blocks at a time, so that adding up their Gram matrices costs little beside making them.
  const int64_t group = std::max<int64_t>(1, 2048 / block_rows_);
  std::vector<double> rows;
  std::vector<double> buffer;
  int64_t seen = 0;
  for (int64_t b = 0; b < blocks();) {
    rows.clear();
    for (int64_t taken = 0; taken < group && b < blocks(); ++taken, b += stride) {
      const double* z = block(b, buffer);
      rows.insert(rows.end(), z, z + rows_in(b) * columns_);
      seen += rows_in(b);
    }
    modnet::gram(context, static_cast<int64_t>(rows.size()) / columns_, columns_, rows.data(), columns_, part.data(),
                 columns_);
    axpy(1.0, part.data(), out.data(), static_cast<int64_t>(size));
  }
  return seen;
}

void Design::correlate(const ComputeContext& context, int64_t outputs, const Targets& fill,
                       std::vector<double>& out) const {
  const auto size = static_cast<size_t>(columns_ * outputs);
  out.assign(size, 0.0);
  std::vector<double> part(size);
  std::vector<double> buffer;
  std::vector<double> targets(static_cast<size_t>(block_rows_ * outputs));
  for (int64_t b = 0; b < blocks(); ++b) {
    const double* z = block(b, buffer);
    fill(b * block_rows_, rows_in(b), targets.data());
    matmul(context, columns_, outputs, rows_in(b), z, columns_, Trans::kYes, targets.data(), outputs, Trans::kNo,
           part.data(), outputs);
    axpy(1.0, part.data(), out.data(), static_cast<int64_t>(size));
  }
}

}  // namespace modnet
