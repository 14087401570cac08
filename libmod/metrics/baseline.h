// What a model has to beat: the answer that looks at no feature. Tested by tests/unit/metrics/baseline_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/base/result.h"

namespace modnet {

/// Predicts the same class for every row.
struct MajorityBaseline {
  int32_t label = 0;              // the most frequent class, the first of equally frequent ones
  std::vector<double> frequency;  // [classes] share of each class
};

/// From the labels a model was trained on where they are known, else from those of the data. labels: [n] in [0,
/// classes). kInvalid: no labels, or one outside the range.
[[nodiscard]] Result<MajorityBaseline> majority_baseline(std::span<const int32_t> labels, int64_t classes);
/// The same from training counts [classes] (as a head's card records them). kInvalid: all zero, or negative.
[[nodiscard]] Result<MajorityBaseline> majority_baseline(std::span<const int64_t> counts);

/// The mean of each output, which minimises the squared error of a constant: [outputs]. targets: [n, outputs], finite.
/// kInvalid: no rows, a size that does not fit, a value that is not finite.
[[nodiscard]] Result<std::vector<double>> mean_baseline(std::span<const double> targets, int64_t outputs);

}  // namespace modnet
