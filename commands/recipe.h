// A recipe (TOML) as plain data, and a reader that refuses keys nobody asked for. The parser itself lives in cli/, which
// hands commands the tree, so that commands know no TOML library. Tested by tests/unit/commands/recipe_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"

namespace modnet {

/// One value with its place in the file. A table keeps its keys in file order: keys[i] names items[i].
struct RecipeValue {
  enum class Kind : uint8_t { kNull, kBool, kInteger, kReal, kText, kArray, kTable };
  Kind kind = Kind::kNull;
  int64_t line = 0, column = 0;  // of the value, from 1; 0 where there is none
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string text;
  std::vector<RecipeValue> items;  // elements of an array, values of a table
  std::vector<std::string> keys;   // of a table

  [[nodiscard]] const RecipeValue* find(std::string_view key) const;  // nullptr: no such key, or no table
  [[nodiscard]] std::string place() const;                           // "12:5"
};

/// "a table", "an integer" …
[[nodiscard]] std::string_view kind_name(RecipeValue::Kind kind);

/// The name in `known` that is closest to `word`, or "" when none is close. For "did you mean" everywhere.
[[nodiscard]] std::string closest_name(std::string_view word, std::span<const std::string> known);

/// Typed reads from one table. Every getter notes its key as known; finish() refuses what was never asked for, with its
/// place and the closest known key. A value of another type is kMalformed with file and line:column; an integer is taken
/// where a real is asked for.
/// `table` must outlive the reader.
class RecipeReader {
 public:
  RecipeReader(const RecipeValue& table, std::string file);

  [[nodiscard]] Result<std::string> text(std::string_view key);              // required
  [[nodiscard]] Result<std::string> text_or(std::string_view key, std::string_view fallback);
  [[nodiscard]] Result<int64_t> integer(std::string_view key);               // required
  [[nodiscard]] Result<int64_t> integer_or(std::string_view key, int64_t fallback);
  [[nodiscard]] Result<double> real(std::string_view key);                   // required
  [[nodiscard]] Result<double> real_or(std::string_view key, double fallback);
  [[nodiscard]] Result<bool> flag_or(std::string_view key, bool fallback);
  [[nodiscard]] Result<std::vector<int64_t>> integers(std::string_view key); // required, may be empty
  [[nodiscard]] Result<std::vector<std::string>> texts_or_none(std::string_view key);
  /// A sub-table, or an array of tables; nullptr where the key is missing.
  [[nodiscard]] Result<const RecipeValue*> table_or_null(std::string_view key);
  [[nodiscard]] Result<const RecipeValue*> tables_or_null(std::string_view key);

  [[nodiscard]] Status finish() const;
  [[nodiscard]] bool has(std::string_view key) const { return table_.find(key) != nullptr; }
  /// An error at `key` (or at the table): "recipe.toml:3:7: RECIPE: what; fix".
  [[nodiscard]] Error error_at(std::string_view key, std::string what, std::string fix = {}) const;
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  [[nodiscard]] Result<const RecipeValue*> get(std::string_view key, RecipeValue::Kind kind);
  [[nodiscard]] Error missing(std::string_view key) const;
  const RecipeValue& table_;
  std::string file_;
  std::vector<std::string> known_;
};

/// How commands reach the parser; cli installs it.
using RecipeLoader = Result<RecipeValue> (*)(const std::string& path);

}  // namespace modnet
