// Changing a card: one field from text, a merged document, figures of an evaluation. Tested by
// tests/unit/module_rules/card_test.cc.
#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "formats/base/text.h"
#include "libmod/contract/versions.h"
#include "libmod/module/card.h"
#include "libmod/module/card_fields.h"

namespace modnet {
namespace {

using card_fields::Need;
using Json = nlohmann::ordered_json;

template <typename T>
std::optional<T> number_from(std::string_view text) {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

/// Follows a dotted path through the fields; every visit of a field compares its key with the next part of the path.
class Setter {
 public:
  Setter(std::string_view path, std::string_view value) : rest_(path), whole_(path), value_(value) {}

  void text(const char* key, std::string& value, Need) { assign(key, [&] { value = std::string(value_); }); }
  void version(const char* key, std::string& value) { text(key, value, Need::kRequired); }
  void date(const char* key, std::string& value) { text(key, value, Need::kRequired); }
  void digest(const char* key, Digest& value) {
    assign(key, [&] {
      const auto parsed = value_.starts_with("sha256:") ? digest_from_hex(value_.substr(7)) : std::nullopt;
      if (!parsed && !value_.empty()) return refuse("expected sha256: and 64 hex digits");
      value = parsed.value_or(Digest{});
    });
  }
  void integer(const char* key, int64_t& value) {
    std::optional<int64_t> read = value;
    optional_integer(key, read);
    if (read) value = *read;
  }
  void real(const char* key, double& value, double, double) {
    std::optional<double> read = value;
    optional_real(key, read);
    if (read) value = *read;
  }
  void optional_integer(const char* key, std::optional<int64_t>& value) {
    assign(key, [&] {
      const auto parsed = number_from<int64_t>(value_);
      if (!parsed && !value_.empty()) return refuse("expected a whole number");
      value = parsed;
    });
  }
  void optional_real(const char* key, std::optional<double>& value) {
    assign(key, [&] {
      const auto parsed = number_from<double>(value_);
      if ((!parsed || !std::isfinite(*parsed)) && !value_.empty()) return refuse("expected a number");
      value = parsed;
    });
  }
  void texts(const char* key, std::vector<std::string>& values) {
    if (!enter(key)) return;
    if (rest_.empty()) return set_texts(values);
    const auto index = next_index(values.size());
    if (!index) return;
    if (!rest_.empty()) return refuse("is a text and has no fields");
    if (value_.empty()) {
      if (*index < values.size()) values.erase(values.begin() + static_cast<ptrdiff_t>(*index));
    } else {
      if (*index == values.size()) values.emplace_back();
      values[*index] = std::string(value_);
    }
  }
  template <typename R, typename F>
  void list(const char* key, std::vector<R>& values, F describe) {
    if (!enter(key)) return;
    if (rest_.empty()) {
      if (!value_.empty()) return refuse("is a list: name one of its entries and a field of that, as " + std::string(key) + ".0.FIELD");
      values.clear();
      return;
    }
    const auto index = next_index(values.size());
    if (!index) return;
    if (*index == values.size()) values.emplace_back();
    if (rest_.empty()) {
      if (!value_.empty()) return refuse("has fields: set one of them");
      values.erase(values.begin() + static_cast<ptrdiff_t>(*index));
      return;
    }
    found_ = false;
    describe(*this, values[*index]);
    if (!found_) refuse("names no field");
    found_ = true;
  }
  void object(const char* key, std::string& value) {
    if (!enter(key)) return;
    if (rest_.empty()) return refuse("is an object: name a key in it");
    Json document = value.empty() ? Json::object() : Json::parse(value, nullptr, false);
    Json* at = &document;
    while (!rest_.empty()) {
      const std::string part = next_part();
      if (part.empty()) return refuse("has an empty part");
      if (!at->is_object()) return refuse("goes through a value that is no object");
      if (rest_.empty() && value_.empty()) {
        at->erase(part);
        break;
      }
      at = &(*at)[part];
      if (!rest_.empty() && at->is_null()) *at = Json::object();
      if (rest_.empty()) *at = std::string(value_);
    }
    value = document.empty() ? std::string() : document.dump();
  }
  Status finish() {
    if (error_) return *error_;
    if (!found_) return usage("a card has no field '" + std::string(whole_) + "'", "see 'man modnet-card'; what has no field goes under extra.KEY");
    return ok();
  }

 private:
  /// True when `key` is the next part of the path, which is then taken off it.
  bool enter(std::string_view key) {
    if (found_ || error_ || rest_.substr(0, rest_.find('.')) != key) return false;
    next_part();
    found_ = true;
    return true;
  }
  template <typename F>
  void assign(const char* key, F set) {
    if (!enter(key)) return;
    if (!rest_.empty()) return refuse("is a value and has no fields");
    set();
  }
  std::string next_part() {
    const size_t dot = rest_.find('.');
    const std::string part(rest_.substr(0, dot));
    rest_ = dot == std::string_view::npos ? std::string_view() : rest_.substr(dot + 1);
    return part;
  }
  std::optional<size_t> next_index(size_t size) {
    const auto index = number_from<size_t>(next_part());
    if (!index || *index > size) {
      refuse("expected an entry from 0 to " + std::to_string(size) + " (the next new one)");
      return std::nullopt;
    }
    return index;
  }
  void set_texts(std::vector<std::string>& values) {
    values.clear();
    if (!value_.starts_with('[')) {
      if (!value_.empty()) values.emplace_back(value_);
      return;
    }
    const Json parsed = Json::parse(value_, nullptr, false);
    if (!parsed.is_array()) return refuse("expected a JSON list of texts");
    for (const Json& one : parsed) {
      if (!one.is_string()) return refuse("expected a JSON list of texts");
      values.push_back(one.get<std::string>());
    }
  }
  void refuse(const std::string& what) {
    if (!error_) error_ = usage("card field '" + std::string(whole_) + "': " + what + (value_.empty() ? "" : ", got '" + std::string(value_) + "'"));
  }

  std::string_view rest_, whole_, value_;
  bool found_ = false;
  std::optional<Error> error_;
};

Error written_by_commands(std::string_view key) {
  if (key == "schema") return usage("'schema' says what a card is and cannot be changed");
  return usage("card field '" + std::string(key) + "' is a record that commands write",
               key == "changes" ? "use --version and --log" : "it stays as it is");
}

/// RFC 7396. An object replaced by another value, or the other way round, is the parser's to judge.
void merge(Json& target, const Json& patch, int depth) {
  if (!patch.is_object() || depth > 64) {
    target = patch;
    return;
  }
  if (!target.is_object()) target = Json::object();
  for (const auto& [key, value] : patch.items()) {
    if (value.is_null()) target.erase(key);
    else merge(target[key], value, depth + 1);
  }
}

/// A report of eval, read field by field; the first thing that is wrong stays.
class EvalReport {
 public:
  explicit EvalReport(const Json& document) : document_(document) {}

  Result<std::vector<CardMetric>> metrics(const Digest& content) {
    const Json* answers = member(document_, "answers");
    if (answers == nullptr || !answers->is_object()) return wrong("answers", "an object");
    MODNET_ASSIGN(const std::vector<CardSource> data, sources("data_files", "digest"));
    MODNET_ASSIGN(const std::vector<CardSource> models, sources("models", "content"));
    if (data.empty())
      return invalid("the report does not say of which data it is: 'data_files' is empty", "evaluate on a file, not on standard input");
    if (std::none_of(models.begin(), models.end(), [&](const CardSource& one) { return one.digest == content; })) {
      std::string names;
      for (const CardSource& one : models) names += (names.empty() ? "" : ", ") + one.name + " " + hex(one.digest).substr(0, 12);
      return invalid("the report is of other modules (" + names + ") than this one, whose content is " + hex(content).substr(0, 12),
                     "evaluate this module, and give that report");
    }
    std::vector<CardMetric> out;
    for (const auto& [answer, one] : answers->items()) MODNET_TRY(add(answer, one, content, data, models, out));
    return out;
  }

 private:
  static const Json* member(const Json& from, const char* key) {
    if (!from.is_object()) return nullptr;
    const auto it = from.find(key);
    return it == from.end() ? nullptr : &*it;
  }
  static Error wrong(const std::string& where, const std::string& expected) {
    return malformed("the report's field '" + where + "' is missing or wrong; expected " + expected, where);
  }
  static std::optional<double> real(const Json* item) {
    return item != nullptr && item->is_number() ? std::optional<double>(item->get<double>()) : std::nullopt;
  }
  Result<std::vector<CardSource>> sources(const char* key, const char* digest_key) {
    const Json* list = member(document_, key);
    if (list == nullptr || !list->is_array()) return wrong(key, "a list (a report of this version of modnet eval)");
    std::vector<CardSource> out;
    for (const Json& one : *list) {
      const Json *name = member(one, "name"), *text = member(one, digest_key);
      const std::string given = text != nullptr && text->is_string() ? text->get<std::string>() : std::string();
      const auto digest = given.starts_with("sha256:") ? digest_from_hex(std::string_view(given).substr(7)) : std::nullopt;
      if (name == nullptr || !name->is_string() || !digest) return wrong(std::string(key) + "[" + std::to_string(out.size()) + "]", "a name and a digest");
      out.push_back({name->get<std::string>(), *digest});
    }
    return out;
  }
  Status add(const std::string& answer, const Json& one, const Digest& content, const std::vector<CardSource>& data,
             const std::vector<CardSource>& models, std::vector<CardMetric>& out) {
    const std::string where = "answers." + answer;
    const Json *figures = member(one, "figures"), *rows = member(one, "rows"), *model = member(one, "model"), *policy = member(document_, "policy");
    if (model == nullptr || !model->is_string()) return wrong(where + ".model", "a digest");
    if (*model != "sha256:" + hex(content)) return ok();  // another module's answer in the same run
    if (figures == nullptr || !figures->is_object()) return wrong(where + ".figures", "an object");
    if (rows == nullptr || !rows->is_number_unsigned()) return wrong(where + ".rows", "a number");
    for (const auto& [name, figure] : figures->items()) {
      const std::optional<double> value = real(member(figure, "value"));
      if (!value) {
        const Json* given = member(figure, "value");
        if (given != nullptr && given->is_null()) continue;  // undefined on these data
        return wrong(where + ".figures." + name + ".value", "a number or null");
      }
      CardMetric metric;
      metric.answer = answer;
      metric.name = name;
      metric.value = *value;
      metric.baseline = real(member(figure, "baseline"));
      metric.rows = rows->get<int64_t>();
      metric.data = data;
      metric.models = models;
      if (policy != nullptr && policy->is_string()) metric.policy = policy->get<std::string>();
      const Json* interval = member(figure, "interval_95");
      if (interval != nullptr && interval->is_array() && interval->size() == 2) {
        metric.low = real(&(*interval)[0]);
        metric.high = real(&(*interval)[1]);
        if (!metric.low || !metric.high) metric.low = metric.high = std::nullopt;
      }
      out.push_back(std::move(metric));
    }
    return ok();
  }

  const Json& document_;
};

/// What was written must be readable: sets and merges go through the parser's checks.
Result<Card> checked(const Card& card) {
  MODNET_ASSIGN(const std::string text, card_to_json(card));
  return card_from_json(text);
}

}  // namespace

Status set_card_field(Card& card, std::string_view path, std::string_view value) {
  const std::string_view key = path.substr(0, path.find('.'));
  if (card_fields::is_record(key)) return written_by_commands(key);
  if (key == "licence" || key == "version" || key == "name")
    return usage("'" + std::string(key) + "' is the module's, not the card's", key == "name" ? "" : "use --" + std::string(key));
  if (const int64_t bad = utf8_error(value); bad >= 0) return usage("the value of '" + std::string(path) + "' is not UTF-8");
  Setter setter(path, value);
  card_fields::kCard(setter, card);
  return setter.finish();
}

Result<Card> merge_card(const Card& card, std::string_view patch) {
  MODNET_ASSIGN(const Json changes, card_fields::parse_document(patch, "the edit"));
  if (!changes.is_object()) return malformed("the edit is no object with fields of a card");
  for (const auto& [key, value] : changes.items())
    if (card_fields::is_record(key) && !(key == "schema" && value == kCardSchema)) return written_by_commands(key);
  MODNET_ASSIGN(const std::string text, card_to_json(card));
  Json document = Json::parse(text, nullptr, false);
  merge(document, changes, 0);
  return card_from_json(document.dump());
}

Result<int64_t> add_eval_metrics(Card& card, std::string_view report, const Digest& content) {
  MODNET_ASSIGN(const Json document, card_fields::parse_document(report, "the report"));
  const auto schema = document.is_object() ? document.find("schema") : document.end();
  if (schema == document.end() || *schema != "modnet.eval.v1")
    return malformed("expected a report of 'modnet eval --json' (schema modnet.eval.v1)", "schema");
  MODNET_ASSIGN(std::vector<CardMetric> fresh, EvalReport(document).metrics(content));
  if (fresh.empty()) return invalid("the report holds no figures of this module");
  Card next = card;
  for (const CardMetric& metric : fresh)
    std::erase_if(next.metrics, [&](const CardMetric& one) { return one.answer == metric.answer && one.name == metric.name && one.data == metric.data; });
  next.metrics.insert(next.metrics.end(), fresh.begin(), fresh.end());
  MODNET_ASSIGN(card, checked(next));
  return static_cast<int64_t>(fresh.size());
}

}  // namespace modnet
