// Seeded splits. Tested by tests/unit/train/holdout_test.cc.
#include "libmod/train/holdout.h"

#include <algorithm>
#include <string>
#include <utility>

#include "libmod/compute/random.h"

namespace modnet {
namespace {

constexpr uint32_t kHoldoutStream = 0x686f6c64;  // "hold"

// Sends the `count` rows with the smallest random keys to the holdout, the rest to the training part.
void divide(const std::vector<int64_t>& rows, int64_t count, const Random& random, Split& split) {
  std::vector<std::pair<uint64_t, int64_t>> keyed;
  keyed.reserve(rows.size());
  for (const int64_t row : rows) keyed.emplace_back(random.bits(static_cast<uint64_t>(row)), row);
  std::sort(keyed.begin(), keyed.end());
  for (size_t i = 0; i < keyed.size(); ++i) {
    (static_cast<int64_t>(i) < count ? split.holdout : split.training).push_back(keyed[i].second);
  }
}

int64_t held_out(int64_t rows, double share, int64_t keep) {
  const auto wanted = static_cast<int64_t>(static_cast<double>(rows) * share + 0.5);
  return std::max<int64_t>(0, std::min(wanted, rows - keep));
}

Status check_share(double share) {
  if (share > 0 && share < 1) return ok();
  return usage("expected a holdout share between 0 and 1, got " + std::to_string(share));
}

Split sorted(Split split) {
  std::sort(split.training.begin(), split.training.end());
  std::sort(split.holdout.begin(), split.holdout.end());
  return split;
}

}  // namespace

Result<Split> stratified_split(std::span<const int32_t> labels, int64_t classes, double share, uint64_t seed) {
  MODNET_TRY(check_share(share));
  std::vector<std::vector<int64_t>> members(static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i) members[static_cast<size_t>(labels[i])].push_back(static_cast<int64_t>(i));
  const Random random(seed, kHoldoutStream);
  Split split;
  for (const std::vector<int64_t>& rows : members) {
    divide(rows, held_out(static_cast<int64_t>(rows.size()), share, 1), random, split);
  }
  return sorted(std::move(split));
}

Result<Split> random_split(int64_t n, double share, uint64_t seed) {
  MODNET_TRY(check_share(share));
  std::vector<int64_t> rows(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) rows[static_cast<size_t>(i)] = i;
  Split split;
  divide(rows, held_out(n, share, 2), Random(seed, kHoldoutStream), split);
  return sorted(std::move(split));
}

}  // namespace modnet
