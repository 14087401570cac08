#include "libmod/import/strict_json.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "formats/base/text.h"

namespace modnet {

bool StrictObject::has(std::string_view key) const {
  const auto it = object_.find(std::string(key));
  return it != object_.end() && !it->is_null();
}

const nlohmann::json* StrictObject::raw(std::string_view key) {
  seen_.emplace(key);
  const auto it = object_.find(std::string(key));
  return it == object_.end() || it->is_null() ? nullptr : &*it;
}

Error StrictObject::wrong(std::string_view key, std::string what) const {
  return Error{Code::kMalformed, "MALFORMED", std::move(what), path_ + std::string(key), file_, {}};
}

Error StrictObject::unknown(std::string_view key, std::string_view expected) const {
  const auto it = object_.find(std::string(key));
  std::string value =
      it == object_.end() ? "nothing" : it->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (value.size() > 80) value = value.substr(0, 77) + "...";
  std::string what = "key '" + path_ + std::string(key) + "' is not understood";
  if (!expected.empty())
    what = "key '" + path_ + std::string(key) + "': expected " + std::string(expected) + ", got " + value;
  return Error{
      Code::kMalformed,
      "IMPORT_UNKNOWN",
      what,
      path_ + std::string(key),
      file_,
      "a model that differs in it would silently compute something else; it cannot be imported by this version"};
}

Result<int64_t> StrictObject::integer(std::string_view key, int64_t least, int64_t most) {
  const nlohmann::json* item = raw(key);
  if (item == nullptr) return wrong(key, "the key '" + path_ + std::string(key) + "' is missing");
  if (!item->is_number_integer() || (item->is_number_unsigned() && item->get<uint64_t>() > uint64_t{1} << 62) ||
      item->get<int64_t>() < least || item->get<int64_t>() > most)
    return unknown(key, "an integer from " + std::to_string(least) + " to " + std::to_string(most));
  return item->get<int64_t>();
}
Result<int64_t> StrictObject::integer_or(std::string_view key, int64_t least, int64_t most, int64_t fallback) {
  if (raw(key) == nullptr) return fallback;
  return integer(key, least, most);
}
Result<double> StrictObject::real_or(std::string_view key, double fallback) {
  const nlohmann::json* item = raw(key);
  if (item == nullptr) return fallback;
  if (!item->is_number() || !std::isfinite(item->get<double>())) return unknown(key, "a number");
  return item->get<double>();
}
Result<std::string> StrictObject::text(std::string_view key) {
  const nlohmann::json* item = raw(key);
  if (item == nullptr) return wrong(key, "the key '" + path_ + std::string(key) + "' is missing");
  if (!item->is_string()) return unknown(key, "a text");
  return item->get<std::string>();
}
Result<std::string> StrictObject::text_or(std::string_view key, std::string_view fallback) {
  if (raw(key) == nullptr) return std::string(fallback);
  return text(key);
}
Result<bool> StrictObject::boolean_or(std::string_view key, bool fallback) {
  const nlohmann::json* item = raw(key);
  if (item == nullptr) return fallback;
  if (!item->is_boolean()) return unknown(key, "true or false");
  return item->get<bool>();
}

void StrictObject::ignore(std::span<const std::string_view> keys) {
  for (const std::string_view key : keys) seen_.emplace(key);
}

Status StrictObject::must_be(std::string_view key, const nlohmann::json& value) {
  const nlohmann::json* item = raw(key);
  if (item == nullptr || *item == value) return ok();
  return unknown(key, value.dump());
}

Status StrictObject::finish() const {
  for (const auto& [key, value] : object_.items())
    if (!seen_.contains(key)) return unknown(key, "");
  return ok();
}

Result<nlohmann::json> parse_config(std::string_view text, const std::string& file) {
  // A callback parse tells duplicate keys and depth apart, which the plain parser would accept.
  std::vector<std::set<std::string>> keys;
  std::string duplicate;
  int deepest = 0;
  const auto callback = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    deepest = std::max(deepest, depth);
    if (event == nlohmann::json::parse_event_t::object_start) keys.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == nlohmann::json::parse_event_t::key && !keys.empty() &&
        !keys.back().insert(parsed.get<std::string>()).second && duplicate.empty())
      duplicate = parsed.get<std::string>();
    return deepest <= 64;
  };
  if (const int64_t bad = utf8_error(text); bad >= 0)
    return malformed("is not UTF-8", "offset " + std::to_string(bad)).in_file(file);
  // The parser takes a NUL byte for the end of its input, whatever follows.
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos)
    return malformed("has a NUL byte, which JSON does not allow", "offset " + std::to_string(nul)).in_file(file);
  nlohmann::json parsed = nlohmann::json::parse(text, callback, false);
  if (deepest > 64) return malformed("is nested deeper than 64 levels").in_file(file);
  if (parsed.is_discarded()) return malformed("is not JSON").in_file(file);
  if (!duplicate.empty()) return malformed("has the key '" + duplicate + "' twice").in_file(file);
  if (!parsed.is_object() && !parsed.is_array()) return malformed("expected an object or a list").in_file(file);
  return parsed;
}

}  // namespace modnet
