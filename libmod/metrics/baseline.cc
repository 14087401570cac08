// Majority and mean baselines. Tested by tests/unit/metrics/baseline_test.cc.
#include "libmod/metrics/baseline.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace modnet {

Result<MajorityBaseline> majority_baseline(std::span<const int64_t> counts) {
  double total = 0;
  for (const int64_t count : counts) {
    if (count < 0) return invalid("a class count below zero");
    total += static_cast<double>(count);
  }
  if (total == 0) return invalid("no rows to count classes of", "give data with at least one labelled row");
  MajorityBaseline out;
  out.label = static_cast<int32_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
  for (const int64_t count : counts) out.frequency.push_back(static_cast<double>(count) / total);
  return out;
}

Result<MajorityBaseline> majority_baseline(std::span<const int32_t> labels, int64_t classes) {
  if (classes < 1) return invalid("expected at least one class, got " + std::to_string(classes));
  std::vector<int64_t> counts(static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      return invalid("row " + std::to_string(i) + " has class " + std::to_string(labels[i]) + ", expected 0 to " +
                     std::to_string(classes - 1));
    }
    ++counts[static_cast<size_t>(labels[i])];
  }
  return majority_baseline(counts);
}

Result<std::vector<double>> mean_baseline(std::span<const double> targets, int64_t outputs) {
  if (outputs < 1 || targets.empty() || targets.size() % static_cast<size_t>(outputs) != 0) {
    return invalid("expected rows of " + std::to_string(outputs) + " targets, got " + std::to_string(targets.size()) +
                   " numbers");
  }
  const auto m = static_cast<size_t>(outputs);
  std::vector<double> out(m);
  for (size_t i = 0; i < targets.size(); ++i) {
    if (!std::isfinite(targets[i])) return invalid("row " + std::to_string(i / m) + ": a target that is not finite");
    out[i % m] += targets[i];
  }
  for (double& mean : out) mean /= static_cast<double>(targets.size() / m);
  return out;
}

}  // namespace modnet
