#include "commands/recipe.h"

#include <algorithm>

namespace modnet {
namespace {

// Restricted Damerau-Levenshtein distance: insertions, deletions, substitutions, swaps of neighbours.
int64_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<int64_t>> d(a.size() + 1, std::vector<int64_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = static_cast<int64_t>(i);
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = static_cast<int64_t>(j);
  for (size_t i = 1; i <= a.size(); ++i)
    for (size_t j = 1; j <= b.size(); ++j) {
      const int64_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

const RecipeValue* RecipeValue::find(std::string_view key) const {
  for (size_t i = 0; i < keys.size(); ++i)
    if (keys[i] == key) return &items[i];
  return nullptr;
}

std::string RecipeValue::place() const {
  return line > 0 ? std::to_string(line) + ":" + std::to_string(column) : std::string();
}

std::string_view kind_name(RecipeValue::Kind kind) {
  switch (kind) {
    case RecipeValue::Kind::kNull: return "nothing";
    case RecipeValue::Kind::kBool: return "true or false";
    case RecipeValue::Kind::kInteger: return "an integer";
    case RecipeValue::Kind::kReal: return "a number";
    case RecipeValue::Kind::kText: return "a string";
    case RecipeValue::Kind::kArray: return "an array";
    case RecipeValue::Kind::kTable: return "a table";
  }
  return "an unknown value";
}

std::string closest_name(std::string_view word, std::span<const std::string> known) {
  if (word.size() > 64) return {};
  std::string best;
  int64_t best_distance = std::max<int64_t>(1, static_cast<int64_t>(word.size()) / 3) + 1;
  for (const std::string& name : known) {
    const int64_t distance = edit_distance(word, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

RecipeReader::RecipeReader(const RecipeValue& table, std::string file) : table_(table), file_(std::move(file)) {}

Error RecipeReader::error_at(std::string_view key, std::string what, std::string fix) const {
  const RecipeValue* value = table_.find(key);
  return Error{Code::kMalformed, "RECIPE", std::move(what), (value ? *value : table_).place(), file_, std::move(fix)};
}

Error RecipeReader::missing(std::string_view key) const {
  return error_at("", "key '" + std::string(key) + "' is missing", "add " + std::string(key) + " = …");
}

Result<const RecipeValue*> RecipeReader::get(std::string_view key, RecipeValue::Kind kind) {
  known_.emplace_back(key);
  const RecipeValue* value = table_.find(key);
  if (!value) return value;
  const bool widened = kind == RecipeValue::Kind::kReal && value->kind == RecipeValue::Kind::kInteger;
  if (value->kind != kind && !widened)
    return error_at(key, "key '" + std::string(key) + "' has the wrong type; expected " + std::string(kind_name(kind)) +
                             ", got " + std::string(kind_name(value->kind)));
  return value;
}

Result<std::string> RecipeReader::text(std::string_view key) {
  MODNET_ASSIGN(const RecipeValue* value, get(key, RecipeValue::Kind::kText));
  if (!value) return missing(key);
  return value->text;
}
Result<std::string> RecipeReader::text_or(std::string_view key, std::string_view fallback) {
  MODNET_ASSIGN(const RecipeValue* value, get(key, RecipeValue::Kind::kText));
  return value ? value->text : std::string(fallback);
}
Result<int64_t> RecipeReader::integer(std::string_view key) {
  MODNET_ASSIGN(const RecipeValue* value, get(key, RecipeValue::Kind::kInteger));
  if (!value) return missing(key);
  return value->integer;
}
Result<int64_t> RecipeReader::integer_or(std::string_view key, int64_t fallback) {
  MODNET_ASSIGN(const RecipeValue* value, get(key, RecipeValue::Kind::kInteger));
  return value ? value->integer : fallback;
}
Result<double> RecipeReader::real(std::string_view key) {
  MODNET_ASSIGN(const RecipeValue* value, get(key, RecipeValue::Kind::kReal));
  if (!value) return missing(key);
  return value->kind == RecipeValue::Kind::kInteger ? static_cast<double>(value->integer) : value->real;
}
Result<double> RecipeReader::real_or(std::string_view key, double fallback) {
  if (!has(key)) {
    known_.emplace_back(key);
    return fallback;
  }
  return real(key);
}
Result<bool> RecipeReader::flag_or(std::string_view key, bool fallback) {
  MODNET_ASSIGN(const RecipeValue* value, get(key, RecipeValue::Kind::kBool));
  return value ? value->boolean : fallback;
}
Result<std::vector<int64_t>> RecipeReader::integers(std::string_view key) {
  MODNET_ASSIGN(const RecipeValue* value, get(key, RecipeValue::Kind::kArray));
  if (!value) return missing(key);
  std::vector<int64_t> out;
  for (const RecipeValue& item : value->items) {
    if (item.kind != RecipeValue::Kind::kInteger)
      return error_at(key, "key '" + std::string(key) + "' holds something else than integers; got " +
                               std::string(kind_name(item.kind)));
    out.push_back(item.integer);
  }
  return out;
}
Result<std::vector<std::string>> RecipeReader::texts_or_none(std::string_view key) {
  MODNET_ASSIGN(const RecipeValue* value, get(key, RecipeValue::Kind::kArray));
  std::vector<std::string> out;
  if (!value) return out;
  for (const RecipeValue& item : value->items) {
    if (item.kind != RecipeValue::Kind::kText)
      return error_at(key, "key '" + std::string(key) + "' holds something else than strings; got " +
                               std::string(kind_name(item.kind)));
    out.push_back(item.text);
  }
  return out;
}
Result<const RecipeValue*> RecipeReader::table_or_null(std::string_view key) {
  return get(key, RecipeValue::Kind::kTable);
}
Result<const RecipeValue*> RecipeReader::tables_or_null(std::string_view key) {
  MODNET_ASSIGN(const RecipeValue* value, get(key, RecipeValue::Kind::kArray));
  if (value)
    for (const RecipeValue& item : value->items)
      if (item.kind != RecipeValue::Kind::kTable)
        return error_at(key, "key '" + std::string(key) + "' holds something else than tables; got " +
                                 std::string(kind_name(item.kind)),
                        "write [[" + std::string(key) + "]]");
  return value;
}

Status RecipeReader::finish() const {
  for (const std::string& key : table_.keys) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string near = closest_name(key, known_);
    return error_at(key, "unknown key '" + key + "'", near.empty() ? std::string() : "did you mean '" + near + "'?");
  }
  return ok();
}

}  // namespace modnet
