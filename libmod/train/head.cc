// Checks that every solver makes before it starts. Tested by tests/unit/train/head_test.cc.
#include "libmod/train/head.h"

#include <cmath>
#include <string>

namespace modnet {

Status check_features(const Features& features) {
  const int64_t n = features.rows;
  const int64_t d = features.columns;
  if (n < 1) return invalid("no rows to train on", "give data with at least two labelled rows");
  if (d < 1) return invalid("features without columns", "give embeddings of at least one dimension");
  if (n < 2) return invalid("one row to train on", "give at least two rows");
  if (static_cast<int64_t>(features.values.size()) / d != n || static_cast<int64_t>(features.values.size()) % d != 0) {
    return internal("expected " + std::to_string(n) + " rows of " + std::to_string(d) + " features, got " +
                    std::to_string(features.values.size()) + " numbers");
  }
  bool differ = false;
  for (int64_t i = 0; i < n; ++i) {
    const float* row = features.values.data() + i * d;
    for (int64_t j = 0; j < d; ++j) {
      if (!std::isfinite(row[j])) {
        return invalid("row " + std::to_string(i) + ", column " + std::to_string(j) + ": a feature that is not finite",
                       "remove the row, or look at the input it came from");
      }
      differ = differ || row[j] != features.values[static_cast<size_t>(j)];
    }
  }
  if (!differ) {
    return invalid("every row has the same features",
                   "check that the inputs differ and that the backbone is the right one");
  }
  return ok();
}

Result<std::vector<int64_t>> check_labels(std::span<const int32_t> labels, int64_t rows, int64_t classes) {
  if (static_cast<int64_t>(labels.size()) != rows) {
    return internal("expected " + std::to_string(rows) + " labels, got " + std::to_string(labels.size()));
  }
  if (classes < 2)
    return invalid("expected at least two classes, got " + std::to_string(classes), "give data of two classes");
  if (classes > rows) {
    return invalid("more classes (" + std::to_string(classes) + ") than rows (" + std::to_string(rows) + ")",
                   "check that the label column holds classes, not ids or numbers");
  }
  std::vector<int64_t> counts(static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] < 0 || labels[i] >= classes) {
      return invalid("row " + std::to_string(i) + " has class " + std::to_string(labels[i]) + ", expected 0 to " +
                     std::to_string(classes - 1));
    }
    ++counts[static_cast<size_t>(labels[i])];
  }
  for (size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] == 0) {
      return invalid("class " + std::to_string(c) + " has no rows to train on",
                     "leave the label out, or give examples of it");
    }
  }
  return counts;
}

}  // namespace modnet
