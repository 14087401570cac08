// Errors of predicted numbers. Tested by tests/unit/metrics/regression_test.cc and tests/parity/metrics_test.cc.
#pragma once

#include <cstdint>
#include <span>

#include "formats/base/result.h"

namespace modnet {

/// True and predicted values of n rows with `outputs` numbers each; the spans must outlive it.
struct NumberRows {
  std::span<const double> truth;      // [n, outputs]
  std::span<const double> predicted;  // [n, outputs]
  int64_t outputs = 1;
  std::span<const double> weights = {};  // [n] non-negative, or empty for ones

  [[nodiscard]] int64_t rows() const { return outputs > 0 ? static_cast<int64_t>(truth.size()) / outputs : 0; }
};

/// kInvalid: no rows, sizes that do not fit, a value or weight that is not finite, a sum of weights of zero. Every
/// function below expects rows that passed. With several outputs each is the plain mean of the outputs' own values.
[[nodiscard]] Status check_rows(const NumberRows& rows);

[[nodiscard]] double mean_squared_error(const NumberRows& rows);
[[nodiscard]] double root_mean_squared_error(const NumberRows& rows);
[[nodiscard]] double mean_absolute_error(const NumberRows& rows);
/// Weighted: the first error at which half of the weight is reached, averaged with the next where it is exactly half.
[[nodiscard]] double median_absolute_error(const NumberRows& rows);
/// Largest |truth − predicted| of all outputs.
[[nodiscard]] double max_error(const NumberRows& rows);
/// Mean of |truth − predicted| / max(|truth|, 2⁻⁵²).
[[nodiscard]] double mean_absolute_percentage_error(const NumberRows& rows);
/// 1 − Σ(truth − predicted)² / Σ(truth − mean)². NaN for one row; where the truth is constant 1 if every prediction is
/// right, else 0 (as scikit-learn).
[[nodiscard]] double r2_score(const NumberRows& rows);
/// 1 − Var(truth − predicted) / Var(truth), with the same rule for a constant truth; 1 for one row.
[[nodiscard]] double explained_variance(const NumberRows& rows);

}  // namespace modnet
