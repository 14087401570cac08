// Differences between two JSON documents, field by field, and between two texts, line by line: how contracts, cards and text
// assets are compared. Documents come from files, so they are bounded before they are parsed.
// Tested by tests/unit/module_rules/field_diff_test.cc and tests/fuzz/asset_diff_fuzz.cc.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"

namespace modnet {

/// What errors call the two sides.
struct SideNames {
  std::string before, after;
};
template <typename T>
[[nodiscard]] Result<T> in_file(Result<T> result, const std::string& name) {
  if (result.ok()) return result;
  return std::move(result).error().in_file(name);
}

enum class Change : uint8_t { kAdded = 1, kRemoved = 2, kChanged = 3, kRenamed = 4, kMoved = 5 };
[[nodiscard]] std::string_view change_name(Change change);  // "added" …

/// One field. Values are JSON texts on one line; nothing where a side does not have the field. Not escaped.
struct FieldChange {
  std::string path;  // "outputs.embedding.dims[1].size"
  std::optional<std::string> before, after;
  bool operator==(const FieldChange&) const = default;
};

/// One line: its number (from 1) on the side that has it.
struct LineChange {
  Change change = Change::kAdded;  // kAdded, kRemoved
  int64_t line = 0;
  std::string text;
  bool operator==(const LineChange&) const = default;
};

inline constexpr int64_t kMaxDiffedText = int64_t{32} << 20;  // bytes of a document or text that is looked into

/// The document; nothing when it is no JSON, longer than kMaxDiffedText, nested over 64 deep or of more than 4 million values.
[[nodiscard]] std::optional<nlohmann::json> parse_bounded_json(std::string_view text);

/// Adds what differs, in the order of the keys and positions. What one side lacks is one entry, however much it holds. Lists
/// are compared position by position: in a contract the position is the meaning. Numbers differ when their texts do.
void diff_json(const nlohmann::json& before, const nlohmann::json& after, const std::string& path, std::vector<FieldChange>& out);

/// Removed and added lines in the order of the files. Nothing for texts longer than kMaxDiffedText in all, or not UTF-8.
[[nodiscard]] std::optional<std::vector<LineChange>> diff_lines(std::string_view before, std::string_view after);

}  // namespace modnet
