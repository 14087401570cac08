// Strict reading of JSON objects: each key known, of the right type, once; errors name the path and the value.
// Tested by tests/unit/prepare/tokenizer_json_test.cc.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "formats/base/result.h"

namespace modnet::text {

using JsonValue = simdjson::dom::element;

/// The value in a few characters, for an error message.
[[nodiscard]] std::string show_json(JsonValue value);
/// `path`: `value` is not what it should be.
[[nodiscard]] Error wrong_json(const std::string& path, JsonValue value, std::string_view expected);
/// `path`: `value` is well-formed but beyond what modnet does.
[[nodiscard]] Error unsupported_json(const std::string& path, JsonValue value, std::string_view expected);

/// One JSON object and the path to it.
class JsonObject {
 public:
  /// kMalformed when `value` is no object, or has a key twice.
  [[nodiscard]] static Result<JsonObject> of(JsonValue value, std::string path);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path_of(std::string_view key) const;
  [[nodiscard]] simdjson::dom::object object() const { return object_; }

  /// Refuses any key that is not listed.
  [[nodiscard]] Status only(std::initializer_list<std::string_view> keys) const;
  /// The value, nothing when absent or null.
  [[nodiscard]] std::optional<JsonValue> find(std::string_view key) const;
  /// The value; kMalformed when absent (null counts as there).
  [[nodiscard]] Result<JsonValue> need(std::string_view key) const;

  [[nodiscard]] Result<std::string> text(std::string_view key) const;
  [[nodiscard]] Result<std::optional<std::string>> text_or_none(std::string_view key) const;
  [[nodiscard]] Result<bool> flag(std::string_view key) const;
  [[nodiscard]] Result<bool> flag_or(std::string_view key, bool otherwise) const;
  [[nodiscard]] Result<int64_t> number(std::string_view key, int64_t low, int64_t high) const;

 private:
  JsonObject(simdjson::dom::object object, std::string path) : object_(object), path_(std::move(path)) {}
  simdjson::dom::object object_;
  std::string path_;
};

/// Elements of an array with their paths: `for each (value, path)`; stops at the first error.
template <typename F>
[[nodiscard]] Status each_json(JsonValue array, const std::string& path, F&& visit) {
  simdjson::dom::array items;
  if (array.get_array().get(items) != simdjson::SUCCESS) return wrong_json(path, array, "an array");
  int64_t i = 0;
  for (const JsonValue item : items) MODNET_TRY(visit(item, path + "[" + std::to_string(i++) + "]"));
  return ok();
}

/// A string as JSON, with the fewest escapes.
void append_json_string(std::string_view text, std::string& out);
/// Any JSON value with sorted keys and no white space.
void append_sorted_json(JsonValue value, std::string& out);

}  // namespace modnet::text
