// The features a solver sees: chosen rows, centred and scaled, in f64, a block of rows at a time.
// Sixty thousand rows of two thousand features are a gigabyte in f64; blocks keep memory bounded, and since their size
// depends on the width alone, so do the sums that are made of them. Tested by tests/unit/train/design_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "libmod/compute/matmul.h"
#include "libmod/train/standardize.h"

namespace modnet {

class Design {
 public:
  /// rows: row numbers, empty for all. Features, rows and scaling must outlive it. Keeps an f64 copy up to 256 MiB.
  Design(const ComputeContext& context, const Features& features, std::span<const int64_t> rows,
         const Scaling& scaling);

  [[nodiscard]] int64_t rows() const { return rows_; }
  [[nodiscard]] int64_t columns() const { return columns_; }
  /// Rows of every block but the last; depends on columns() alone.
  [[nodiscard]] int64_t block_rows() const { return block_rows_; }
  [[nodiscard]] int64_t blocks() const { return (rows_ + block_rows_ - 1) / block_rows_; }
  [[nodiscard]] int64_t rows_in(int64_t block) const;
  /// Row number in the features of row i of the design.
  [[nodiscard]] int64_t source_row(int64_t i) const { return chosen_.empty() ? i : chosen_[static_cast<size_t>(i)]; }

  /// z of one block [rows_in(block), columns()]: the kept copy, or made in `buffer`.
  [[nodiscard]] const double* block(int64_t block, std::vector<double>& buffer) const;

  /// zᵀz of every `stride`-th block [columns, columns], and the number of rows in it.
  int64_t gram(const ComputeContext& context, int64_t stride, std::vector<double>& out) const;
  /// zᵀt [columns, outputs] for targets that `fill` writes: fill(first row of the design, rows, t[rows, outputs]).
  using Targets = std::function<void(int64_t first, int64_t rows, double* t)>;
  void correlate(const ComputeContext& context, int64_t outputs, const Targets& fill, std::vector<double>& out) const;

 private:
  void make(int64_t first, int64_t rows, double* out) const;

  const Features* features_;
  std::span<const int64_t> chosen_;
  const Scaling* scaling_;
  int64_t rows_;
  int64_t columns_;
  int64_t block_rows_;
  std::vector<double> copy_;
};

[[nodiscard]] inline int worker_count(const ComputeContext& context) {
  return context.pool == nullptr ? 1 : context.pool->size();
}

}  // namespace modnet
