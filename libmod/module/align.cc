#include "libmod/module/align.h"

#include <algorithm>
#include <limits>

namespace modnet {
namespace {

constexpr size_t kCells = size_t{1} << 22;
constexpr int kMaxCuts = 8;  // how often anchors may cut a part again

struct Part {
  size_t begin_a, end_a, begin_b, end_b;
};

class Aligner {
 public:
  Aligner(std::span<const uint32_t> a, std::span<const uint32_t> b) : a_(a), b_(b) {}

  void run(Part part, int cuts) {
    while (part.begin_a < part.end_a && part.begin_b < part.end_b && a_[part.begin_a] == b_[part.begin_b])
      pairs_.emplace_back(part.begin_a++, part.begin_b++);
    while (part.begin_a < part.end_a && part.begin_b < part.end_b && a_[part.end_a - 1] == b_[part.end_b - 1])
      pairs_.emplace_back(--part.end_a, --part.end_b);
    const size_t n = part.end_a - part.begin_a, m = part.end_b - part.begin_b;
    if (n == 0 || m == 0) return;
    if (n <= kCells / m) return longest_common(part);
    if (cuts < kMaxCuts) cut(part, cuts);
  }
  std::vector<std::pair<size_t, size_t>> take() {
    std::sort(pairs_.begin(), pairs_.end());
    return std::move(pairs_);
  }

 private:
  void longest_common(const Part& part) {
    const size_t n = part.end_a - part.begin_a, m = part.end_b - part.begin_b;
    std::vector<uint32_t> length((n + 1) * (m + 1), 0);  // of the rest from (i, j) on
    const auto at = [&](size_t i, size_t j) -> uint32_t& { return length[i * (m + 1) + j]; };
    for (size_t i = n; i-- > 0;)
      for (size_t j = m; j-- > 0;)
        at(i, j) = a_[part.begin_a + i] == b_[part.begin_b + j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
    for (size_t i = 0, j = 0; i < n && j < m;) {
      if (a_[part.begin_a + i] == b_[part.begin_b + j]) pairs_.emplace_back(part.begin_a + i++, part.begin_b + j++);
      else if (at(i + 1, j) >= at(i, j + 1)) ++i;
      else ++j;
    }
  }

  /// Elements that occur once on both sides, as many as are in the same order, are paired; the parts between them follow.
  void cut(const Part& part, int cuts) {
    constexpr size_t kMany = std::numeric_limits<size_t>::max();
    std::unordered_map<uint32_t, std::pair<size_t, size_t>> once;  // positions + 1; 0: not there
    for (size_t i = part.begin_a; i < part.end_a; ++i) once[a_[i]].first = once[a_[i]].first == 0 ? i + 1 : kMany;
    for (size_t j = part.begin_b; j < part.end_b; ++j) once[b_[j]].second = once[b_[j]].second == 0 ? j + 1 : kMany;
    std::vector<size_t> from, to;
    for (size_t i = part.begin_a; i < part.end_a; ++i) {
      const auto& [in_a, in_b] = once[a_[i]];
      if (in_a == kMany || in_b == kMany || in_b == 0) continue;
      from.push_back(i);
      to.push_back(in_b - 1);
    }
    const std::vector<size_t> kept = longest_rising(to);
    if (kept.empty()) return;
    Part gap{part.begin_a, 0, part.begin_b, 0};
    for (const size_t k : kept) {
      gap.end_a = from[k];
      gap.end_b = to[k];
      pairs_.emplace_back(from[k], to[k]);
      run(gap, cuts + 1);
      gap.begin_a = from[k] + 1;
      gap.begin_b = to[k] + 1;
    }
    gap.end_a = part.end_a;
    gap.end_b = part.end_b;
    run(gap, cuts + 1);
  }

  std::span<const uint32_t> a_, b_;
  std::vector<std::pair<size_t, size_t>> pairs_;
};

}  // namespace

std::vector<std::pair<size_t, size_t>> align(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  Aligner aligner(a, b);
  aligner.run({0, a.size(), 0, b.size()}, 0);
  return aligner.take();
}

std::vector<size_t> longest_rising(std::span<const size_t> values) {
  constexpr size_t kNone = std::numeric_limits<size_t>::max();
  std::vector<size_t> tails, before(values.size(), kNone);  // tails[k]: where the best subsequence of k + 1 values ends
  for (size_t i = 0; i < values.size(); ++i) {
    const auto place = std::lower_bound(tails.begin(), tails.end(), values[i], [&](size_t t, size_t v) { return values[t] < v; });
    if (place != tails.begin()) before[i] = *(place - 1);
    if (place == tails.end()) tails.push_back(i);
    else *place = i;
  }
  std::vector<size_t> out;
  for (size_t at = tails.empty() ? kNone : tails.back(); at != kNone; at = before[at]) out.push_back(at);
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace modnet
