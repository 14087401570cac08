// Which training rows are put aside to choose the regularisation with. Tested by tests/unit/train/holdout_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/base/result.h"

namespace modnet {

/// Row numbers, each list ascending; together every row once.
struct Split {
  std::vector<int64_t> training;
  std::vector<int64_t> holdout;
};

/// Of each class with c rows, round(c · share) go to the holdout, but never its last one: a class with one row stays
/// in the training part. Chosen by Philox (seed, row), so a row's place does not depend on the others' order in memory.
/// labels: [n] in [0, classes). kUsage: share outside (0, 1).
[[nodiscard]] Result<Split> stratified_split(std::span<const int32_t> labels, int64_t classes, double share,
                                             uint64_t seed);

/// The same without classes: round(n · share) rows, at most n − 2.
[[nodiscard]] Result<Split> random_split(int64_t n, double share, uint64_t seed);

}  // namespace modnet
