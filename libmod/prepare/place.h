// Where an error of some items lies, when they are part of more: a runner numbers the items that it was given.
// Tested by tests/unit/prepare/cached/cached_test.cc and runner/probes_test.cc.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

namespace modnet {

/// "item 3" → "item 17", "items 3 to 5" → "items 17 to 40": numbers of computed items become those of the batch.
[[nodiscard]] inline std::string place_in_batch(const std::string& where, const std::vector<int64_t>& rows) {
  if (!where.starts_with("item ") && !where.starts_with("items ")) return where;
  std::string out;
  for (size_t i = 0; i < where.size();) {
    int64_t number = 0;
    const auto [end, error] = std::from_chars(where.data() + i, where.data() + where.size(), number);
    if (error != std::errc() || number < 0 || number >= static_cast<int64_t>(rows.size())) {
      out += where[i++];
      continue;
    }
    out += std::to_string(rows[static_cast<size_t>(number)]);
    i = static_cast<size_t>(end - where.data());
  }
  return out;
}

}  // namespace modnet
