// The affine change of features that a solver works in, and its way back: results always speak of raw features.
// Tested by tests/unit/train/standardize_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "libmod/train/head.h"

namespace modnet {

/// z_j = (x[kept_j] − mean_j) · factor_j. Columns are always centred (with an explicit, unpenalised bias that changes
/// no optimum); factor is 1 without standardisation, else 1/spread.
struct Scaling {
  int64_t columns = 0;           // of the raw features
  std::vector<int64_t> kept;     // raw column of each z_j, ascending
  std::vector<double> mean;      // [kept]
  std::vector<double> factor;    // [kept]
  std::vector<int64_t> dropped;  // standardised: columns with a spread below 1e-6 of the median, or none at all
  bool standardized = false;
};

/// Measured over `rows` (row numbers; empty means all). Spread: the population standard deviation in f64, exactly 0 for
/// a column whose values are all equal; the median is over columns with a spread. Means and spreads are sums over rows
/// in order.
[[nodiscard]] Scaling measure_scaling(const Features& features, std::span<const int64_t> rows, Standardize standardize);

/// solved: [outputs, kept] and bias [outputs] on z → weights [outputs, columns] and bias on x.
void unscale(const Scaling& scaling, int64_t outputs, std::span<const double> solved, std::span<const double> bias,
             LinearHead& head);

/// The other way: a head on x as a starting point on z, [outputs, kept], then the bias [outputs]. Dropped columns are
/// taken to stand at the value 0.
[[nodiscard]] std::vector<double> rescale(const Scaling& scaling, const LinearHead& head);

}  // namespace modnet
