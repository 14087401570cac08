// Configuration files read without guessing: every key is used, known to have no effect here, or stops the import by
// name. Tested by tests/unit/import/strict_json_test.cc.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "formats/base/result.h"

namespace modnet {

/// One JSON object of a configuration file. Getters mark a key as understood; finish() fails for one that nobody asked
/// for. Errors are kMalformed with id IMPORT_UNKNOWN or MALFORMED and name the file and the key.
class StrictObject {
 public:
  /// `object` must outlive this. `file` and `path` are for messages ("config.json", "pooling.").
  StrictObject(const nlohmann::json& object, std::string file, std::string path = {})
      : object_(object), file_(std::move(file)), path_(std::move(path)) {}

  [[nodiscard]] bool has(std::string_view key) const;  // present and not null
  [[nodiscard]] Result<int64_t> integer(std::string_view key, int64_t least, int64_t most);
  [[nodiscard]] Result<int64_t> integer_or(std::string_view key, int64_t least, int64_t most, int64_t fallback);
  [[nodiscard]] Result<double> real_or(std::string_view key, double fallback);
  [[nodiscard]] Result<std::string> text(std::string_view key);
  [[nodiscard]] Result<std::string> text_or(std::string_view key, std::string_view fallback);
  [[nodiscard]] Result<bool> boolean_or(std::string_view key, bool fallback);
  [[nodiscard]] const nlohmann::json* raw(std::string_view key);  // null when absent
  /// Keys that change nothing about what the model computes for a text.
  void ignore(std::span<const std::string_view> keys);
  /// The key may be absent or null, or must have this value: anything else is a model of another kind.
  [[nodiscard]] Status must_be(std::string_view key, const nlohmann::json& value);
  /// IMPORT_UNKNOWN for the first key that nothing above asked for.
  [[nodiscard]] Status finish() const;
  /// IMPORT_UNKNOWN naming the key and its value.
  [[nodiscard]] Error unknown(std::string_view key, std::string_view expected) const;

 private:
  [[nodiscard]] Error wrong(std::string_view key, std::string what) const;
  const nlohmann::json& object_;
  std::string file_, path_;
  std::set<std::string, std::less<>> seen_;
};

/// Parses a JSON file's text; kMalformed with the offset for bad JSON, for duplicate keys, nesting over 64, and for
/// text that is not an object or array.
[[nodiscard]] Result<nlohmann::json> parse_config(std::string_view text, const std::string& file);

}  // namespace modnet
