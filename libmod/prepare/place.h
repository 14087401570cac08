// Where an error of some items lies, when they are part of more: a runner numbers the items that it was given.
// Tested by tests/unit/prepare/cached/cached_test.cc and runner/probes_test.cc.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace modnet {

/// "item 3" → "item 17": the number of a computed item becomes that of the batch; anything else stays.
[[nodiscard]] inline std::string place_in_batch(const std::string& where, const std::vector<int64_t>& rows) {
  constexpr std::string_view kItem = "item ";
  if (!where.starts_with(kItem)) return where;
  size_t number = 0;
  const char* const end = where.data() + where.size();
  const auto [at, error] = std::from_chars(where.data() + kItem.size(), end, number);
  if (error != std::errc() || at != end || number >= rows.size()) return where;
  return std::string(kItem) + std::to_string(rows[number]);
}

}  // namespace modnet
