// Resampling rows with a counter-based generator: replicate r is a pure function of the seed and r, so threads only
// divide the replicates. Tested by tests/unit/metrics/bootstrap_test.cc.
#include "libmod/metrics/bootstrap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "libmod/compute/random.h"

namespace modnet {
namespace {

constexpr uint32_t kBootstrapStream = 0x626f6f74;  // "boot": no other user of the seed draws at these counters

// How often each of n rows was drawn in one sample of n. A 32-bit draw is scaled to [0, n) by its high product.
void draw_counts(const BootstrapOptions& options, int64_t replicate, std::vector<double>& counts) {
  std::fill(counts.begin(), counts.end(), 0.0);
  const auto n = static_cast<uint64_t>(counts.size());
  const std::array<uint32_t, 2> key{static_cast<uint32_t>(options.seed), static_cast<uint32_t>(options.seed >> 32)};
  const auto stream = static_cast<uint64_t>(replicate);
  for (uint64_t first = 0; first < n; first += 4) {
    const std::array<uint32_t, 4> counter{static_cast<uint32_t>(first / 4), kBootstrapStream,
                                          static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32)};
    const std::array<uint32_t, 4> block = philox4x32(counter, key);
    for (uint64_t i = 0; i < std::min<uint64_t>(4, n - first); ++i) counts[(block[i] * n) >> 32] += 1;
  }
}

// Linear interpolation between order statistics; sorted is not empty.
double quantile(const std::vector<double>& sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Interval interval_of(const std::vector<double>& values, int64_t statistics, int64_t which) {
  std::vector<double> finite;
  for (size_t i = static_cast<size_t>(which); i < values.size(); i += static_cast<size_t>(statistics)) {
    if (std::isfinite(values[i])) finite.push_back(values[i]);
  }
  if (finite.empty()) return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN(), 0};
  std::sort(finite.begin(), finite.end());
  return {quantile(finite, 0.025), quantile(finite, 0.975), static_cast<int64_t>(finite.size())};
}

}  // namespace

Result<std::vector<Interval>> bootstrap(int64_t n, int64_t statistics, const BootstrapOptions& options,
                                        const BootstrapStatistic& statistic, ThreadPool* pool) {
  if (n < 1 || n > int64_t{0xffffffff}) return invalid("expected 1 to 4294967295 rows, got " + std::to_string(n));
  if (options.replicates < 2 || statistics < 1) {
    return invalid("expected at least 2 replicates of 1 statistic, got " + std::to_string(options.replicates) + " of " +
                   std::to_string(statistics));
  }
  std::vector<double> values(static_cast<size_t>(options.replicates * statistics));
  const int workers = pool == nullptr ? 1 : pool->size();
  std::vector<std::vector<double>> counts(static_cast<size_t>(workers), std::vector<double>(static_cast<size_t>(n)));
  const auto replicate = [&](int64_t r, int worker) {
    std::vector<double>& mine = counts[static_cast<size_t>(worker)];
    draw_counts(options, r, mine);
    statistic(mine, std::span(values).subspan(static_cast<size_t>(r * statistics), static_cast<size_t>(statistics)));
  };
  if (pool != nullptr) {
    pool->parallel_for(options.replicates, replicate);
  } else {
    for (int64_t r = 0; r < options.replicates; ++r) replicate(r, 0);
  }
  std::vector<Interval> out;
  for (int64_t s = 0; s < statistics; ++s) out.push_back(interval_of(values, statistics, s));
  return out;
}

}  // namespace modnet
