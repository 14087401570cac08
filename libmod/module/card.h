// The model card: what people should know of a module beside its content, as one structured document in the card trailer
// (modnet-module.5, THE CARD). Name, version and licence are the module's identity and stand in the index alone.
// Tested by tests/unit/module_rules/card_test.cc and tests/fuzz/card_fuzz.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/digest.h"
#include "formats/base/result.h"

namespace modnet {

inline constexpr std::string_view kCardSchema = "modnet.card.v1";
inline constexpr int64_t kMaxCardBytes = int64_t{64} << 20;
inline constexpr int64_t kMaxCardText = int64_t{64} << 10;  // bytes of one text
inline constexpr int64_t kMaxCardItems = 4096;              // of one list

/// A file (digest: SHA-256 of its bytes) or a module (digest: its content); zero: not known.
struct CardSource {
  std::string name;
  Digest digest{};
  bool operator==(const CardSource&) const = default;
};
struct CardCount {
  std::string label;
  int64_t rows = 0;
  bool operator==(const CardCount&) const = default;
};
struct CardQuantile {
  double share = 0;  // 0 (the smallest value) to 1 (the largest)
  double value = 0;
  bool operator==(const CardQuantile&) const = default;
};
/// Data that the module was made with, and how it is distributed: rows a label, or quantiles of a number.
struct CardData {
  std::string name;
  Digest digest{};
  std::optional<int64_t> rows;
  std::vector<CardCount> labels;
  std::vector<CardQuantile> quantiles;
  std::vector<CardSource> made_by;  // modules that prepared or embedded it
  bool operator==(const CardData&) const = default;
};
/// One figure with the digests of what it was measured on.
struct CardMetric {
  std::string answer, name;  // "sections", "accuracy"
  double value = 0;
  std::optional<double> low, high;  // 95 % interval: both or neither, low <= high
  std::optional<double> baseline;
  std::optional<int64_t> rows;
  std::vector<CardSource> data, models;
  std::string policy;  // arithmetic: "portable", "vendor: …"
  bool operator==(const CardMetric&) const = default;
};
struct CardChange {
  std::string version, date, text;  // SemVer, YYYY-MM-DD
  bool operator==(const CardChange&) const = default;
};
/// A finding that was accepted when the module was made (RULES, acceptances).
struct CardAcceptance {
  std::string rule, path, old_value, new_value, reason, owner, expires;  // the last as YYYY-MM-DD
  bool operator==(const CardAcceptance&) const = default;
};

struct Card {
  std::string intended_use, out_of_scope, limitations, contact;
  std::vector<std::string> authors, references;
  std::vector<CardData> training_data;
  std::vector<CardMetric> metrics;
  std::vector<CardChange> changes;  // oldest first
  std::vector<CardAcceptance> accepted;
  std::string training;  // train-head's report: a JSON object kept as it is; empty: none
  std::string extra;     // a JSON object of whatever else; empty: none
  bool operator==(const Card&) const = default;
};

/// One line of JSON: keys in the order above, what is empty left out. The same card gives the same bytes.
/// kInvalid names a text that is not UTF-8.
[[nodiscard]] Result<std::string> card_to_json(const Card& card);
/// kMalformed names the field ("metrics[0].value"): a key that is not known, a wrong type, a value out of its range, a
/// text over 64 KiB, a list over 4,096, bad JSON, a key twice, nesting over 64. No bytes give an empty card.
[[nodiscard]] Result<Card> card_from_json(std::string_view text);
/// Whether bytes of a card trailer claim to be such a document. Cards of other tools or later schemas are kept and shown
/// as text, never edited.
[[nodiscard]] bool is_card(std::string_view text);

/// "2026-11-25": a day of the Gregorian calendar.
[[nodiscard]] bool is_date(std::string_view text);

/// Sets one field from text: "intended_use", "authors.0", "metrics.0.value", "extra.team". The schema gives the type; an
/// index one past a list's end adds to it; no text takes an optional value away. Of a list of texts the text is its only
/// entry, or a JSON list. kUsage names the path and what was expected; the records `training`, `accepted` and `changes`
/// are written by commands and cannot be set.
[[nodiscard]] Status set_card_field(Card& card, std::string_view path, std::string_view value);
/// Merges a JSON object into a card as RFC 7396 does: objects key by key, lists and values whole, null takes away.
/// kMalformed as card_from_json; kUsage for the records that commands write.
[[nodiscard]] Result<Card> merge_card(const Card& card, std::string_view patch);
/// Takes the figures of `modnet eval --json` (schema modnet.eval.v1) that the module with this content digest gave; one of
/// the same answer, name and data is replaced. Returns how many. kMalformed names the field; kInvalid when the report is
/// of other modules, or does not say of which modules and data it is.
[[nodiscard]] Result<int64_t> add_eval_metrics(Card& card, std::string_view report, const Digest& content);

}  // namespace modnet
