// The edge check: every rule of the registry on a pair that breaks just that rule and on one that does not, how ports
// find each other, and verdicts.
#include "libmod/contract/edge.h"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <set>

#include "libmod/contract/names.h"

namespace modnet {
namespace {

Digest digest_of(std::string_view text) { return sha256(as_bytes(text)); }
Dim fixed(uint64_t size) { return {"", size, 1, 0, 1}; }
Dim symbol(std::string name, uint64_t max = 0) { return {std::move(name), 0, 1, max, 1}; }

/// A port with every record that a rule reads; output and input of it fit.
Port sample(Direction direction) {
  Port port;
  port.number = 1;
  port.direction = direction;
  port.name = port.value = "x";
  port.dtype = DType::kF32;
  port.layout = Layout::kRagged;
  port.dims = {symbol("B"), symbol("T", 256), fixed(8)};
  port.semantic = Semantic::kTokenEmbedding;
  port.sequence.emplace();
  port.sequence->max_length = 256;
  port.sequence->mask = MaskPolarity::kOneIsReal;
  port.sequence->stride = 160;
  port.sequence->sample_rate = 16000;
  port.sequence->stream_state = "state";
  port.values.emplace();
  port.values->low = -1;
  port.values->high = 1;
  port.values->mean = {0.5};
  port.values->std = {0.25};
  port.values->norm = NormKind::kL2;
  port.preparation = PreparationRecord{"wordpiece", digest_of("vocabulary"), {{"cls", 101}}, "nfc", "bilinear", {"query: "}};
  port.space.emplace();
  port.space->id = "minilm/mean-l2";
  port.space->version = "1";
  port.space->fingerprint = digest_of("space");
  port.quantisation = QuantisationRecord{"symmetric-i8", "tensor"};
  return port;
}

struct Pair {
  Port from = sample(Direction::kOutput), to = sample(Direction::kInput);
};
Contract with_port(const Port& port) {
  Contract contract;
  contract.ports = {port};
  return contract;
}
EdgeReport check(const Pair& pair) { return check_edge(with_port(pair.from), with_port(pair.to)); }
std::set<std::string> ids(const EdgeReport& report) {
  std::set<std::string> out;
  for (const Finding& finding : report.findings) out.emplace(finding.rule->id);
  return out;
}

using Change = std::function<void(Pair&)>;
struct Generated {
  Change firing;    // breaks exactly this rule
  Change silent;    // something near it that is allowed
  std::string path;  // of the finding
};

const std::map<std::string, Generated>& generated() {
  static const std::map<std::string, Generated> kTable = {
      {"SEMANTIC_TYPE_CHANGED",
       {[](Pair& p) { p.from.semantic = Semantic::kFeatures; }, [](Pair& p) { p.from.semantic = p.to.semantic = Semantic::kAudio; }, "x.semantic"}},
      {"RANK_CHANGED",
       {[](Pair& p) { p.from.dims.push_back(fixed(8)); },
        [](Pair& p) {
          p.from.dims.push_back(fixed(8));
          p.to.dims.push_back(fixed(8));
        },
        "x.dims"}},
      {"DIM_CHANGED", {[](Pair& p) { p.from.dims[2] = fixed(9); }, [](Pair& p) { p.to.dims[2] = symbol("D", 8); }, "x.dims[2]"}},
      {"SYMBOL_UNBOUND",
       {[](Pair& p) {
          p.from.dims = {symbol("B"), symbol("T", 256), fixed(8)};
          p.to.dims = {symbol("B"), symbol("T", 256), symbol("B")};
        },
        [](Pair& p) {
          p.from.dims = {symbol("N"), symbol("S", 256), symbol("N")};
          p.to.dims = {symbol("B"), symbol("T", 256), symbol("B")};
        },
        "x.dims[2]"}},
      {"LAYOUT_CHANGED",
       {[](Pair& p) { p.from.layout = Layout::kRowMajor; }, [](Pair& p) { p.from.layout = p.to.layout = Layout::kChannelsLast; }, "x.layout"}},
      {"OUTPUT_DTYPE_CHANGED",
       {[](Pair& p) { p.from.dtype = DType::kF64; }, [](Pair& p) { p.from.dtype = p.to.dtype = DType::kF64; }, "x.dtype"}},
      {"QUANT_SCHEME_CHANGED",
       {[](Pair& p) { p.from.quantisation.reset(); },
        [](Pair& p) {
          p.from.quantisation.reset();
          p.to.quantisation.reset();
        },
        "x.quantisation"}},
      {"SEQ_AXIS_MOVED",
       {[](Pair& p) { p.from.sequence->axis = 2; }, [](Pair& p) { p.from.sequence.reset(); }, "x.sequence.axis"}},
      {"MAXLEN_REDUCED",
       {[](Pair& p) {
          p.from.sequence->max_length = 512;
          p.from.dims[1].max = 512;
        },
        [](Pair& p) { p.from.sequence->max_length = 255; }, "x.sequence.max_length"}},
      {"STRIDE_OR_RATE_CHANGED",
       {[](Pair& p) { p.from.sequence->sample_rate = 8000; }, [](Pair& p) { p.from.sequence->stride = p.to.sequence->stride = 80; },
        "x.sequence.sample_rate"}},
      {"CAUSALITY_CHANGED",
       {[](Pair& p) { p.from.sequence->causal = true; }, [](Pair& p) { p.from.sequence->causal = p.to.sequence->causal = true; },
        "x.sequence.causal"}},
      {"MASK_POLARITY_CHANGED",
       {[](Pair& p) { p.from.sequence->mask = MaskPolarity::kOneIsPad; },
        [](Pair& p) { p.from.sequence->mask = p.to.sequence->mask = MaskPolarity::kAdditive; }, "x.sequence.mask"}},
      {"PAD_SIDE_CHANGED",
       {[](Pair& p) { p.from.sequence->pad_side = Side::kLeft; },
        [](Pair& p) { p.from.sequence->pad_side = p.to.sequence->pad_side = Side::kLeft; }, "x.sequence.pad_side"}},
      {"PAD_ID_CHANGED",
       {[](Pair& p) { p.from.sequence->pad_id = 1; }, [](Pair& p) { p.from.sequence->pad_id = p.to.sequence->pad_id = 1; }, "x.sequence.pad_id"}},
      {"STREAM_STATE_CHANGED",
       {[](Pair& p) { p.from.sequence->stream_state = ""; },
        [](Pair& p) { p.from.sequence->stream_state = p.to.sequence->stream_state = "other"; }, "x.sequence.stream_state"}},
      {"TOKENIZER_DIGEST_CHANGED",
       {[](Pair& p) { p.from.preparation->digest = digest_of("another vocabulary"); },
        [](Pair& p) { p.to.preparation->digest = Digest{}; }, "x.preparation.digest"}},
      {"SPECIAL_IDS_CHANGED",
       {[](Pair& p) { p.from.preparation->special_ids[0].id = 0; },
        [](Pair& p) { p.from.preparation->special_ids = p.to.preparation->special_ids = {}; }, "x.preparation.special_ids"}},
      {"UNICODE_NORM_CHANGED",
       {[](Pair& p) { p.from.preparation->unicode_norm = "nfd"; },
        [](Pair& p) { p.from.preparation->unicode_norm = p.to.preparation->unicode_norm = ""; }, "x.preparation.unicode_norm"}},
      {"RESAMPLE_CHANGED",
       {[](Pair& p) { p.from.preparation->resampling = "nearest"; },
        [](Pair& p) { p.from.preparation->resampling = p.to.preparation->resampling = "area"; }, "x.preparation.resampling"}},
      {"PROMPT_PREFIX_CHANGED",
       {[](Pair& p) { p.from.preparation->prefixes = {}; },
        [](Pair& p) { p.from.preparation->prefixes = p.to.preparation->prefixes = {"a", "b"}; }, "x.preparation.prefixes"}},
      {"OUTPUT_RANGE_WIDENED",
       {[](Pair& p) { p.from.values->high = 1.5; }, [](Pair& p) { p.from.values->low = 0; }, "x.values.range"}},
      {"MEAN_STD_CHANGED",
       {[](Pair& p) { p.from.values->mean = {}; }, [](Pair& p) { p.from.values->std = p.to.values->std = {1.0, 2.0}; }, "x.values.mean_std"}},
      {"OUTPUT_NORM_CHANGED",
       {[](Pair& p) { p.from.values->norm = NormKind::kNone; }, [](Pair& p) { p.to.values->norm = NormKind::kNone; }, "x.values.norm"}},
      {"SPACE_FINGERPRINT_MISMATCH",
       {[](Pair& p) { p.from.space->fingerprint = digest_of("another space"); },
        [](Pair& p) { p.from.space->id = "the same space under another name"; }, "x.space.fingerprint"}},
      {"METRIC_CHANGED",
       {[](Pair& p) { p.from.space->metric = Metric::kL2; }, [](Pair& p) { p.from.space->metric = p.to.space->metric = Metric::kDot; },
        "x.space.metric"}},
  };
  return kTable;
}

TEST_CASE("ports that agree in everything fit without a finding") {
  const EdgeReport report = check(Pair{});
  CHECK(report.verdict == Verdict::kCompatible);
  CHECK(report.findings.empty());
  REQUIRE(report.bindings.size() == 1);
  CHECK(report.bindings[0].from == 0);
  CHECK(report.bindings[0].to == 0);
  CHECK(edge_status(report, "a", "b").ok());
}

TEST_CASE("every rule fires on a pair that breaks it, alone, and is silent on one that does not") {
  std::set<std::string_view> seen;
  for (const Rule& rule : rule_table()) {
    CAPTURE(rule.id);
    CHECK(seen.insert(rule.id).second);
    CHECK(find_rule(rule.id) == &rule);
    CHECK_FALSE(rule.field.empty());
    CHECK_FALSE(rule.rationale.empty());
    CHECK_FALSE(rule.fix.empty());
    if (rule.check_edge == nullptr) continue;
    const auto it = generated().find(std::string(rule.id));
    REQUIRE_MESSAGE(it != generated().end(), "a rule without a generated pair");
    Pair firing;
    it->second.firing(firing);
    const EdgeReport fired = check(firing);
    CHECK(ids(fired) == std::set<std::string>{std::string(rule.id)});
    REQUIRE_FALSE(fired.findings.empty());
    CHECK(fired.findings[0].path == it->second.path);
    CHECK(fired.findings[0].old_text != fired.findings[0].new_text);
    CHECK_FALSE(fired.findings[0].what.empty());
    CHECK(fired.verdict == (rule.severity == Severity::kDeny ? Verdict::kIncompatible : Verdict::kUndecidable));
    const Status status = edge_status(fired, "from.mnet", "to.mnet");
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == Code::kNo);
    CHECK(status.error().id == rule.id);
    CHECK(status.error().file == "to.mnet");
    Pair silent;
    it->second.silent(silent);
    CHECK(ids(check(silent)).empty());
  }
  for (const auto& [id, pair] : generated()) CHECK_MESSAGE(find_rule(id) != nullptr, id);
  CHECK(find_rule("NO_SUCH_RULE") == nullptr);
}

TEST_CASE("an input that nothing feeds is named, unless it is optional") {
  Pair pair;
  Contract to = with_port(pair.to), from = with_port(pair.from);
  Port second = pair.to;
  second.name = "mask";
  second.semantic = Semantic::kMask;
  Port third = pair.from;
  third.name = "logits";
  third.semantic = Semantic::kLogits;
  from.ports.push_back(third);
  to.ports.push_back(second);
  const EdgeReport report = check_edge(from, to);
  CHECK(ids(report) == std::set<std::string>{"REQUIRED_PORT_ADDED"});
  CHECK(report.findings[0].path == "mask");
  CHECK(report.verdict == Verdict::kIncompatible);
  to.ports[1].optional = true;
  CHECK(check_edge(from, to).verdict == Verdict::kCompatible);
  CHECK(check_edge(from, to).bindings.size() == 1);
}

TEST_CASE("ports meet by name and meaning before meaning alone") {
  Pair pair;
  Contract from = with_port(pair.from);
  from.ports[0].name = "first";
  from.ports.push_back(pair.from);
  from.ports[1].name = "x";
  from.ports.push_back(pair.from);
  from.ports[2].name = "last";
  const EdgeReport report = check_edge(from, with_port(pair.to));
  REQUIRE(report.bindings.size() == 1);
  CHECK(report.bindings[0].from == 1);
}

TEST_CASE("an output of another name feeds the only input of its meaning") {
  Pair pair;
  Contract from = with_port(pair.from);
  from.ports[0].name = "hidden";
  Port other = pair.from;
  other.name = "x";  // the name of the input, but another meaning
  other.semantic = Semantic::kLogits;
  from.ports.push_back(other);
  const EdgeReport report = check_edge(from, with_port(pair.to));
  CHECK(report.verdict == Verdict::kCompatible);
  REQUIRE(report.bindings.size() == 1);
  CHECK(report.bindings[0].from == 0);
}

TEST_CASE("of several outputs of one meaning the one of the same space is taken") {
  for (const size_t right : {size_t{0}, size_t{1}, size_t{2}}) {
    Pair pair;
    Contract from;
    for (size_t i = 0; i < 3; ++i) {
      from.ports.push_back(pair.from);
      from.ports[i].name = "out" + std::to_string(i);
      if (i != right) from.ports[i].space->fingerprint = digest_of("space " + std::to_string(i));
    }
    const EdgeReport report = check_edge(from, with_port(pair.to));
    CHECK(report.verdict == Verdict::kCompatible);
    REQUIRE(report.bindings.size() == 1);
    CHECK(report.bindings[0].from == right);
  }
}

TEST_CASE("inputs of the producer feed nothing") {
  Pair pair;
  pair.from.direction = Direction::kInput;
  const EdgeReport report = check(pair);
  CHECK(report.bindings.empty());
  CHECK(ids(report) == std::set<std::string>{"REQUIRED_PORT_ADDED"});
}

TEST_CASE("nothing to compare is undecidable and not a pass") {
  Pair pair;
  EdgeReport report = check_edge(with_port(pair.from), Contract{});
  CHECK(report.verdict == Verdict::kUndecidable);
  CHECK(report.findings.empty());
  const Status status = edge_status(report, "from.mnet", "to.mnet");
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().id == "NOT_COMPARABLE");
  CHECK(status.error().what.find("from.mnet") != std::string::npos);
  pair.to.optional = true;
  report = check_edge(Contract{}, with_port(pair.to));
  CHECK(report.verdict == Verdict::kUndecidable);
}

TEST_CASE("a head refuses a same-sized foreign space and names both") {
  Pair pair;
  pair.from.space->id = "other/cls";
  pair.from.space->version = "3";
  pair.from.space->fingerprint = digest_of("foreign");
  const EdgeReport report = check(pair);
  CHECK(ids(report) == std::set<std::string>{"SPACE_FINGERPRINT_MISMATCH"});
  const Status status = edge_status(report, "backbone.mnet", "head.mnet");
  REQUIRE_FALSE(status.ok());
  const std::string& what = status.error().what;
  CHECK(what.find("minilm/mean-l2@1") != std::string::npos);
  CHECK(what.find("other/cls@3") != std::string::npos);
  CHECK(what.find(short_digest(digest_of("foreign"))) != std::string::npos);
  CHECK(what.find(short_digest(digest_of("space"))) != std::string::npos);
  CHECK(what.find("the shapes agree, the spaces do not") != std::string::npos);
}

TEST_CASE("values of no declared space do not feed a head that wants one") {
  Pair pair;
  pair.from.space.reset();
  CHECK(ids(check(pair)) == std::set<std::string>{"SPACE_FINGERPRINT_MISMATCH"});
  pair.to.space->fingerprint = Digest{};  // no space is demanded
  CHECK(ids(check(pair)).empty());
}

TEST_CASE("a producer that says nothing of its values does not meet what the consumer demands") {
  Pair pair;
  pair.from.values.reset();
  CHECK(ids(check(pair)) == std::set<std::string>{"OUTPUT_RANGE_WIDENED", "MEAN_STD_CHANGED", "OUTPUT_NORM_CHANGED"});
  pair.from = sample(Direction::kOutput);
  pair.from.preparation.reset();
  CHECK(ids(check(pair)) == std::set<std::string>{"TOKENIZER_DIGEST_CHANGED"});
}

TEST_CASE("sequences that can be too long are refused whether a record or a dim says so") {
  Pair pair;
  pair.from.sequence.reset();
  CHECK(check(pair).verdict == Verdict::kCompatible);  // T ≤ 256 by its dim
  pair.from.dims[1].max = 512;
  CHECK(ids(check(pair)) == std::set<std::string>{"MAXLEN_REDUCED"});
  pair.from.dims[1].max = 0;
  CHECK(ids(check(pair)) == std::set<std::string>{"MAXLEN_REDUCED"});
  pair = Pair{};
  pair.from.sequence->max_length = 0;
  CHECK(ids(check(pair)) == std::set<std::string>{"MAXLEN_REDUCED"});
  pair = Pair{};
  pair.to.sequence->max_length = 0;  // unbounded by its record, T ≤ 128 by its dim
  pair.to.dims[1].max = 128;
  CHECK(ids(check(pair)) == std::set<std::string>{"DIM_CHANGED"});
  pair = Pair{};
  pair.from.dims[1].max = 0;  // bounded by its record only
  CHECK(check(pair).verdict == Verdict::kCompatible);
}

TEST_CASE("a sequence's length must lie on the consumer's grid, or be its one size") {
  Pair pair;
  pair.to.dims[1].multiple_of = 8;
  CHECK(ids(check(pair)) == std::set<std::string>{"DIM_CHANGED"});
  pair = Pair{};
  pair.to.dims[1] = fixed(256);
  CHECK(ids(check(pair)) == std::set<std::string>{"DIM_CHANGED"});
}

TEST_CASE("one symbol means one size over all inputs of a module") {
  Pair pair;
  Contract from = with_port(pair.from), to = with_port(pair.to);
  Port other = pair.from;
  other.name = "y";
  other.dims[2] = fixed(4);
  from.ports.push_back(other);
  other.direction = Direction::kInput;
  other.dims[2] = symbol("D");
  to.ports.push_back(other);
  to.ports[0].dims[2] = symbol("D");
  const EdgeReport report = check_edge(from, to);
  CHECK(ids(report) == std::set<std::string>{"SYMBOL_UNBOUND"});
  CHECK(report.findings[0].path == "y.dims[2]");
}

TEST_CASE("one run reports all there is to mend, in the order of the registry") {
  Pair pair;
  for (const char* id : {"DIM_CHANGED", "OUTPUT_DTYPE_CHANGED", "PAD_ID_CHANGED", "SPACE_FINGERPRINT_MISMATCH"}) generated().at(id).firing(pair);
  const EdgeReport report = check(pair);
  std::vector<std::string_view> order;
  for (const Finding& finding : report.findings) order.push_back(finding.rule->id);
  CHECK(order == std::vector<std::string_view>{"DIM_CHANGED", "OUTPUT_DTYPE_CHANGED", "PAD_ID_CHANGED", "SPACE_FINGERPRINT_MISMATCH"});
  const Status status = edge_status(report, "a", "b");
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().id == "DIM_CHANGED");
  CHECK(status.error().where == "x.dims[2]");
  for (const char* id : {"OUTPUT_DTYPE_CHANGED", "PAD_ID_CHANGED", "SPACE_FINGERPRINT_MISMATCH"})
    CHECK(status.error().what.find(id) != std::string::npos);
}

TEST_CASE("find_port goes by direction and name; no name means the first") {
  Contract contract = with_port(sample(Direction::kInput));
  contract.ports.push_back(sample(Direction::kOutput));
  contract.ports.push_back(sample(Direction::kOutput));
  contract.ports[2].name = "second";
  CHECK(find_port(contract, Direction::kOutput, "x") == &contract.ports[1]);
  CHECK(find_port(contract, Direction::kOutput, "second") == &contract.ports[2]);
  CHECK(find_port(contract, Direction::kOutput, "") == &contract.ports[1]);
  CHECK(find_port(contract, Direction::kInput, "second") == nullptr);
}

}  // namespace
}  // namespace modnet
