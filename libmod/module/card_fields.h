// The one description of a card's fields, in the order in which they are written. Writer, parser and setter go through
// it, so they cannot disagree. Only for card.cc and card_edit.cc. Tested by tests/unit/module_rules/card_test.cc.
#pragma once

#include <cmath>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "libmod/module/card.h"

namespace modnet::card_fields {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
enum class Need : uint8_t { kOptional, kRequired };

inline constexpr auto kSource = [](auto& io, auto& one) {
  io.text("name", one.name, Need::kRequired);
  io.digest("digest", one.digest);
};
inline constexpr auto kCount = [](auto& io, auto& one) {
  io.text("label", one.label, Need::kRequired);
  io.integer("rows", one.rows);
};
inline constexpr auto kQuantile = [](auto& io, auto& one) {
  io.real("share", one.share, 0, 1);
  io.real("value", one.value, -kInfinity, kInfinity);
};
inline constexpr auto kData = [](auto& io, auto& one) {
  io.text("name", one.name, Need::kRequired);
  io.digest("digest", one.digest);
  io.optional_integer("rows", one.rows);
  io.list("labels", one.labels, kCount);
  io.list("quantiles", one.quantiles, kQuantile);
  io.list("made_by", one.made_by, kSource);
};
inline constexpr auto kMetric = [](auto& io, auto& one) {
  io.text("answer", one.answer, Need::kOptional);
  io.text("name", one.name, Need::kRequired);
  io.real("value", one.value, -kInfinity, kInfinity);
  io.optional_real("low", one.low);
  io.optional_real("high", one.high);
  io.optional_real("baseline", one.baseline);
  io.optional_integer("rows", one.rows);
  io.list("data", one.data, kSource);
  io.list("models", one.models, kSource);
  io.text("policy", one.policy, Need::kOptional);
};
inline constexpr auto kChange = [](auto& io, auto& one) {
  io.version("version", one.version);
  io.date("date", one.date);
  io.text("text", one.text, Need::kRequired);
};
inline constexpr auto kAcceptance = [](auto& io, auto& one) {
  io.text("rule", one.rule, Need::kRequired);
  io.text("path", one.path, Need::kOptional);
  io.text("old", one.old_value, Need::kOptional);
  io.text("new", one.new_value, Need::kOptional);
  io.text("reason", one.reason, Need::kRequired);
  io.text("owner", one.owner, Need::kRequired);
  io.date("expires", one.expires);
};
inline constexpr auto kCard = [](auto& io, auto& card) {
  io.text("intended_use", card.intended_use, Need::kOptional);
  io.text("out_of_scope", card.out_of_scope, Need::kOptional);
  io.text("limitations", card.limitations, Need::kOptional);
  io.texts("authors", card.authors);
  io.text("contact", card.contact, Need::kOptional);
  io.texts("references", card.references);
  io.list("training_data", card.training_data, kData);
  io.list("metrics", card.metrics, kMetric);
  io.list("changes", card.changes, kChange);
  io.list("accepted", card.accepted, kAcceptance);
  io.object("training", card.training);
  io.object("extra", card.extra);
};

/// JSON of which nothing was looked at yet: not over 64 MiB, UTF-8, no NUL byte, no key twice in an object, at most 64
/// levels deep. kMalformed; `what` names the document.
[[nodiscard]] Result<nlohmann::ordered_json> parse_document(std::string_view text, const std::string& what);

/// Records that commands write; nobody sets them by hand.
[[nodiscard]] inline bool is_record(std::string_view key) {
  return key == "training" || key == "accepted" || key == "changes" || key == "schema";
}

}  // namespace modnet::card_fields
