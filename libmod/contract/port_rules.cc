#include "libmod/contract/port_rules.h"

#include <algorithm>
#include <charconv>

#include "libmod/contract/names.h"
#include "libmod/contract/port_report.h"

namespace modnet {

void run_port_rules(const PortPair& pair, Findings& out) {
  for (const Rule& rule : rule_table())
    if (rule.check != nullptr) rule.check(rule, pair, out);
}

std::string port_path(const PortPair& pair, std::string_view field) {
  std::string path = pair.meeting == Meeting::kEdge ? "" : pair.meeting == Meeting::kInput ? "inputs." : "outputs.";
  path += pair.meeting == Meeting::kEdge ? pair.to->name : pair.old_side().name;
  if (!field.empty()) path += "." + std::string(field);
  return path;
}

Finding& report(const Rule& rule, const PortPair& pair, std::string_view field, const std::string& from, const std::string& to,
                Findings& out, std::string what) {
  const bool turned = pair.meeting == Meeting::kOutput;
  const std::string &old_text = turned ? to : from, &new_text = turned ? from : to;
  if (what.empty())
    what = pair.meeting == Meeting::kEdge ? "expected " + to + ", got " + from : "was " + old_text + ", is now " + new_text;
  return out.add(rule, port_path(pair, field), old_text, new_text, std::move(what));
}

std::string number_text(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return error == std::errc() ? std::string(buffer, end) : std::string("?");
}

std::string list_text(const std::vector<std::string>& texts) {
  std::string out;
  constexpr size_t kShown = 8;
  for (size_t i = 0; i < texts.size() && i < kShown; ++i) out += (i > 0 ? ", '" : "'") + texts[i] + "'";
  if (texts.size() > kShown) out += " and " + std::to_string(texts.size() - kShown) + " more";
  return out.empty() ? "none" : out;
}

namespace {

enum class Family : uint8_t { kNone, kSigned, kUnsigned, kReal, kBrain };
struct Shape {
  Family family;
  int bits;  // of the whole type; exact integer bits of reals are below
};
Shape shape_of(DType dtype) {
  switch (dtype) {
    case DType::kI8: return {Family::kSigned, 8};
    case DType::kI16: return {Family::kSigned, 16};
    case DType::kI32: return {Family::kSigned, 32};
    case DType::kI64: return {Family::kSigned, 64};
    case DType::kBool: return {Family::kUnsigned, 1};
    case DType::kU8: return {Family::kUnsigned, 8};
    case DType::kU16: return {Family::kUnsigned, 16};
    case DType::kU32: return {Family::kUnsigned, 32};
    case DType::kU64: return {Family::kUnsigned, 64};
    case DType::kF16: return {Family::kReal, 16};
    case DType::kF32: return {Family::kReal, 32};
    case DType::kF64: return {Family::kReal, 64};
    case DType::kBF16: return {Family::kBrain, 16};
    default: return {Family::kNone, 0};
  }
}
/// Integers up to 2^bits are exact in a real type.
int exact_bits(DType dtype) {
  switch (dtype) {
    case DType::kF16: return 11;
    case DType::kBF16: return 8;
    case DType::kF32: return 24;
    case DType::kF64: return 53;
    default: return 0;
  }
}

/// A value of `from` that `to` cannot hold, for people; empty where none comes to mind.
std::string dtype_witness(DType from, DType to) {
  const Shape a = shape_of(from), b = shape_of(to);
  if (a.family == Family::kNone || b.family == Family::kNone) return {};
  const std::string to_name(dtype_name(to));
  const bool a_integer = a.family == Family::kSigned || a.family == Family::kUnsigned;
  const bool b_integer = b.family == Family::kSigned || b.family == Family::kUnsigned;
  if (!a_integer && b_integer) return "the value 0.5 has no " + to_name;
  if (a.family == Family::kSigned && b.family == Family::kUnsigned) return "the value -1 has no " + to_name;
  if (b_integer) {
    const int bits = b.family == Family::kSigned ? b.bits - 1 : b.bits;
    if (bits < 63) return "the value " + std::to_string(int64_t{1} << bits) + " has no " + to_name;
    return "the value 18446744073709551615 has no " + to_name;
  }
  if (a_integer) return "the value " + std::to_string((int64_t{1} << exact_bits(to)) + 1) + " has no exact " + to_name;
  if (to == DType::kF16) return "the value 65536 is infinite in " + to_name;
  return "the value 1 + 2^-" + std::to_string(exact_bits(from) - 1) + " has no exact " + to_name;
}

/// A rule on one field of a record; null when it found nothing. The giving side without the record cannot meet a taking side
/// that has it: one rule of the record (`missing` yes) says so.
enum class Missing : uint8_t { kSayNothing, kUndecidable };
template <typename Record, typename Field, typename Text>
Finding* record_field(const Rule& rule, const PortPair& pair, Findings& out, std::optional<Record> Port::*record, Field Record::*field,
                      std::string_view name, Text text, Missing missing = Missing::kSayNothing) {
  const auto &a = pair.from->*record, &b = pair.to->*record;
  if (!b) return nullptr;
  if (!a) {
    if (missing == Missing::kSayNothing) return nullptr;
    Finding& finding = report(rule, pair, std::string(name).substr(0, name.find('.')), "nothing said", "a record", out,
                              "one side says nothing of its " + std::string(name.substr(0, name.find('.'))) + ", which the other depends on");
    finding.severity = Severity::kUndecidable;
    return nullptr;
  }
  if ((*a).*field == (*b).*field) return nullptr;
  return &report(rule, pair, name, text((*a).*field), text((*b).*field), out);
}
/// Says what a case looks like that shows the difference.
void shows(Finding* finding, std::string witness) {
  if (finding != nullptr) finding->witness = std::move(witness);
}
const auto kEnumText = [](auto value) { return std::string(name_of(value)); };
const auto kNumberText = [](auto value) { return std::to_string(value); };
const auto kRealText = [](double value) { return number_text(value); };
const auto kBoolText = [](bool value) { return std::string(value ? "yes" : "no"); };
const auto kPlainText = [](const std::string& value) { return "'" + value + "'"; };

/// Greatest size along dim i that the port can have, 0 = unbounded; the sequence record bounds its axis, too.
uint64_t greatest(const Port& port, size_t i) {
  const Dim& dim = port.dims[i];
  if (dim.symbol.empty()) return dim.size;
  uint64_t most = dim.max;
  if (port.sequence && port.sequence->axis == i && port.sequence->max_length > 0)
    most = most == 0 ? port.sequence->max_length : std::min(most, port.sequence->max_length);
  return most;
}

/// The longest sequence that the giving side can have, by its own record, else along the taking side's axis; 0 = unbounded.
uint64_t given_length(const PortPair& pair) {
  if (pair.from->sequence) return longest_sequence(*pair.from);
  if (!pair.to->sequence || pair.to->sequence->axis >= pair.from->dims.size()) return 0;
  return greatest(*pair.from, pair.to->sequence->axis);
}

/// Is the sequence of `from` longer than the record of `to` allows?
bool too_long(const PortPair& pair) {
  if (!pair.to->sequence || pair.to->sequence->max_length == 0) return false;
  const uint64_t given = given_length(pair);
  return given == 0 || given > pair.to->sequence->max_length;
}

std::string length_text(uint64_t length) { return length == 0 ? "unbounded" : std::to_string(length); }

}  // namespace

bool lossless(DType from, DType to) {
  if (from == to) return true;
  const Shape a = shape_of(from), b = shape_of(to);
  if (a.family == Family::kNone || b.family == Family::kNone) return false;
  switch (a.family) {
    case Family::kUnsigned:
      if (b.family == Family::kUnsigned) return a.bits <= b.bits;
      if (b.family == Family::kSigned) return a.bits < b.bits;
      return a.bits <= exact_bits(to);
    case Family::kSigned:
      if (b.family == Family::kSigned) return a.bits <= b.bits;
      return exact_bits(to) > 0 && a.bits - 1 <= exact_bits(to);
    case Family::kReal: return b.family == Family::kReal && a.bits <= b.bits;
    case Family::kBrain: return b.family == Family::kReal && b.bits >= 32;
    case Family::kNone: break;
  }
  return false;
}

uint64_t longest_sequence(const Port& port) {
  if (!port.sequence) return 0;
  if (port.sequence->axis < port.dims.size()) return greatest(port, port.sequence->axis);
  return port.sequence->max_length;
}

namespace port_rules {

void semantic(const Rule& rule, const PortPair& pair, Findings& out) {
  if (pair.from->semantic == pair.to->semantic) return;
  report(rule, pair, "semantic", std::string(name_of(pair.from->semantic)), std::string(name_of(pair.to->semantic)), out);
}

void presence(const Rule& rule, const PortPair& pair, Findings& out) {
  if (!pair.from->optional || pair.to->optional) return;
  const std::string_view what = pair.meeting == Meeting::kEdge     ? "the output may be missing, the input is required"
                                : pair.meeting == Meeting::kInput ? "could be left out, is now required"
                                                                  : "was always there, may now be missing";
  // An output that may be missing is a removed port to those who rely on it; an input that must be there is an added one.
  if ((rule.id == "PORT_REMOVED") != (pair.meeting == Meeting::kOutput)) return;
  report(rule, pair, "optional", "optional", "required", out, std::string(what));
}

void renamed(const Rule& rule, const PortPair& pair, Findings& out) {
  if (pair.meeting == Meeting::kEdge) return;
  if (pair.from->name != pair.to->name) report(rule, pair, "name", "'" + pair.from->name + "'", "'" + pair.to->name + "'", out);
  if (pair.from->number != pair.to->number)
    report(rule, pair, "number", std::to_string(pair.from->number), std::to_string(pair.to->number), out);
}

void rank(const Rule& rule, const PortPair& pair, Findings& out) {
  if (pair.from->dims.size() == pair.to->dims.size()) return;
  Finding& finding = report(rule, pair, "dims", type_text(*pair.from), type_text(*pair.to), out);
  finding.witness = "every value of rank " + std::to_string(pair.from->dims.size()) + " where " + std::to_string(pair.to->dims.size()) + " dimensions are read";
}

void dims(const Rule& rule, const PortPair& pair, Findings& out) {
  if (pair.from->dims.size() != pair.to->dims.size()) return;
  for (size_t i = 0; i < pair.to->dims.size(); ++i) {
    const Dim& to = pair.to->dims[i];
    Dim from = settled(pair.from->dims[i]);
    if (!from.symbol.empty()) from.max = greatest(*pair.from, i);
    const Fit fit = pair.symbols->unify(from, to);
    if (fit == Fit::kFits) continue;
    if (fit == Fit::kOutOfBounds && pair.to->sequence && pair.to->sequence->axis == i && too_long(pair)) {
      Dim open = to;  // a sequence that is only too long has its own rule (MAXLEN_REDUCED), with its own words
      open.max = 0;
      if (counterexample(from, open) == 0) continue;
    }
    const Rule* which = &rule;
    if (fit == Fit::kSymbolClashes && pair.meeting == Meeting::kEdge) which = find_rule("SYMBOL_UNBOUND");
    if (fit == Fit::kNotFixed && pair.meeting == Meeting::kInput) which = find_rule("INPUT_DYNAMIC_TO_STATIC");
    std::string what;
    if (fit == Fit::kSymbolClashes) {
      const Dim* bound = pair.symbols->bound(to.symbol);
      what = "'" + to.symbol + "' already stands for " + (bound == nullptr ? "another size" : dim_text(*bound)) + "; got " + dim_text(from);
    }
    Finding& finding = report(*which, pair, "dims[" + std::to_string(i) + "]", dim_text(from), dim_text(to), out, std::move(what));
    if (const uint64_t n = counterexample(from, to); n != 0)
      finding.witness = (from.symbol.empty() ? "size " : from.symbol + " = ") + std::to_string(n) + " along dimension " + std::to_string(i) + ", where " +
                        (to.symbol.empty() ? "" : "sizes ") + dim_text(to) + (to.symbol.empty() ? " is read" : " are taken");
  }
}

void layout(const Rule& rule, const PortPair& pair, Findings& out) {
  if (pair.from->layout == pair.to->layout) return;
  report(rule, pair, "layout", std::string(name_of(pair.from->layout)), std::string(name_of(pair.to->layout)), out);
}

void input_dtype(const Rule& rule, const PortPair& pair, Findings& out) {
  if (pair.meeting == Meeting::kOutput || pair.from->dtype == pair.to->dtype) return;
  const bool fits = lossless(pair.from->dtype, pair.to->dtype);
  if (rule.id == "INPUT_DTYPE_WIDENED" ? !fits || pair.meeting == Meeting::kEdge : fits) return;
  Finding& finding = report(rule, pair, "dtype", std::string(dtype_name(pair.from->dtype)), std::string(dtype_name(pair.to->dtype)), out);
  if (!fits) finding.witness = dtype_witness(pair.from->dtype, pair.to->dtype);
}

void output_dtype(const Rule& rule, const PortPair& pair, Findings& out) {
  if (pair.meeting != Meeting::kOutput || pair.from->dtype == pair.to->dtype) return;
  report(rule, pair, "dtype", std::string(dtype_name(pair.from->dtype)), std::string(dtype_name(pair.to->dtype)), out).witness =
      dtype_witness(pair.from->dtype, pair.to->dtype);
}

void quantisation(const Rule& rule, const PortPair& pair, Findings& out) {
  if (pair.from->quantisation == pair.to->quantisation) return;
  const auto text = [](const Port& port) {
    return port.quantisation ? port.quantisation->scheme + "/" + port.quantisation->granularity : std::string("none");
  };
  report(rule, pair, "quantisation", text(*pair.from), text(*pair.to), out);
}

void tolerance(const Rule& rule, const PortPair& pair, Findings& out) {
  if (pair.meeting != Meeting::kOutput) return;
  const double given = pair.from->values ? pair.from->values->tolerance : 0, promised = pair.to->values ? pair.to->values->tolerance : 0;
  if (given > promised) report(rule, pair, "values.tolerance", number_text(given), number_text(promised), out);
}

void seq_axis(const Rule& r, const PortPair& p, Findings& out) {
  record_field(r, p, out, &Port::sequence, &SequenceRecord::axis, "sequence.axis", kNumberText, Missing::kUndecidable);
}

void max_length(const Rule& rule, const PortPair& pair, Findings& out) {
  const uint64_t given = given_length(pair);
  const uint64_t taken = longest_sequence(*pair.to);
  if (rule.id == "MAXLEN_EXTENDED" && pair.meeting == Meeting::kInput) {
    if (pair.from->sequence && pair.to->sequence && given != 0 && (taken == 0 || taken > given))
      report(rule, pair, "sequence.max_length", length_text(given), length_text(taken), out);
    return;
  }
  if (!too_long(pair)) return;
  if ((rule.id == "MAXLEN_EXTENDED") != (pair.meeting == Meeting::kOutput)) return;
  const uint64_t most = pair.to->sequence->max_length;
  Finding& finding = report(rule, pair, "sequence.max_length", length_text(given), std::to_string(most), out,
                            "sequences of up to " + length_text(given) + " where at most " + std::to_string(most) + " are taken");
  if (pair.meeting == Meeting::kOutput) {  // those who take the output were promised shorter ones
    finding.severity = Severity::kDeny;
    finding.bump = Bump::kMajor;
  }
  finding.witness = "T = " + std::to_string(most + 1) + " > " + std::to_string(most);
}

void stride_or_rate(const Rule& r, const PortPair& p, Findings& out) {
  record_field(r, p, out, &Port::sequence, &SequenceRecord::stride, "sequence.stride", kNumberText);
  record_field(r, p, out, &Port::sequence, &SequenceRecord::sample_rate, "sequence.sample_rate", kRealText);
}
void causality(const Rule& r, const PortPair& p, Findings& out) {
  shows(record_field(r, p, out, &Port::sequence, &SequenceRecord::causal, "sequence.causal", kBoolText),
        "the first of two tokens: on one side it depends on the second, on the other it does not");
}
void mask_polarity(const Rule& r, const PortPair& p, Findings& out) {
  shows(record_field(r, p, out, &Port::sequence, &SequenceRecord::mask, "sequence.mask", kEnumText),
        "the mask 1 1 0: what it hides on one side is not what it hides on the other");
}
void pad_side(const Rule& r, const PortPair& p, Findings& out) {
  shows(record_field(r, p, out, &Port::sequence, &SequenceRecord::pad_side, "sequence.pad_side", kEnumText),
        "a sequence of 3 beside one of 5: its padding stands where the other side reads its first tokens, or its last");
}
void pad_id(const Rule& r, const PortPair& p, Findings& out) {
  Finding* finding = record_field(r, p, out, &Port::sequence, &SequenceRecord::pad_id, "sequence.pad_id", kNumberText);
  if (finding != nullptr)
    shows(finding, "a sequence of 3 beside one of 5 ends in two ids of " + std::to_string(p.from->sequence->pad_id) + ", which are read as tokens");
}
void stream_state(const Rule& r, const PortPair& p, Findings& out) {
  record_field(r, p, out, &Port::sequence, &SequenceRecord::stream_state, "sequence.stream_state", kPlainText);
}

}  // namespace port_rules
}  // namespace modnet
