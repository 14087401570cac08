// The edge check: how ports find each other, what is said of them, and verdicts. Each rule on its own: rules_test.cc.
#include "libmod/contract/edge.h"

#include <doctest/doctest.h>

#include <set>

#include "libmod/contract/names.h"
#include "tests/support/contract_samples.h"

namespace modnet {
namespace {

struct Pair {
  Port from = sample_port(Direction::kOutput), to = sample_port(Direction::kInput);
};
CheckReport check(const Pair& pair) { return check_edge(with_port(pair.from), with_port(pair.to)); }
std::set<std::string> ids(const CheckReport& report) {
  std::set<std::string> out;
  for (const Finding& finding : report.findings) out.emplace(finding.rule->id);
  return out;
}

TEST_CASE("ports that agree in everything fit without a finding") {
  const CheckReport report = check(Pair{});
  CHECK(report.verdict == Verdict::kCompatible);
  CHECK(report.findings.empty());
  REQUIRE(report.bindings.size() == 1);
  CHECK(report.bindings[0].from == 0);
  CHECK(report.bindings[0].to == 0);
  CHECK(check_status(report, "a", "b").ok());
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
  const CheckReport report = check_edge(from, to);
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
  const CheckReport report = check_edge(from, with_port(pair.to));
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
  const CheckReport report = check_edge(from, with_port(pair.to));
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
    const CheckReport report = check_edge(from, with_port(pair.to));
    CHECK(report.verdict == Verdict::kCompatible);
    REQUIRE(report.bindings.size() == 1);
    CHECK(report.bindings[0].from == right);
  }
}

TEST_CASE("inputs of the producer feed nothing") {
  Pair pair;
  pair.from.direction = Direction::kInput;
  const CheckReport report = check(pair);
  CHECK(report.bindings.empty());
  CHECK(ids(report) == std::set<std::string>{"REQUIRED_PORT_ADDED"});
}

TEST_CASE("nothing to compare is undecidable and not a pass") {
  Pair pair;
  CheckReport report = check_edge(with_port(pair.from), Contract{});
  CHECK(report.verdict == Verdict::kUndecidable);
  CHECK(report.findings.empty());
  const Status status = check_status(report, "from.mnet", "to.mnet");
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
  const CheckReport report = check(pair);
  CHECK(ids(report) == std::set<std::string>{"SPACE_UNVERIFIED"});  // nothing was measured
  CHECK(report.verdict == Verdict::kUndecidable);
  EvidenceRecord evidence;
  evidence.fingerprint = digest_of("foreign");
  evidence.root = digest_of("space");
  evidence.measure.probes = 64;
  evidence.measure.probe_distance = 1.25;
  evidence.measure.largest = 0.87;
  CheckContext context;
  context.measured = {&evidence, 1};
  const Contract from = with_port(pair.from), to = with_port(pair.to);
  const Status status = check_status(check_edge(from, to, context), "backbone.mnet", "head.mnet");
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().id == "SPACE_FINGERPRINT_MISMATCH");
  const std::string& what = status.error().what;
  CHECK(what.find("largest distance 0.87") != std::string::npos);
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
  CHECK(ids(check(pair)) == std::set<std::string>{"INPUT_RANGE_NARROWED", "MEAN_STD_CHANGED", "OUTPUT_NORM_CHANGED"});
  pair.from = sample_port(Direction::kOutput);
  pair.from.preparation.reset();
  CHECK(ids(check(pair)) == std::set<std::string>{"TOKENIZER_DIGEST_CHANGED"});
  pair.from = sample_port(Direction::kOutput);
  pair.from.sequence.reset();
  const CheckReport report = check(pair);
  CHECK(ids(report) == std::set<std::string>{"SEQ_AXIS_MOVED"});
  CHECK(report.verdict == Verdict::kUndecidable);  // nobody knows how it pads
}

TEST_CASE("sequences that can be too long are refused whether a record or a dim says so") {
  Pair pair;
  pair.from.sequence->max_length = 0;
  CHECK(check(pair).verdict == Verdict::kCompatible);  // T ≤ 256 by its dim
  pair.from.dims[1].max = 512;
  CHECK(ids(check(pair)) == std::set<std::string>{"MAXLEN_REDUCED"});
  pair.from.dims[1].max = 0;
  CHECK(ids(check(pair)) == std::set<std::string>{"MAXLEN_REDUCED"});
  pair.from.sequence.reset();
  CHECK(ids(check(pair)) == std::set<std::string>{"MAXLEN_REDUCED", "SEQ_AXIS_MOVED"});
  pair.from.dims[1].max = 256;
  CHECK(ids(check(pair)) == std::set<std::string>{"SEQ_AXIS_MOVED"});
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
  other.semantic = Semantic::kFeatures;
  other.dims[2] = fixed(4);
  from.ports.push_back(other);
  other.direction = Direction::kInput;
  other.dims[2] = symbol("D");
  to.ports.push_back(other);
  to.ports[0].dims[2] = symbol("D");
  const CheckReport report = check_edge(from, to);
  CHECK(ids(report) == std::set<std::string>{"SYMBOL_UNBOUND"});
  CHECK(report.findings[0].path == "y.dims[2]");
}

TEST_CASE("one run reports all there is to mend, in the order of the registry") {
  Pair pair;
  pair.from.space.reset();
  pair.from.sequence->pad_id = 1;
  pair.from.dtype = DType::kF64;
  pair.from.dims[2] = fixed(9);
  const CheckReport report = check(pair);
  std::vector<std::string_view> order;
  for (const Finding& finding : report.findings) order.push_back(finding.rule->id);
  CHECK(order == std::vector<std::string_view>{"DIM_CHANGED", "INPUT_DTYPE_NARROWED", "PAD_ID_CHANGED", "SPACE_FINGERPRINT_MISMATCH"});
  const Status status = check_status(report, "a", "b");
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().id == "DIM_CHANGED");
  CHECK(status.error().where == "x.dims[2]");
  for (const char* id : {"INPUT_DTYPE_NARROWED", "PAD_ID_CHANGED", "SPACE_FINGERPRINT_MISMATCH"})
    CHECK(status.error().what.find(id) != std::string::npos);
}

TEST_CASE("an output that fits is taken before one that has the name") {
  Pair pair;
  Contract from = with_port(pair.from);  // x, which does not fit
  from.ports[0].dims[2] = fixed(9);
  from.ports.push_back(pair.from);
  from.ports[1].name = "fitting";
  const CheckReport report = check_edge(from, with_port(pair.to));
  CHECK(report.verdict == Verdict::kCompatible);
  REQUIRE(report.bindings.size() == 1);
  CHECK(report.bindings[0].from == 1);
  REQUIRE(report.findings.size() == 1);  // said, because the name may have been meant
  CHECK(report.findings[0].severity == Severity::kWarn);
  CHECK(report.findings[0].what.find("'fitting' feeds it instead") != std::string::npos);
}

TEST_CASE("outputs are chosen for all inputs together") {
  Pair pair;
  // p[N,3] and q[N,4]: the first output that fits p alone would fix N to 7, which q's only source cannot give.
  Contract from, to;
  const auto add = [](Contract& contract, Direction direction, std::string name, Dim first, uint64_t width) {
    Port port = sample_port(direction);
    port.sequence.reset();
    port.name = std::move(name);
    port.number = static_cast<uint32_t>(contract.ports.size()) + 1;
    port.dims = {std::move(first), fixed(width)};
    contract.ports.push_back(port);
  };
  add(from, Direction::kOutput, "a", fixed(7), 3);
  add(from, Direction::kOutput, "b", symbol("S"), 3);
  add(from, Direction::kOutput, "c", symbol("S"), 4);
  add(to, Direction::kInput, "p", symbol("N"), 3);
  add(to, Direction::kInput, "q", symbol("N"), 4);
  const CheckReport report = check_edge(from, to);
  CHECK(report.verdict == Verdict::kCompatible);
  REQUIRE(report.bindings.size() == 2);
  CHECK(report.bindings[0].from == 1);
  CHECK(report.bindings[1].from == 2);
}

TEST_CASE("an optional input that nothing fits stays unfed, and is told when the name was meant") {
  Pair pair;
  Contract from = with_port(pair.from), to = with_port(pair.to);
  Port mask = sample_port(Direction::kOutput);
  mask.name = "mask";
  mask.semantic = Semantic::kMask;
  from.ports.push_back(mask);
  mask.direction = Direction::kInput;
  mask.optional = true;
  mask.sequence->mask = MaskPolarity::kOneIsPad;
  to.ports.push_back(mask);
  const CheckReport report = check_edge(from, to);
  CHECK(report.verdict == Verdict::kCompatible);
  CHECK(report.bindings.size() == 1);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].rule->id == "MASK_POLARITY_CHANGED");
  CHECK(report.findings[0].severity == Severity::kWarn);
  CHECK(report.findings[0].what.find("stays unfed") != std::string::npos);
}

TEST_CASE("find_port goes by direction and name; no name means the first") {
  Contract contract = with_port(sample_port(Direction::kInput));
  contract.ports.push_back(sample_port(Direction::kOutput));
  contract.ports.push_back(sample_port(Direction::kOutput));
  contract.ports[2].name = "second";
  CHECK(find_port(contract, Direction::kOutput, "x") == &contract.ports[1]);
  CHECK(find_port(contract, Direction::kOutput, "second") == &contract.ports[2]);
  CHECK(find_port(contract, Direction::kOutput, "") == &contract.ports[1]);
  CHECK(find_port(contract, Direction::kInput, "second") == nullptr);
}

}  // namespace
}  // namespace modnet
