#include "libmod/module/field_diff.h"

#include <nlohmann/json.hpp>
#include <set>

#include "formats/base/text.h"
#include "libmod/module/align.h"

namespace modnet {
namespace {

using Json = nlohmann::json;

constexpr int64_t kMaxValues = int64_t{1} << 22;
constexpr int kMaxDepth = 64;

/// Nesting and number of values of a text that may be JSON, before anything is allocated for it.
bool within_bounds(std::string_view text) {
  int64_t values = 1;
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      else if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      ++values;
      if (++depth > kMaxDepth) return false;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',') {
      ++values;
    }
    if (values > kMaxValues) return false;
  }
  return true;
}

std::string text_of(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string_view change_name(Change change) {
  switch (change) {
    case Change::kAdded: return "added";
    case Change::kRemoved: return "removed";
    case Change::kChanged: return "changed";
    case Change::kRenamed: return "renamed";
    case Change::kMoved: break;
  }
  return "moved";
}

std::optional<Json> parse_bounded_json(std::string_view text) {
  if (static_cast<int64_t>(text.size()) > kMaxDiffedText || !within_bounds(text)) return std::nullopt;
  Json out = Json::parse(text, nullptr, false);
  if (out.is_discarded()) return std::nullopt;
  return out;
}

void diff_json(const Json& before, const Json& after, const std::string& path, std::vector<FieldChange>& out) {
  if (before.is_object() && after.is_object()) {
    std::set<std::string> keys;
    for (const auto& [key, value] : before.items()) keys.insert(key);
    for (const auto& [key, value] : after.items()) keys.insert(key);
    for (const std::string& key : keys) {
      const std::string inner = path.empty() ? key : path + "." + key;
      const auto old_value = before.find(key), new_value = after.find(key);
      if (old_value == before.end()) out.push_back({inner, std::nullopt, text_of(*new_value)});
      else if (new_value == after.end()) out.push_back({inner, text_of(*old_value), std::nullopt});
      else diff_json(*old_value, *new_value, inner, out);
    }
  } else if (before.is_array() && after.is_array()) {
    for (size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
      const std::string inner = path + "[" + std::to_string(i) + "]";
      if (i >= before.size()) out.push_back({inner, std::nullopt, text_of(after[i])});
      else if (i >= after.size()) out.push_back({inner, text_of(before[i]), std::nullopt});
      else diff_json(before[i], after[i], inner, out);
    }
  } else {
    std::string old_text = text_of(before), new_text = text_of(after);
    if (old_text != new_text) out.push_back({path, std::move(old_text), std::move(new_text)});
  }
}

std::optional<std::vector<LineChange>> diff_lines(std::string_view before, std::string_view after) {
  if (static_cast<int64_t>(before.size()) + static_cast<int64_t>(after.size()) > kMaxDiffedText) return std::nullopt;
  if (!is_utf8(before) || !is_utf8(after) || before.find('\0') != before.npos || after.find('\0') != after.npos) return std::nullopt;
  const std::vector<std::string_view> a = lines_of(before), b = lines_of(after);
  Numbering numbering;
  std::vector<uint32_t> numbers_a, numbers_b;
  for (const std::string_view line : a) numbers_a.push_back(numbering.of(line));
  for (const std::string_view line : b) numbers_b.push_back(numbering.of(line));
  std::vector<std::pair<size_t, size_t>> pairs = align(numbers_a, numbers_b);
  pairs.emplace_back(a.size(), b.size());
  std::vector<LineChange> out;
  size_t i = 0, j = 0;
  for (const auto& [next_a, next_b] : pairs) {
    for (; i < next_a; ++i) out.push_back({Change::kRemoved, static_cast<int64_t>(i) + 1, std::string(a[i])});
    for (; j < next_b; ++j) out.push_back({Change::kAdded, static_cast<int64_t>(j) + 1, std::string(b[j])});
    ++i, ++j;
  }
  return out;
}

}  // namespace modnet
