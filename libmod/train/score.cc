// Outputs, log loss and accuracy of a linear head. Tested by tests/unit/train/score_test.cc.
#include "libmod/train/score.h"

#include <algorithm>

#include "libmod/compute/rows.h"
#include "libmod/train/design.h"

namespace modnet {

std::vector<double> head_outputs(const ComputeContext& context, const Features& features, std::span<const int64_t> rows,
                                 const LinearHead& head) {
  const int64_t n = rows.empty() ? features.rows : static_cast<int64_t>(rows.size());
  const int64_t d = features.columns;
  const int64_t k = head.outputs;
  std::vector<double> out(static_cast<size_t>(n * k));
  constexpr int64_t kBlock = 512;
  std::vector<double> block(static_cast<size_t>(std::min(kBlock, n) * d));
  for (int64_t first = 0; first < n; first += kBlock) {
    const int64_t count = std::min(kBlock, n - first);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = rows.empty() ? first + i : rows[static_cast<size_t>(first + i)];
      std::copy_n(features.values.data() + row * d, d, block.data() + i * d);
    }
    double* outputs = out.data() + first * k;
    matmul(context, count, k, d, block.data(), d, Trans::kNo, head.weights.data(), d, Trans::kYes, outputs, k);
    for (int64_t i = 0; i < count * k; ++i) outputs[i] += head.bias[static_cast<size_t>(i % k)];
  }
  return out;
}

double softmax_log_loss(const OutputRows& scored, std::span<const int32_t> labels) {
  std::vector<double> log_p(scored.outputs.size());
  const auto n = static_cast<int64_t>(scored.rows.size());
  const int64_t k = scored.count;
  log_softmax(RowsOf<const double>{scored.outputs.data(), n, k, k}, RowsOf<double>{log_p.data(), n, k, k});
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    sum -= log_p[static_cast<size_t>(i * k + labels[static_cast<size_t>(scored.rows[static_cast<size_t>(i)])])];
  }
  return sum / static_cast<double>(n);
}

double greatest_output_accuracy(const OutputRows& scored, std::span<const int32_t> labels) {
  int64_t right = 0;
  for (size_t i = 0; i < scored.rows.size(); ++i) {
    const double* row = scored.outputs.data() + static_cast<int64_t>(i) * scored.count;
    const int64_t top = std::max_element(row, row + scored.count) - row;
    right += top == labels[static_cast<size_t>(scored.rows[i])] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(scored.rows.size());
}

}  // namespace modnet
