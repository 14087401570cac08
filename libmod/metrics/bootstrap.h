// Percentile intervals by resampling rows: how much a metric would move on another sample of the same size.
// Tested by tests/unit/metrics/bootstrap_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "formats/base/result.h"
#include "libmod/compute/threads.h"

namespace modnet {

/// A 95 % percentile interval (Efron 1979; linear interpolation between order statistics).
struct Interval {
  double low = 0;
  double high = 0;
  int64_t replicates = 0;  // those with a finite value; 0: low and high are NaN
};

struct BootstrapOptions {
  int64_t replicates = 1000;
  uint64_t seed = 0;
};

/// Fills values [statistics] from how often each row was drawn: counts [n], summing to n. Called from several threads
/// at once, so it must not write anywhere else. A value that is not finite (undefined on this sample) is left out of
/// the interval.
using BootstrapStatistic = std::function<void(std::span<const double> counts, std::span<double> values)>;

/// Draws `replicates` samples of n rows with replacement and returns one interval a statistic. Replicate r draws with
/// Philox4x32-10 keyed by the seed, counter (draw / 4, "boot", r), so the result is the same for any number of threads.
/// A 32-bit draw u picks row ⌊u · n / 2³²⌋. `pool` may be null.
/// kInvalid: n outside [1, 2³²), replicates < 2, statistics < 1.
[[nodiscard]] Result<std::vector<Interval>> bootstrap(int64_t n, int64_t statistics, const BootstrapOptions& options,
                                                      const BootstrapStatistic& statistic, ThreadPool* pool = nullptr);

}  // namespace modnet
