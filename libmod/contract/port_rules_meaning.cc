// The relations on what values mean: preparation, ranges, spaces, labels.
#include <algorithm>

#include "formats/module/evidence.h"
#include "libmod/contract/names.h"
#include "libmod/contract/port_report.h"
#include "libmod/contract/port_rules.h"

namespace modnet {
namespace {

/// A field of the preparation: the taking side compares it where it has the record. Null when nothing was found.
template <typename Field, typename Text>
Finding* prepared(const Rule& rule, const PortPair& pair, Findings& out, Field PreparationRecord::*field, std::string_view name, Text text) {
  const auto &a = pair.from->preparation, &b = pair.to->preparation;
  if (!a || !b || (*a).*field == (*b).*field) return nullptr;  // a missing record is TOKENIZER_DIGEST_CHANGED
  return &report(rule, pair, "preparation." + std::string(name), text((*a).*field), text((*b).*field), out);
}

const ValuesRecord& values_of(const Port& port) {
  static const ValuesRecord kNothingSaid;
  return port.values ? *port.values : kNothingSaid;
}

std::string range_text(const ValuesRecord& values) {
  return "[" + (values.low ? number_text(*values.low) : "-inf") + ", " + (values.high ? number_text(*values.high) : "inf") + "]";
}

void range(const Rule& rule, const PortPair& pair, Findings& out) {
  const ValuesRecord &have = values_of(*pair.from), &want = values_of(*pair.to);
  const bool low = want.low && (!have.low || *have.low < *want.low);
  const bool high = want.high && (!have.high || *have.high > *want.high);
  if (!low && !high) return;
  Finding& finding = report(rule, pair, "values.range", range_text(have), range_text(want), out,
                            pair.meeting == Meeting::kEdge ? "expected values in " + range_text(want) + ", got " + range_text(have) : "");
  const double outside = high ? (have.high ? *have.high : *want.high + 1) : (have.low ? *have.low : *want.low - 1);
  finding.witness = "the value " + number_text(outside) + " is outside of " + range_text(want);
}

bool declares_space(const Port& port) { return port.space && !is_zero(port.space->fingerprint); }

std::string space_words(const SpaceRecord& space) {
  return space_text(space) + (is_zero(space.fingerprint) ? "" : " (fingerprint " + short_digest(space.fingerprint) + ")");
}

/// A field of the space; silent where none is asked for, or where the spaces are the same or equivalent: then their names do
/// not matter.
template <typename Field, typename Text>
void space_field(const Rule& rule, const PortPair& pair, Findings& out, Field SpaceRecord::*field, std::string_view name, Text text) {
  const auto &a = pair.from->space, &b = pair.to->space;
  if (!a || !b || (*a).*field == (*b).*field) return;
  const SpaceCase kind = decide_space(*pair.from, *pair.to, pair.evidence).kind;
  if (kind == SpaceCase::kNothingAsked || kind == SpaceCase::kSame || kind == SpaceCase::kEquivalent) return;
  report(rule, pair, "space." + std::string(name), text((*a).*field), text((*b).*field), out);
}

}  // namespace

std::string measure_text(const SpaceMeasure& measure) {
  const auto rounded = [](double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.3g", value);
    return std::string(buffer);
  };
  const auto near_one = [](double value) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%.6f", value);
    return std::string(buffer);
  };
  return "largest distance " + rounded(measure.largest) + " and mean " + rounded(measure.mean) + " of that between two probes (" +
         std::to_string(measure.probes) + " probes, cosine ≥ " + near_one(measure.cosine_min) + ", CKA " + near_one(measure.cka) + ")";
}

SpaceDecision decide_space(const Port& from, const Port& to, const SpaceEvidence* evidence) {
  if (!declares_space(to)) return {SpaceCase::kNothingAsked, nullptr, false};
  if (!from.space) return {SpaceCase::kDifferent, nullptr, false};
  if (from.space->fingerprint == to.space->fingerprint) return {SpaceCase::kSame, nullptr, false};
  if (evidence != nullptr) {
    const auto look = [&](std::span<const EvidenceRecord> records) -> const EvidenceRecord* {
      for (const EvidenceRecord& record : records)
        if (record.fingerprint == from.space->fingerprint && record.root == to.space->root && !is_zero(record.root) && !measured_on_data(record)) return &record;
      return nullptr;
    };
    for (const bool measured : {true, false})
      if (const EvidenceRecord* record = look(measured ? evidence->measured : evidence->recorded)) {
        const SpaceMeasure& m = record->measure;
        if (m.probes < kLeastProbes || !(m.probe_distance > 0)) return {SpaceCase::kUnverified, record, measured};
        const bool within = m.nonfinite == 0 && m.largest <= evidence->tolerance;
        return {within ? SpaceCase::kEquivalent : SpaceCase::kDifferent, record, measured};
      }
  }
  // The giving space is the very one that the taking side's evidence is measured against.
  if (!is_zero(to.space->root) && from.space->fingerprint == to.space->root) return {SpaceCase::kEquivalent, nullptr, false};
  return {SpaceCase::kUnverified, nullptr, false};
}

namespace port_rules {

void preparation(const Rule& rule, const PortPair& pair, Findings& out) {
  const auto &a = pair.from->preparation, &b = pair.to->preparation;
  if (!b || (a && (is_zero(b->digest) || a->digest == b->digest))) return;
  const auto text = [](const std::optional<PreparationRecord>& p) {
    return !p ? std::string("none") : p->method + "/" + (is_zero(p->digest) ? "any" : short_digest(p->digest));
  };
  report(rule, pair, "preparation.digest", text(a), text(b), out,
         pair.meeting == Meeting::kEdge ? "expected preparation " + text(b) + ", got " + text(a) : "");
}
void special_ids(const Rule& rule, const PortPair& pair, Findings& out) {
  Finding* finding = prepared(rule, pair, out, &PreparationRecord::special_ids, "special_ids", [](const std::vector<SpecialId>& ids) {
    std::string text;
    for (const SpecialId& one : ids) text += (text.empty() ? "" : " ") + one.role + "=" + std::to_string(one.id);
    return text.empty() ? std::string("none") : text;
  });
  if (finding == nullptr) return;
  for (const SpecialId& mine : pair.from->preparation->special_ids)
    for (const SpecialId& theirs : pair.to->preparation->special_ids)
      if (mine.role == theirs.role && mine.id != theirs.id && finding->witness.empty())
        finding->witness = "id " + std::to_string(mine.id) + " is '" + mine.role + "' on one side; the other reads it as a word, and waits for " + std::to_string(theirs.id);
}
void unicode_norm(const Rule& r, const PortPair& p, Findings& out) {
  prepared(r, p, out, &PreparationRecord::unicode_norm, "unicode_norm", [](const std::string& s) { return "'" + s + "'"; });
}
void resampling(const Rule& r, const PortPair& p, Findings& out) {
  prepared(r, p, out, &PreparationRecord::resampling, "resampling", [](const std::string& s) { return "'" + s + "'"; });
}
void prefixes(const Rule& r, const PortPair& p, Findings& out) {
  Finding* finding = prepared(r, p, out, &PreparationRecord::prefixes, "prefixes", [](const std::vector<std::string>& list) { return list_text(list); });
  const auto first = [](const Port& port) { return port.preparation->prefixes.empty() ? std::string() : port.preparation->prefixes.front(); };
  if (finding != nullptr && first(*p.from) != first(*p.to))
    finding->witness = "the text 'cats' is prepared as '" + first(*p.from) + "cats' on one side and as '" + first(*p.to) + "cats' on the other";
}

void input_range(const Rule& rule, const PortPair& pair, Findings& out) {
  if (pair.meeting != Meeting::kOutput) range(rule, pair, out);
}
void output_range(const Rule& rule, const PortPair& pair, Findings& out) {
  if (pair.meeting == Meeting::kOutput) range(rule, pair, out);
}
void mean_std(const Rule& rule, const PortPair& pair, Findings& out) {
  const ValuesRecord &a = values_of(*pair.from), &b = values_of(*pair.to);
  if (a.mean == b.mean && a.std == b.std) return;
  const auto text = [](const ValuesRecord& v) {
    std::string s = "mean";
    for (const double x : v.mean) s += " " + number_text(x);
    s += v.mean.empty() ? " none, std" : ", std";
    for (const double x : v.std) s += " " + number_text(x);
    return v.std.empty() ? s + " none" : s;
  };
  Finding& finding = report(rule, pair, "values.mean_std", text(a), text(b), out);
  const auto scaled = [](const ValuesRecord& v) {
    const double mean = v.mean.empty() ? 0 : v.mean[0], std = v.std.empty() ? 1 : v.std[0];
    return number_text((1 - mean) / std);
  };
  if (scaled(a) != scaled(b)) finding.witness = "a raw value of 1 is " + scaled(a) + " on one side and " + scaled(b) + " on the other";
}
void norm(const Rule& rule, const PortPair& pair, Findings& out) {
  const NormKind a = values_of(*pair.from).norm, b = values_of(*pair.to).norm;
  if (b == NormKind::kNone || a == b) return;
  report(rule, pair, "values.norm", std::string(name_of(a)), std::string(name_of(b)), out).witness =
      b == NormKind::kL2 ? "the vector (3, 4), of length 5 where 1 is expected" : "";
}
void nonfinite(const Rule& rule, const PortPair& pair, Findings& out) {
  const NonFinite a = values_of(*pair.from).nonfinite, b = values_of(*pair.to).nonfinite;
  if (pair.meeting == Meeting::kEdge || a == b) return;
  report(rule, pair, "values.nonfinite", std::string(name_of(a)), std::string(name_of(b)), out).witness = "a value of NaN";
}

void space_fingerprint(const Rule& rule, const PortPair& pair, Findings& out) {
  const SpaceDecision decision = decide_space(*pair.from, *pair.to, pair.evidence);
  if (decision.kind == SpaceCase::kNothingAsked || decision.kind == SpaceCase::kSame) return;
  const std::string wanted = space_words(*pair.to->space);
  const std::string given = pair.from->space ? space_words(*pair.from->space) : "none";
  const std::string how = decision.measured ? "measured" : "recorded";
  const std::string sides = pair.meeting == Meeting::kEdge     ? "made for space " + wanted + ", got space " + given
                            : pair.meeting == Meeting::kOutput ? "was space " + wanted + ", is now " + given
                                                               : "was made for space " + given + ", is now for " + wanted;
  const bool shapes = type_text(*pair.from) == type_text(*pair.to);
  switch (decision.kind) {
    case SpaceCase::kEquivalent: {
      const std::string figures = decision.evidence == nullptr ? "the one that the other was made from" : how + ": " + measure_text(decision.evidence->measure);
      report(*find_rule("SPACE_EQUIVALENT_BY_PROBES"), pair, "space.fingerprint", given, wanted, out, sides + "; the same by probes, " + figures);
      if (decision.evidence != nullptr && decision.evidence->measure.largest > pair.evidence->tolerance / 2)
        report(*find_rule("SPACE_TOLERANCE_NEAR"), pair, "space.fingerprint", number_text(decision.evidence->measure.largest),
               number_text(pair.evidence->tolerance), out,
               "the largest distance, " + number_text(decision.evidence->measure.largest) + ", is over half of the tolerance of " + number_text(pair.evidence->tolerance));
      return;
    }
    case SpaceCase::kUnverified:
      report(*find_rule("SPACE_UNVERIFIED"), pair, "space.fingerprint", given, wanted, out,
             sides + "; " + (decision.evidence != nullptr ? "the probes are too few, or lie too close together, to tell" : shapes ? "the shapes agree, whether the spaces do was not measured" : "whether they agree was not measured"));
      return;
    default: break;
  }
  if (!pair.from->space) {
    report(rule, pair, "space", given, wanted, out, pair.meeting == Meeting::kEdge ? "expected space " + wanted + ", got values of no declared space" : sides);
    return;
  }
  std::string what = sides;
  if (decision.evidence != nullptr) what += "; " + how + ": " + measure_text(decision.evidence->measure) + ", at most " + number_text(pair.evidence->tolerance) + " is taken";
  if (shapes) what += "; the shapes agree, the spaces do not";
  report(rule, pair, "space.fingerprint", given, wanted, out, std::move(what));
  if (pair.meeting == Meeting::kEdge && pair.from->space->id != pair.to->space->id)
    report(*find_rule("BRIDGE_MISSING"), pair, "space.id", pair.from->space->id, pair.to->space->id, out,
           "nothing between the two turns space " + space_text(*pair.from->space) + " into " + space_text(*pair.to->space));
}
void pooling(const Rule& r, const PortPair& p, Findings& out) {
  space_field(r, p, out, &SpaceRecord::pooling, "pooling", [](Pooling value) { return std::string(name_of(value)); });
}
void space_id(const Rule& r, const PortPair& p, Findings& out) {
  if (p.meeting == Meeting::kEdge) return;  // BRIDGE_MISSING says so where the spaces differ
  space_field(r, p, out, &SpaceRecord::id, "id", [](const std::string& s) { return "'" + s + "'"; });
}
void space_version(const Rule& r, const PortPair& p, Findings& out) {
  if (p.meeting == Meeting::kEdge) return;
  space_field(r, p, out, &SpaceRecord::version, "version", [](const std::string& s) { return "'" + s + "'"; });
}
void metric(const Rule& rule, const PortPair& pair, Findings& out) {
  const auto &a = pair.from->space, &b = pair.to->space;
  if (!a || !declares_space(*pair.to) || a->metric == b->metric) return;
  report(rule, pair, "space.metric", std::string(name_of(a->metric)), std::string(name_of(b->metric)), out);
}
void prefix_dims(const Rule& rule, const PortPair& pair, Findings& out) {
  const auto &a = pair.from->space, &b = pair.to->space;
  if (!a || !declares_space(*pair.to)) return;
  for (const uint64_t wanted : b->prefix_dims)
    if (std::find(a->prefix_dims.begin(), a->prefix_dims.end(), wanted) == a->prefix_dims.end()) {
      const auto text = [](const std::vector<uint64_t>& dims) {
        std::string s;
        for (const uint64_t dim : dims) s += (s.empty() ? "" : " ") + std::to_string(dim);
        return s.empty() ? std::string("all only") : s;
      };
      report(rule, pair, "space.prefix_dims", text(a->prefix_dims), text(b->prefix_dims), out).witness =
          "the first " + std::to_string(wanted) + " dimensions alone are no usable embedding";
      return;
    }
}

namespace {

/// What two label lists have in common, by place.
struct LabelChange {
  size_t same = 0;                // length of the common beginning
  std::vector<std::string> gone;  // of the old list, at no place in the new one
  std::vector<std::string> added;
  bool moved = false, renamed = false;
  size_t at = 0;                  // the first place that differs
};
LabelChange compare_labels(const std::vector<std::string>& before, const std::vector<std::string>& now) {
  LabelChange change;
  const size_t common = std::min(before.size(), now.size());
  while (change.same < common && before[change.same] == now[change.same]) ++change.same;
  change.at = change.same;
  const auto lacks = [](const std::vector<std::string>& list, const std::string& name) { return std::find(list.begin(), list.end(), name) == list.end(); };
  for (const std::string& name : before)
    if (lacks(now, name)) change.gone.push_back(name);
  for (const std::string& name : now)
    if (lacks(before, name)) change.added.push_back(name);
  for (size_t i = change.same; i < before.size(); ++i)
    if (!lacks(now, before[i]) && (i >= now.size() || now[i] != before[i])) change.moved = true;
  // Another name at the same place, and as many names as before: the same label, renamed.
  change.renamed = !change.gone.empty() && before.size() == now.size() && !change.moved && change.gone.size() == change.added.size();
  return change;
}

}  // namespace

// A closed set promises these labels and no others, an open one these and perhaps more. An edge or an input takes a closed
// set where its own list begins with it; an open one only where it is open itself and asks for no more than is promised.
void labels(const Rule&, const PortPair& pair, Findings& out) {
  const std::optional<LabelsRecord>&from = pair.from->labels, &to = pair.to->labels;
  if (!to) return;
  const auto add = [&](std::string_view id, std::string_view field, const std::string& a, const std::string& b, std::string what = {}) -> Finding& {
    return report(*find_rule(id), pair, field, a, b, out, std::move(what));
  };
  if (!from) {
    add("LABEL_REMOVED", "labels", "none", list_text(to->names), "one side names no labels, the other depends on them");
    return;
  }
  const bool output = pair.meeting == Meeting::kOutput;
  const LabelsRecord &before = output ? *to : *from, &now = output ? *from : *to;
  const auto kind = [](const LabelsRecord& set) { return std::string(set.closed ? "closed" : "open"); };
  if (output ? before.closed != now.closed : !before.closed && now.closed)
    add("LABEL_SET_CLOSED", "labels.closed", kind(*from), kind(*to)).witness =
        before.closed ? "a label that is not in the list" : "the list is now final: a label that was to come is not taken";
  if (before.names == now.names) return;
  const LabelChange change = compare_labels(before.names, now.names);
  const bool edge_or_input = !output;
  // What the taking side of an edge or input may have that the giving side does not name.
  const bool extra_is_fine = edge_or_input && from->closed;
  const bool shorter_is_fine = edge_or_input && !to->closed && change.gone.size() == before.names.size() - now.names.size() && change.same == now.names.size();
  const std::string place = change.at < before.names.size() && change.at < now.names.size()
                                ? "label id " + std::to_string(change.at) + " is '" + before.names[change.at] + "' on one side and '" + now.names[change.at] + "' on the other"
                                : "";
  if (change.renamed) {
    add("LABEL_RENAMED", "labels.names", list_text(output ? change.added : change.gone), list_text(output ? change.gone : change.added)).witness = place;
    return;
  }
  if (change.moved || (!change.added.empty() && change.at < before.names.size() && change.gone.empty()))
    add("LABEL_REORDERED", "labels.names", list_text(from->names), list_text(to->names), "the same labels stand at other places").witness = place;
  if (!change.gone.empty() && !shorter_is_fine)
    add("LABEL_REMOVED", "labels.names", list_text(from->names), list_text(to->names), "without " + list_text(change.gone)).witness =
        !place.empty() ? place : "label id " + std::to_string(change.at) + " ('" + before.names[change.at] + "') has no name on the other side";
  if (!change.added.empty() && pair.meeting != Meeting::kEdge) {
    Finding& finding = add("LABEL_ADDED", "labels.names", list_text(from->names), list_text(to->names), "with " + list_text(change.added));
    const bool breaks = output ? before.closed : !extra_is_fine;
    if (breaks) {
      finding.severity = Severity::kDeny;
      finding.bump = Bump::kMajor;
      finding.witness = "an item of label '" + change.added.front() + "', which a set that was " + kind(before) + " did not have";
    }
  } else if (!change.added.empty() && !extra_is_fine) {
    add("LABEL_ADDED", "labels.names", list_text(from->names), list_text(to->names), "label names that the giving side does not promise: " + list_text(change.added))
        .severity = Severity::kDeny;
  }
}

void thresholds(const Rule& rule, const PortPair& pair, Findings& out) {
  const auto &a = pair.from->labels, &b = pair.to->labels;
  if (!a || !b || pair.meeting == Meeting::kEdge || a->thresholds == b->thresholds) return;
  const auto text = [](const std::vector<double>& list) {
    std::string s;
    for (const double x : list) s += (s.empty() ? "" : " ") + number_text(x);
    return s.empty() ? std::string("none") : s;
  };
  report(rule, pair, "labels.thresholds", text(a->thresholds), text(b->thresholds), out);
}

}  // namespace port_rules
}  // namespace modnet
