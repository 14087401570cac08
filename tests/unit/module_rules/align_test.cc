// Alignment: longest common subsequences, and bounds on what large inputs may cost.
#include "libmod/module/align.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

namespace modnet {
namespace {

using Pairs = std::vector<std::pair<size_t, size_t>>;

/// Length of a longest common subsequence by the book.
size_t common_length(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  std::vector<std::vector<size_t>> best(a.size() + 1, std::vector<size_t>(b.size() + 1, 0));
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < b.size(); ++j) best[i + 1][j + 1] = a[i] == b[j] ? best[i][j] + 1 : std::max(best[i][j + 1], best[i + 1][j]);
  return best[a.size()][b.size()];
}

TEST_CASE("an alignment pairs equal elements in order, as many as there can be") {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<uint32_t> a(random() % 12), b(random() % 12);
    for (uint32_t& value : a) value = random() % 4;
    for (uint32_t& value : b) value = random() % 4;
    const Pairs pairs = align(a, b);
    CHECK(pairs.size() == common_length(a, b));
    for (size_t k = 0; k < pairs.size(); ++k) {
      CHECK(a[pairs[k].first] == b[pairs[k].second]);
      if (k > 0) CHECK((pairs[k - 1].first < pairs[k].first && pairs[k - 1].second < pairs[k].second));
    }
  }
}

TEST_CASE("large sequences are cut at elements that occur once, and what stays too large is left unpaired") {
  std::vector<uint32_t> a(100000), b;
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<uint32_t>(i);
  b = a;
  b.erase(b.begin() + 50000);
  b.insert(b.begin() + 10, 1000000);
  b.back() = 1000001;
  CHECK(align(a, b).size() == a.size() - 2);
  std::vector<uint32_t> zeros(100000, 0), others(100000, 0);  // nothing is unique: ends meet, the rest is not looked at
  zeros[0] = 1;
  others[99999] = 2;
  zeros[50000] = 3;
  CHECK(align(zeros, others).empty());
}

TEST_CASE("a longest rising subsequence is found") {
  const std::vector<size_t> values{5, 1, 2, 9, 3, 4, 0};
  CHECK(longest_rising(values) == std::vector<size_t>{1, 2, 4, 5});
  CHECK(longest_rising(std::vector<size_t>{}).empty());
}

}  // namespace
}  // namespace modnet
