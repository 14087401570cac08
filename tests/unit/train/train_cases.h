// Small seeded data sets for the solver tests.
#pragma once

#include <cstdint>
#include <vector>

#include "libmod/compute/random.h"
#include "libmod/train/head.h"

namespace modnet::test {

struct Labelled {
  std::vector<float> x;  // [rows, columns]
  std::vector<int32_t> y;
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t classes = 0;
  [[nodiscard]] Features features() const { return {x, rows, columns}; }
};

/// Normal features; each class's mean is moved by `apart` along a direction of its own. Every class occurs.
inline Labelled labelled(int64_t rows, int64_t columns, int64_t classes, double apart, uint64_t seed) {
  Labelled out{{}, {}, rows, columns, classes};
  const Random noise(seed, 1);
  const Random centre(seed, 2);
  const Random choice(seed, 3);
  for (int64_t i = 0; i < rows; ++i) {
    const auto row = static_cast<uint64_t>(i);
    const auto label = i < classes ? static_cast<uint64_t>(i) : choice.below(static_cast<uint64_t>(classes), row);
    out.y.push_back(static_cast<int32_t>(label));
    for (int64_t j = 0; j < columns; ++j) {
      const auto at = static_cast<uint64_t>(j);
      const double mean = apart * centre.normal(label * static_cast<uint64_t>(columns) + at);
      out.x.push_back(static_cast<float>(mean + noise.normal(row * static_cast<uint64_t>(columns) + at)));
    }
  }
  return out;
}

}  // namespace modnet::test
