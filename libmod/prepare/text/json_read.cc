// Strict reading of JSON objects. Tested by tests/unit/prepare/tokenizer_json_test.cc.
#include "libmod/prepare/text/json_read.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "formats/base/text.h"

namespace modnet::text {
namespace {

constexpr size_t kShown = 60;

Error problem(Code code, const char* id, const std::string& path, JsonValue value, std::string_view verdict,
              std::string_view expected) {
  std::string what = show_json(value);
  what.append(verdict).append("; expected ").append(expected);
  return Error{code, id, std::move(what), path, {}, {}};
}

}  // namespace

std::string show_json(JsonValue value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  std::string out = simdjson::minify(value);
  if (out.size() > kShown) {
    size_t cut = kShown;
    while (cut > 0 && (static_cast<uint8_t>(out[cut]) & 0xc0) == 0x80) --cut;
    out = out.substr(0, cut) + "…";
  }
  return escape_text(out);
}

Error wrong_json(const std::string& path, JsonValue value, std::string_view expected) {
  return problem(Code::kMalformed, "MALFORMED", path, value, " is wrong here", expected);
}

Error unsupported_json(const std::string& path, JsonValue value, std::string_view expected) {
  return problem(Code::kInvalid, "UNSUPPORTED", path, value, " is not supported", expected);
}

Result<JsonObject> JsonObject::of(JsonValue value, std::string path) {
  simdjson::dom::object object;
  if (value.get_object().get(object) != simdjson::SUCCESS) return wrong_json(path, value, "an object");
  return JsonObject(object, std::move(path));
}

std::string JsonObject::path_of(std::string_view key) const {
  std::string shown = escape_text(key.substr(0, kShown));
  return path_.empty() ? shown : path_ + "." + shown;
}

Status JsonObject::only(std::initializer_list<std::string_view> keys) const {
  uint64_t seen = 0;
  for (const auto field : object_) {
    const auto* const it = std::find(keys.begin(), keys.end(), field.key);
    if (it == keys.end()) return unsupported_json(path_of(field.key), field.value, "no such key");
    const uint64_t bit = uint64_t{1} << (it - keys.begin());
    if ((seen & bit) != 0) return malformed("the key appears twice", path_of(field.key));
    seen |= bit;
  }
  return ok();
}

std::optional<JsonValue> JsonObject::find(std::string_view key) const {
  JsonValue value;
  if (object_.at_key(key).get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}

Result<JsonValue> JsonObject::need(std::string_view key) const {
  JsonValue value;
  if (object_.at_key(key).get(value) != simdjson::SUCCESS) return malformed("the key is missing", path_of(key));
  return value;
}

Result<std::string> JsonObject::text(std::string_view key) const {
  MODNET_ASSIGN(const JsonValue value, need(key));
  std::string_view out;
  if (value.get_string().get(out) != simdjson::SUCCESS) return wrong_json(path_of(key), value, "a string");
  return std::string(out);
}

Result<std::optional<std::string>> JsonObject::text_or_none(std::string_view key) const {
  if (!find(key)) return std::optional<std::string>();
  MODNET_ASSIGN(std::string out, text(key));
  return std::optional<std::string>(std::move(out));
}

Result<bool> JsonObject::flag(std::string_view key) const {
  MODNET_ASSIGN(const JsonValue value, need(key));
  bool out = false;
  if (value.get_bool().get(out) != simdjson::SUCCESS) return wrong_json(path_of(key), value, "true or false");
  return out;
}

Result<bool> JsonObject::flag_or(std::string_view key, bool otherwise) const {
  if (!find(key)) return otherwise;
  return flag(key);
}

Result<int64_t> JsonObject::number(std::string_view key, int64_t low, int64_t high) const {
  MODNET_ASSIGN(const JsonValue value, need(key));
  int64_t out = 0;
  if (value.get_int64().get(out) != simdjson::SUCCESS || out < low || out > high)
    return wrong_json(path_of(key), value, "a whole number from " + std::to_string(low) + " to " + std::to_string(high));
  return out;
}

void append_json_string(std::string_view text, std::string& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<uint8_t>(c) < 0x20) {
      out.append("\\u00");
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 15]);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void append_sorted_json(JsonValue value, std::string& out) {
  std::string_view text;
  if (value.is_object()) {
    std::vector<std::pair<std::string_view, JsonValue>> fields;
    for (const auto field : simdjson::dom::object(value)) fields.emplace_back(field.key, field.value);
    std::sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    out.push_back('{');
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) out.push_back(',');
      append_json_string(fields[i].first, out);
      out.push_back(':');
      append_sorted_json(fields[i].second, out);
    }
    out.push_back('}');
  } else if (value.is_array()) {
    out.push_back('[');
    bool first = true;
    for (const JsonValue item : simdjson::dom::array(value)) {
      if (!first) out.push_back(',');
      first = false;
      append_sorted_json(item, out);
    }
    out.push_back(']');
  } else if (value.get_string().get(text) == simdjson::SUCCESS) {
    append_json_string(text, out);
  } else {
    out.append(simdjson::minify(value));
  }
}

}  // namespace modnet::text
