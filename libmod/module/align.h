// Which elements of two sequences belong together: the alignment that graphs, lines and tables are compared by.
// Tested by tests/unit/module_rules/align_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace modnet {

/// Gives equal texts equal numbers, from 0 in the order in which they came first.
class Numbering {
 public:
  [[nodiscard]] uint32_t of(std::string_view text) {
    return numbers_.try_emplace(std::string(text), static_cast<uint32_t>(numbers_.size())).first->second;
  }

 private:
  std::unordered_map<std::string, uint32_t> numbers_;
};

/// Pairs (i, j) of equal elements, rising in both. What is equal at both ends always meets; between them it is a longest common
/// subsequence where that costs at most 4 million cells, else elements that occur once on both sides cut the problem into
/// smaller ones, and what is still too large stays unpaired. So time and memory are bounded for any input.
[[nodiscard]] std::vector<std::pair<size_t, size_t>> align(std::span<const uint32_t> a, std::span<const uint32_t> b);

/// Positions of a longest strictly rising subsequence.
[[nodiscard]] std::vector<size_t> longest_rising(std::span<const size_t> values);

}  // namespace modnet
