#include "libmod/module/card.h"

#include <set>

#include <nlohmann/json.hpp>

#include "formats/base/text.h"
#include "libmod/contract/versions.h"
#include "libmod/module/card_fields.h"

namespace modnet {
namespace {

using card_fields::Need;
using Json = nlohmann::ordered_json;
constexpr int kMaxDepth = 64;

class Writer {
 public:
  void text(const char* key, const std::string& value, Need need) {
    if (value.empty() && need == Need::kOptional) return;
    if (utf8_error(value) >= 0 && !error_) error_ = invalid(std::string("the card's text '") + key + "' is not UTF-8");
    out_[key] = value;
  }
  void version(const char* key, const std::string& value) { text(key, value, Need::kRequired); }
  void date(const char* key, const std::string& value) { text(key, value, Need::kRequired); }
  void digest(const char* key, const Digest& value) {
    if (!is_zero(value)) out_[key] = "sha256:" + hex(value);
  }
  void integer(const char* key, int64_t value) { out_[key] = value; }
  void real(const char* key, double value, double, double) { out_[key] = value; }
  void optional_integer(const char* key, const std::optional<int64_t>& value) {
    if (value) out_[key] = *value;
  }
  void optional_real(const char* key, const std::optional<double>& value) {
    if (value) out_[key] = *value;
  }
  void texts(const char* key, const std::vector<std::string>& values) {
    for (const std::string& value : values) {
      if (utf8_error(value) >= 0 && !error_) error_ = invalid(std::string("the card's text '") + key + "' is not UTF-8");
      out_[key].push_back(value);
    }
  }
  template <typename R, typename F>
  void list(const char* key, const std::vector<R>& values, F describe) {
    for (const R& value : values) {
      Writer inner;
      describe(inner, value);
      if (inner.error_ && !error_) error_ = std::move(inner.error_);
      out_[key].push_back(std::move(inner.out_));
    }
  }
  void object(const char* key, const std::string& value) {
    if (!value.empty()) out_[key] = Json::parse(value, nullptr, false);
  }
  Result<std::string> finish() {
    if (error_) return *error_;
    return out_.dump(-1, ' ', false, Json::error_handler_t::replace);
  }

  Json out_ = Json::object();

 private:
  std::optional<Error> error_;
};

class Parser {
 public:
  Parser(const Json& from, std::string path) : from_(from), path_(std::move(path)) {
    if (!from_.is_object()) fail("", "expected an object");
  }
  void text(const char* key, std::string& value, Need need) {
    const Json* item = find(key);
    if (item == nullptr) {
      if (need == Need::kRequired) fail(key, "is missing");
      return;
    }
    if (!item->is_string()) return fail(key, "expected a text, got " + shown(*item));
    value = item->get<std::string>();
    if (static_cast<int64_t>(value.size()) > kMaxCardText) return fail(key, "is longer than 64 KiB");
    if (value.empty() && need == Need::kRequired) fail(key, "is empty");
  }
  void version(const char* key, std::string& value) {
    text(key, value, Need::kRequired);
    if (!error_ && !parse_version(value).ok()) fail(key, "expected a semantic version, got " + shown(value));
  }
  void date(const char* key, std::string& value) {
    text(key, value, Need::kRequired);
    if (!error_ && !is_date(value)) fail(key, "expected a date as 2026-11-25, got " + shown(value));
  }
  void digest(const char* key, Digest& value) {
    const Json* item = find(key);
    if (item == nullptr) return;
    const std::string given = item->is_string() ? item->get<std::string>() : std::string();
    const auto parsed = given.starts_with("sha256:") ? digest_from_hex(std::string_view(given).substr(7)) : std::nullopt;
    if (!parsed) return fail(key, "expected sha256: and 64 hex digits, got " + shown(*item));
    value = *parsed;
  }
  void integer(const char* key, int64_t& value) {
    std::optional<int64_t> read;
    optional_integer(key, read);
    if (!read && !error_) return fail(key, "is missing");
    value = read.value_or(0);
  }
  void real(const char* key, double& value, double low, double high) {
    std::optional<double> read;
    optional_real(key, read);
    if (!read && !error_) return fail(key, "is missing");
    value = read.value_or(0);
    if (value < low || value > high) fail(key, "expected a number from 0 to 1, got " + shown(Json(value)));
  }
  void optional_integer(const char* key, std::optional<int64_t>& value) {
    const Json* item = find(key);
    if (item == nullptr) return;
    if (!item->is_number_integer() || item->get<double>() < 0 || item->get<double>() > 9e15)
      return fail(key, "expected a whole number from 0 to 9e15, got " + shown(*item));
    value = item->get<int64_t>();
  }
  void optional_real(const char* key, std::optional<double>& value) {
    const Json* item = find(key);
    if (item == nullptr) return;
    if (!item->is_number() || !std::isfinite(item->get<double>())) return fail(key, "expected a number, got " + shown(*item));
    value = item->get<double>();
  }
  void texts(const char* key, std::vector<std::string>& values) {
    const Json* item = list_at(key);
    if (item == nullptr) return;
    for (const Json& one : *item) {
      if (!one.is_string() || one.get_ref<const std::string&>().empty() || static_cast<int64_t>(one.get_ref<const std::string&>().size()) > kMaxCardText)
        return fail(key + ("[" + std::to_string(values.size()) + "]"), "expected a text of 1 byte to 64 KiB, got " + shown(one));
      values.push_back(one.get<std::string>());
    }
  }
  template <typename R, typename F>
  void list(const char* key, std::vector<R>& values, F describe) {
    const Json* item = list_at(key);
    if (item == nullptr) return;
    for (size_t i = 0; i < item->size() && !error_; ++i) {
      Parser inner((*item)[i], at(key) + "[" + std::to_string(i) + "]");
      if (!inner.error_) describe(inner, values.emplace_back());
      if constexpr (requires(const R& one) { one.low; })
        if (!inner.error_) inner.check_interval(values.back().low, values.back().high);
      if (Status status = inner.finish(); !status.ok()) error_ = std::move(status).error();
    }
  }
  void object(const char* key, std::string& value) {
    const Json* item = find(key);
    if (item == nullptr) return;
    if (!item->is_object()) return fail(key, "expected an object, got " + shown(*item));
    value = item->dump();
  }
  Status finish() {
    if (error_) return *error_;
    for (const auto& [key, value] : from_.items())
      if (!seen_.contains(key)) {
        fail(key, "is no field of a card");
        error_->fix = "what a card has no field for goes under 'extra'";
        return *error_;
      }
    return ok();
  }

 private:
  void check_interval(const std::optional<double>& low, const std::optional<double>& high) {
    if (low.has_value() != high.has_value()) return fail(low ? "high" : "low", "is missing; an interval has two ends");
    if (low && *low > *high) fail("low", "is greater than 'high'");
  }
  static std::string shown(const Json& item) {
    std::string out = item.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (out.size() > 60) out = out.substr(0, 57) + "...";
    return out;
  }
  [[nodiscard]] std::string at(const std::string& key) const { return path_.empty() || key.empty() ? path_ + key : path_ + "." + key; }
  const Json* list_at(const char* key) {
    const Json* item = find(key);
    if (item == nullptr) return nullptr;
    if (item->is_array() && static_cast<int64_t>(item->size()) <= kMaxCardItems) return item;
    fail(key, item->is_array() ? "has more than 4096 entries" : "expected a list, got " + shown(*item));
    return nullptr;
  }
  const Json* find(const char* key) {
    if (error_) return nullptr;
    seen_.insert(key);
    const auto it = from_.find(key);
    return it == from_.end() ? nullptr : &*it;
  }
  void fail(const std::string& key, const std::string& what) {
    const std::string place = at(key);
    if (!error_) error_ = malformed((place.empty() ? "the card" : "card field '" + place + "'") + ": " + what, place);
  }

  const Json& from_;
  std::string path_;
  std::set<std::string, std::less<>> seen_;
  std::optional<Error> error_;
};

}  // namespace

Result<Json> card_fields::parse_document(std::string_view text, const std::string& what) {
  if (static_cast<int64_t>(text.size()) > kMaxCardBytes) return malformed(what + " is longer than 64 MiB");
  if (const int64_t bad = utf8_error(text); bad >= 0) return malformed(what + " is not UTF-8", "offset " + std::to_string(bad));
  if (const size_t nul = text.find('\0'); nul != std::string_view::npos)
    return malformed(what + " has a NUL byte, which JSON does not allow", "offset " + std::to_string(nul));
  std::vector<std::set<std::string>> keys;
  std::string twice;
  int deepest = 0;
  const auto callback = [&](int depth, Json::parse_event_t event, Json& parsed) {
    deepest = std::max(deepest, depth);
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.empty() && !keys.back().insert(parsed.get<std::string>()).second && twice.empty())
      twice = parsed.get<std::string>();
    return deepest <= kMaxDepth;
  };
  Json parsed = Json::parse(text, callback, false);
  if (deepest > kMaxDepth) return malformed(what + " is nested deeper than 64 levels");
  if (parsed.is_discarded()) return malformed(what + " is not JSON");
  if (!twice.empty()) return malformed(what + " has the key '" + twice + "' twice");
  return parsed;
}

Result<std::string> card_to_json(const Card& card) {
  Writer io;
  io.out_["schema"] = kCardSchema;
  card_fields::kCard(io, card);
  return io.finish();
}

Result<Card> card_from_json(std::string_view text) {
  Card card;
  if (text.empty()) return card;
  MODNET_ASSIGN(const Json parsed, card_fields::parse_document(text, "the card"));
  Parser io(parsed, "");
  std::string schema;
  io.text("schema", schema, Need::kRequired);
  card_fields::kCard(io, card);
  MODNET_TRY(io.finish());
  if (schema != kCardSchema) return malformed("expected a card of schema " + std::string(kCardSchema) + ", got '" + schema + "'", "schema");
  return card;
}

bool is_card(std::string_view text) {
  const Json parsed = text.empty() || static_cast<int64_t>(text.size()) > kMaxCardBytes ? Json() : Json::parse(text, nullptr, false);
  if (!parsed.is_object()) return false;
  const auto it = parsed.find("schema");
  return it != parsed.end() && *it == kCardSchema;
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  int number[3] = {0, 0, 0};
  for (size_t i = 0, part = 0; i < text.size(); ++i) {
    if (i == 4 || i == 7) {
      ++part;
      continue;
    }
    if (text[i] < '0' || text[i] > '9') return false;
    number[part] = number[part] * 10 + (text[i] - '0');
  }
  const auto [year, month, day] = number;
  if (year < 1 || month < 1 || month > 12) return false;
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  const int days = month == 2 ? (leap ? 29 : 28) : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
  return day >= 1 && day <= days;
}

}  // namespace modnet
