#include "libmod/contract/rules.h"

#include <array>
#include <algorithm>

#include "libmod/contract/names.h"

namespace modnet {
namespace {

void semantic(const Rule& rule, const Seam& seam, Findings& out) {
  if (seam.from->semantic == seam.to->semantic) return;
  const std::string a(name_of(seam.from->semantic)), b(name_of(seam.to->semantic));
  out.add(rule, seam.to->name + ".semantic", a, b, "expected " + b + ", got " + a);
}

void rank(const Rule& rule, const Seam& seam, Findings& out) {
  if (seam.from->dims.size() == seam.to->dims.size()) return;
  const std::string a = type_text(*seam.from), b = type_text(*seam.to);
  out.add(rule, seam.to->name + ".dims", a, b, "expected rank " + std::to_string(seam.to->dims.size()) + " (" + b + "), got " + a);
}

/// The longest sequence that a port may hold, 0 = unbounded: its record, else the dim along `axis`.
uint64_t longest(const Port& port, uint32_t axis) {
  if (port.sequence) return port.sequence->max_length;
  if (axis >= port.dims.size()) return 0;
  return port.dims[axis].symbol.empty() ? port.dims[axis].size : port.dims[axis].max;
}

/// Does MAXLEN_REDUCED hold for the seam?
bool too_long(const Seam& seam) {
  if (!seam.to->sequence || seam.to->sequence->max_length == 0) return false;
  const uint64_t given = longest(*seam.from, seam.to->sequence->axis);
  return given == 0 || given > seam.to->sequence->max_length;
}

/// Runs over the dims once; `only` and `except` say which of the two dim rules is asking.
void each_dim(const Rule& rule, const Seam& seam, Findings& out, Fit only, Fit except) {
  if (seam.from->dims.size() != seam.to->dims.size()) return;
  Symbols scratch = *seam.symbols;
  for (size_t i = 0; i < seam.to->dims.size(); ++i) {
    const Dim& to = seam.to->dims[i];
    Dim from = seam.from->dims[i];
    if (const uint64_t most = longest(*seam.from, static_cast<uint32_t>(i));
        seam.from->sequence && seam.from->sequence->axis == i && most > 0 && !from.symbol.empty() && (from.max == 0 || from.max > most))
      from.max = most;  // the record bounds the dim
    const Fit fit = scratch.unify(from, to);
    if (fit == Fit::kFits || fit == except || (only != Fit::kFits && fit != only)) continue;
    if (fit == Fit::kOutOfBounds && seam.to->sequence && seam.to->sequence->axis == i && too_long(seam)) {
      Dim open = to;  // a sequence that is only too long has its own rule (MAXLEN_REDUCED), with its own words
      open.max = 0;
      if (counterexample(from, open) == 0) continue;
    }
    std::string what = "expected " + dim_text(to) + ", got " + dim_text(from);
    if (const uint64_t n = counterexample(from, to); n != 0 && !from.symbol.empty()) what += " (for example " + std::to_string(n) + ")";
    if (fit == Fit::kSymbolClashes) what = "'" + to.symbol + "' already stands for another size; got " + dim_text(from);
    out.add(rule, seam.to->name + ".dims[" + std::to_string(i) + "]", dim_text(from), dim_text(to), std::move(what));
  }
}
void dim(const Rule& rule, const Seam& seam, Findings& out) { each_dim(rule, seam, out, Fit::kFits, Fit::kSymbolClashes); }
void symbol(const Rule& rule, const Seam& seam, Findings& out) {
  each_dim(rule, seam, out, Fit::kSymbolClashes, Fit::kFits);
  if (seam.from->dims.size() == seam.to->dims.size())  // this rule runs after DIM_CHANGED: keep the bindings
    for (size_t i = 0; i < seam.to->dims.size(); ++i) static_cast<void>(seam.symbols->unify(seam.from->dims[i], seam.to->dims[i]));
}

void layout(const Rule& rule, const Seam& seam, Findings& out) {
  if (seam.from->layout == seam.to->layout) return;
  const std::string a(name_of(seam.from->layout)), b(name_of(seam.to->layout));
  out.add(rule, seam.to->name + ".layout", a, b, "expected " + b + ", got " + a);
}

void dtype(const Rule& rule, const Seam& seam, Findings& out) {
  if (seam.from->dtype == seam.to->dtype) return;
  const std::string a(dtype_name(seam.from->dtype)), b(dtype_name(seam.to->dtype));
  out.add(rule, seam.to->name + ".dtype", a, b, "expected " + b + ", got " + a);
}

void quantisation(const Rule& rule, const Seam& seam, Findings& out) {
  if (seam.from->quantisation == seam.to->quantisation) return;
  const auto text = [](const Port& p) { return p.quantisation ? p.quantisation->scheme + "/" + p.quantisation->granularity : "none"; };
  out.add(rule, seam.to->name + ".quantisation", text(*seam.from), text(*seam.to), "expected " + text(*seam.to) + ", got " + text(*seam.from));
}

/// A rule on one field of a record that both sides have.
template <typename Record, typename Field, typename Text>
void record_field(const Rule& rule, const Seam& seam, Findings& out, std::optional<Record> Port::*record, Field Record::*field,
                  std::string_view name, Text text) {
  const auto &a = seam.from->*record, &b = seam.to->*record;
  if (!a || !b || (*a).*field == (*b).*field) return;
  const std::string x = text((*a).*field), y = text((*b).*field);
  out.add(rule, seam.to->name + "." + std::string(name), x, y, "expected " + y + ", got " + x);
}
const auto kEnumText = [](auto value) { return std::string(name_of(value)); };
const auto kNumberText = [](auto value) { return std::to_string(value); };
const auto kPlainText = [](const std::string& value) { return "'" + value + "'"; };

void seq_axis(const Rule& r, const Seam& s, Findings& out) {
  record_field(r, s, out, &Port::sequence, &SequenceRecord::axis, "sequence.axis", kNumberText);
}
void max_length(const Rule& rule, const Seam& seam, Findings& out) {
  if (!too_long(seam)) return;
  const uint64_t a = longest(*seam.from, seam.to->sequence->axis), b = seam.to->sequence->max_length;
  const std::string given = a == 0 ? "unbounded" : std::to_string(a);
  out.add(rule, seam.to->name + ".sequence.max_length", given, std::to_string(b),
          "sequences of up to " + given + " where at most " + std::to_string(b) + " are taken (T = " +
              std::to_string(b + 1) + " > " + std::to_string(b) + ")");
}
void stride_or_rate(const Rule& r, const Seam& s, Findings& out) {
  record_field(r, s, out, &Port::sequence, &SequenceRecord::stride, "sequence.stride", kNumberText);
  record_field(r, s, out, &Port::sequence, &SequenceRecord::sample_rate, "sequence.sample_rate", kNumberText);
}
void causality(const Rule& r, const Seam& s, Findings& out) {
  record_field(r, s, out, &Port::sequence, &SequenceRecord::causal, "sequence.causal", kNumberText);
}
void mask_polarity(const Rule& r, const Seam& s, Findings& out) {
  record_field(r, s, out, &Port::sequence, &SequenceRecord::mask, "sequence.mask", kEnumText);
}
void pad_side(const Rule& r, const Seam& s, Findings& out) {
  record_field(r, s, out, &Port::sequence, &SequenceRecord::pad_side, "sequence.pad_side", kEnumText);
}
void pad_id(const Rule& r, const Seam& s, Findings& out) {
  record_field(r, s, out, &Port::sequence, &SequenceRecord::pad_id, "sequence.pad_id", kNumberText);
}
void stream_state(const Rule& r, const Seam& s, Findings& out) {
  record_field(r, s, out, &Port::sequence, &SequenceRecord::stream_state, "sequence.stream_state", kPlainText);
}

void preparation(const Rule& rule, const Seam& seam, Findings& out) {
  const auto &a = seam.from->preparation, &b = seam.to->preparation;
  if (!b || is_zero(b->digest) || (a && a->digest == b->digest)) return;
  const auto text = [](const std::optional<PreparationRecord>& p) { return p ? p->method + "/" + short_digest(p->digest) : "none"; };
  out.add(rule, seam.to->name + ".preparation.digest", text(a), text(b), "expected preparation " + text(b) + ", got " + text(a));
}
void special_ids(const Rule& rule, const Seam& seam, Findings& out) {
  const auto &a = seam.from->preparation, &b = seam.to->preparation;
  if (!a || !b || a->special_ids == b->special_ids) return;
  const auto text = [](const PreparationRecord& p) {
    std::string s;
    for (const SpecialId& one : p.special_ids) s += (s.empty() ? "" : " ") + one.role + "=" + std::to_string(one.id);
    return s.empty() ? std::string("none") : s;
  };
  out.add(rule, seam.to->name + ".preparation.special_ids", text(*a), text(*b), "expected " + text(*b) + ", got " + text(*a));
}
void unicode_norm(const Rule& r, const Seam& s, Findings& out) {
  record_field(r, s, out, &Port::preparation, &PreparationRecord::unicode_norm, "preparation.unicode_norm", kPlainText);
}
void resampling(const Rule& r, const Seam& s, Findings& out) {
  record_field(r, s, out, &Port::preparation, &PreparationRecord::resampling, "preparation.resampling", kPlainText);
}
void prefixes(const Rule& r, const Seam& s, Findings& out) {
  record_field(r, s, out, &Port::preparation, &PreparationRecord::prefixes, "preparation.prefixes", [](const auto& list) {
    std::string text;
    for (const std::string& one : list) text += (text.empty() ? "'" : ", '") + one + "'";
    return text.empty() ? std::string("none") : text;
  });
}

void range(const Rule& rule, const Seam& seam, Findings& out) {
  if (!seam.to->values) return;
  const auto& want = *seam.to->values;
  const auto have = seam.from->values.value_or(ValuesRecord{});
  const bool low = want.low && (!have.low || *have.low < *want.low);
  const bool high = want.high && (!have.high || *have.high > *want.high);
  if (!low && !high) return;
  const auto text = [](const ValuesRecord& v) {
    return "[" + (v.low ? std::to_string(*v.low) : "-inf") + ", " + (v.high ? std::to_string(*v.high) : "inf") + "]";
  };
  out.add(rule, seam.to->name + ".values.range", text(have), text(want), "expected values in " + text(want) + ", got " + text(have));
}
void mean_std(const Rule& rule, const Seam& seam, Findings& out) {
  if (!seam.to->values) return;
  const ValuesRecord a = seam.from->values.value_or(ValuesRecord{}), &b = *seam.to->values;
  if (a.mean == b.mean && a.std == b.std) return;
  const auto text = [](const ValuesRecord& v) {
    std::string s = "mean";
    for (const double x : v.mean) s += " " + std::to_string(x);
    s += " std";
    for (const double x : v.std) s += " " + std::to_string(x);
    return s;
  };
  out.add(rule, seam.to->name + ".values.mean_std", text(a), text(b), "expected " + text(b) + ", got " + text(a));
}
void norm(const Rule& rule, const Seam& seam, Findings& out) {
  const NormKind a = seam.from->values ? seam.from->values->norm : NormKind::kNone;
  const NormKind b = seam.to->values ? seam.to->values->norm : NormKind::kNone;
  if (b == NormKind::kNone || a == b) return;
  out.add(rule, seam.to->name + ".values.norm", std::string(name_of(a)), std::string(name_of(b)),
          "expected " + std::string(name_of(b)) + " normalised values, got " + std::string(name_of(a)));
}

void space_fingerprint(const Rule& rule, const Seam& seam, Findings& out) {
  if (!seam.to->space || is_zero(seam.to->space->fingerprint)) return;
  const auto& want = *seam.to->space;
  const std::string wanted = space_text(want) + " (fingerprint " + short_digest(want.fingerprint) + ")";
  if (!seam.from->space) {
    out.add(rule, seam.to->name + ".space", "none", wanted, "expected space " + wanted + ", got values of no declared space");
    return;
  }
  const auto& have = *seam.from->space;
  if (have.fingerprint == want.fingerprint) return;
  const std::string given = space_text(have) + " (fingerprint " + short_digest(have.fingerprint) + ")";
  std::string what = "trained on space " + wanted + ", got space " + given;
  if (type_text(*seam.from) == type_text(*seam.to)) what += "; the shapes agree, the spaces do not";
  out.add(rule, seam.to->name + ".space.fingerprint", given, wanted, std::move(what));
}
void space_metric(const Rule& r, const Seam& s, Findings& out) {
  record_field(r, s, out, &Port::space, &SpaceRecord::metric, "space.metric", kEnumText);
}

constexpr Severity kDeny = Severity::kDeny;
constexpr Bump kMajor = Bump::kMajor;

const std::array kRules = {
    Rule{"REQUIRED_PORT_ADDED", "ports", kDeny, kMajor, "an input that nothing feeds cannot be run",
         "compose with a module that has such an output", nullptr},
    Rule{"SEMANTIC_TYPE_CHANGED", "port.semantic", kDeny, kMajor, "numbers of another meaning give nonsense without an error",
         "put a module between the two that turns one into the other", semantic},
    Rule{"RANK_CHANGED", "port.dims", kDeny, kMajor, "values of another rank are laid out differently",
         "flatten or reshape between the two modules", rank},
    Rule{"DIM_CHANGED", "port.dims", kDeny, kMajor, "a size that the consumer does not take", "use modules of the same width", dim},
    Rule{"SYMBOL_UNBOUND", "port.dims", kDeny, kMajor, "one symbol stands for one size everywhere in a contract",
         "use modules whose sizes agree", symbol},
    Rule{"LAYOUT_CHANGED", "port.layout", kDeny, kMajor, "the same bytes in another order are other values",
         "convert the layout between the two modules", layout},
    Rule{"OUTPUT_DTYPE_CHANGED", "port.dtype", kDeny, kMajor, "bytes of another type are other values",
         "cast between the two modules", dtype},
    Rule{"QUANT_SCHEME_CHANGED", "port.quantisation", kDeny, kMajor, "quantised values mean nothing under another scheme",
         "use the same scheme on both sides", quantisation},
    Rule{"SEQ_AXIS_MOVED", "port.sequence.axis", kDeny, kMajor, "time along another axis mixes items", "transpose between the two", seq_axis},
    Rule{"MAXLEN_REDUCED", "port.sequence.max_length", kDeny, kMajor, "longer sequences run past the positions that were learnt",
         "import the encoder with a smaller --max-length", max_length},
    Rule{"STRIDE_OR_RATE_CHANGED", "port.sequence.stride", kDeny, kMajor, "another rate stretches time", "resample before it", stride_or_rate},
    Rule{"CAUSALITY_CHANGED", "port.sequence.causal", kDeny, kMajor, "causal and bidirectional sequences see different context",
         "use a module of the same kind", causality},
    Rule{"MASK_POLARITY_CHANGED", "port.sequence.mask", kDeny, kMajor, "an inverted mask hides the data and shows the padding",
         "invert the mask between the two", mask_polarity},
    Rule{"PAD_SIDE_CHANGED", "port.sequence.pad_side", kDeny, kMajor, "padding on the other side shifts positions",
         "pad on the side that the consumer expects", pad_side},
    Rule{"PAD_ID_CHANGED", "port.sequence.pad_id", kDeny, kMajor, "another pad id is read as a real token", "use the consumer's encoder", pad_id},
    Rule{"STREAM_STATE_CHANGED", "port.sequence.stream_state", kDeny, kMajor, "a carried state that nobody fills is lost",
         "use modules of the same streaming form", stream_state},
    Rule{"TOKENIZER_DIGEST_CHANGED", "port.preparation.digest", kDeny, kMajor,
         "inputs prepared in another way are other inputs, whatever their shape", "use the encoder that the backbone was imported with", preparation},
    Rule{"SPECIAL_IDS_CHANGED", "port.preparation.special_ids", kDeny, kMajor, "special tokens at other ids are other tokens",
         "use the encoder that the backbone was imported with", special_ids},
    Rule{"UNICODE_NORM_CHANGED", "port.preparation.unicode_norm", kDeny, kMajor, "text normalised otherwise gives other tokens",
         "use the encoder that the backbone was imported with", unicode_norm},
    Rule{"RESAMPLE_CHANGED", "port.preparation.resampling", kDeny, kMajor, "another filter gives other pixels",
         "use the encoder that the backbone was imported with", resampling},
    Rule{"PROMPT_PREFIX_CHANGED", "port.preparation.prefixes", kDeny, kMajor, "prefixes are part of what the backbone was trained on",
         "use the encoder that the backbone was imported with", prefixes},
    Rule{"OUTPUT_RANGE_WIDENED", "port.values.range", kDeny, kMajor, "values outside of the range that the consumer declares",
         "scale or clip between the two modules", range},
    Rule{"MEAN_STD_CHANGED", "port.values.mean_std", kDeny, kMajor, "inputs standardised otherwise are shifted and scaled",
         "use the encoder that the backbone was made with", mean_std},
    Rule{"OUTPUT_NORM_CHANGED", "port.values.norm", kDeny, kMajor, "vectors of another norm move every score",
         "normalise between the two modules", norm},
    Rule{"SPACE_FINGERPRINT_MISMATCH", "port.space.fingerprint", kDeny, kMajor,
         "a head reads the axes of the space that it was trained on; in another one they mean something else",
         "train the head on this backbone, or attach it to the one it was trained on", space_fingerprint},
    Rule{"METRIC_CHANGED", "port.space.metric", kDeny, kMajor, "neighbours under another metric are other neighbours",
         "use the metric of the space", space_metric},
};

}  // namespace

std::span<const Rule> rule_table() { return kRules; }

const Rule* find_rule(std::string_view id) {
  const auto it = std::find_if(kRules.begin(), kRules.end(), [&](const Rule& rule) { return rule.id == id; });
  return it == kRules.end() ? nullptr : &*it;
}

}  // namespace modnet
