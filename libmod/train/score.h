// A head's outputs on rows that it was not fitted to, and what they are worth. Tested by
// tests/unit/train/score_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libmod/compute/matmul.h"
#include "libmod/train/head.h"

namespace modnet {

/// x · weightsᵀ + bias in f64 for the given row numbers (empty: all): [rows, outputs].
[[nodiscard]] std::vector<double> head_outputs(const ComputeContext& context, const Features& features,
                                               std::span<const int64_t> rows, const LinearHead& head);

/// labels: of all rows of the features; rows: which of them `outputs` [rows, classes] belong to.
struct OutputRows {
  std::span<const double> outputs;
  std::span<const int64_t> rows;
  int64_t count = 0;  // outputs a row
};
/// Mean of −log softmax(outputs)[label], in nats.
[[nodiscard]] double softmax_log_loss(const OutputRows& scored, std::span<const int32_t> labels);
/// Share of rows whose greatest output (the first of equals) is the label's.
[[nodiscard]] double greatest_output_accuracy(const OutputRows& scored, std::span<const int32_t> labels);

}  // namespace modnet
