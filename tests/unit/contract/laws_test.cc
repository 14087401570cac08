// The six laws of RULES.md over generated contracts: chains of small changes to one contract, so that pairs which fit and
// pairs which do not are both common (each law counts how often its premise held). Case counts grow with MODNET_LAW_PAIRS
// (the long run asks for 100,000).
#include <doctest/doctest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "libmod/contract/edge.h"
#include "libmod/contract/evolution.h"
#include "tests/support/contract_samples.h"

namespace modnet {
namespace {

int64_t pairs_wanted() {
  const char* text = std::getenv("MODNET_LAW_PAIRS");
  return text != nullptr ? std::strtoll(text, nullptr, 10) : 2000;
}

/// Draws from a fixed seed; the distribution is our own, so that every machine sees the same contracts.
class Draw {
 public:
  explicit Draw(uint64_t seed) : engine_(seed) {}
  uint64_t below(uint64_t n) { return engine_() % n; }
  bool one_in(uint64_t n) { return below(n) == 0; }
  template <typename T>
  T of(std::initializer_list<T> list) { return *(list.begin() + static_cast<int64_t>(below(list.size()))); }

 private:
  std::mt19937_64 engine_;
};

Dim draw_dim(Draw& draw) {
  switch (draw.below(5)) {
    case 0: return fixed(draw.of<uint64_t>({4, 8}));
    case 1: return symbol("B");
    case 2: return symbol(draw.of<const char*>({"B", "T"}), draw.of<uint64_t>({0, 8, 16}));
    case 3: return {"T", 0, draw.of<uint64_t>({1, 4}), draw.of<uint64_t>({0, 4, 8}), draw.of<uint64_t>({1, 2, 4})};
    default: return symbol("T", 8);
  }
}

/// Changes one thing about a port.
void mutate_port(Draw& draw, Port& port) {
  const auto record = [&]<typename R>(std::optional<R>& one) -> R& {
    if (!one) one.emplace();
    return *one;
  };
  switch (draw.below(24)) {
    case 0: port.dtype = draw.of({DType::kU8, DType::kF16, DType::kF32, DType::kF64, DType::kI32}); break;
    case 1: port.layout = draw.of({Layout::kRowMajor, Layout::kRagged}); break;
    case 2: if (!port.dims.empty()) port.dims[draw.below(port.dims.size())] = draw_dim(draw); break;
    case 3: if (draw.one_in(4)) port.dims.push_back(draw_dim(draw)); else if (port.dims.size() > 1 && draw.one_in(4)) port.dims.pop_back(); break;
    case 4: port.optional = draw.one_in(2); break;
    case 5: record(port.sequence).max_length = draw.of<uint64_t>({0, 4, 8, 16}); break;
    case 6: record(port.sequence).pad_id = static_cast<int64_t>(draw.below(2)); break;
    case 7: record(port.sequence).causal = draw.one_in(2); break;
    case 8: port.sequence.reset(); break;
    case 9: { auto& v = record(port.values); v.low = draw.one_in(3) ? std::nullopt : std::optional<double>(draw.of({-1.0, 0.0})); break; }
    case 10: { auto& v = record(port.values); v.high = draw.one_in(3) ? std::nullopt : std::optional<double>(draw.of({0.0, 1.0, 2.0})); break; }
    case 11: record(port.values).norm = draw.of({NormKind::kNone, NormKind::kL2}); break;
    case 12: record(port.values).nonfinite = draw.of({NonFinite::kReject, NonFinite::kPropagate}); break;
    case 13: record(port.values).tolerance = draw.of({0.0, 0.1}); break;
    case 14: port.values.reset(); break;
    case 15: { auto& p = record(port.preparation); p.digest = draw.one_in(2) ? Digest{} : digest_of("prep"); p.special_ids = draw.one_in(2) ? std::vector<SpecialId>{} : std::vector<SpecialId>{{"cls", 1}}; break; }
    case 16: port.preparation.reset(); break;
    case 17: { auto& s = record(port.space); s.id = draw.of<const char*>({"s", "t"}); s.fingerprint = draw.one_in(3) ? Digest{} : digest_of(draw.of<const char*>({"f", "g"})); break; }
    case 18: { auto& s = record(port.space); s.metric = draw.of({Metric::kCosine, Metric::kDot}); s.prefix_dims = draw.one_in(2) ? std::vector<uint64_t>{} : std::vector<uint64_t>{2, 4}; break; }
    case 19: port.space.reset(); break;
    case 20: { auto& l = record(port.labels); l.closed = draw.one_in(2); l.names = draw.of<std::vector<std::string>>({{"a"}, {"a", "b"}, {"a", "b", "c"}, {"b", "a"}, {"a", "x"}}); break; }
    case 21: { auto& l = record(port.labels); l.names.push_back("more" + std::to_string(l.names.size())); break; }
    case 22: port.labels.reset(); break;
    default: port.semantic = draw.of({Semantic::kFeatures, Semantic::kEmbedding}); break;
  }
}

Port draw_port(Draw& draw, uint32_t number, Direction direction) {
  Port port;
  port.number = number;
  port.direction = direction;
  port.name = port.value = "p" + std::to_string(number);
  port.dtype = DType::kF32;
  port.semantic = draw.of({Semantic::kFeatures, Semantic::kEmbedding});
  port.dims = {symbol("B"), draw.one_in(2) ? symbol("T", 8) : fixed(4)};
  return port;
}

void mutate(Draw& draw, Contract& contract) {
  const uint64_t what = draw.below(16);
  uint32_t greatest = 0;
  for (const Port& port : contract.ports) greatest = std::max(greatest, port.number);
  if (what == 0) {
    contract.ports.push_back(draw_port(draw, greatest + 1, draw.one_in(2) ? Direction::kInput : Direction::kOutput));
    contract.ports.back().optional = draw.one_in(2);
  } else if (what == 1 && contract.ports.size() > 2) {
    contract.ports.erase(contract.ports.begin() + static_cast<int64_t>(draw.below(contract.ports.size())));
  } else if (what == 2) {
    contract.requirements.batch_limit = draw.of<uint64_t>({0, 8, 16});
  } else if (what == 3) {
    contract.requirements.determinism = draw.of({Determinism::kPortable, Determinism::kMachine});
    contract.requirements.memory = draw.of<uint64_t>({0, 10, 20});
  } else if (what == 4) {
    contract.requirements.min_reader_minor = static_cast<uint16_t>(draw.below(2));
    contract.requirements.licence = draw.of<const char*>({"", "MIT", "MIT OR Apache-2.0"});
  } else if (what == 5) {
    contract.requirements.composes.clear();
    if (draw.one_in(2)) contract.requirements.composes = {{"m", draw.of<const char*>({"*", ">=1", ">=1 <2", ">=1.1 <2"})}};
  } else if (!contract.ports.empty()) {
    mutate_port(draw, contract.ports[draw.below(contract.ports.size())]);
  }
}

/// One symbol has one set of bounds in a contract (check_module holds files to it): those of its first place.
void settle_symbols(Contract& contract) {
  std::map<std::string, Dim> bounds;
  for (Port& port : contract.ports)
    for (Dim& dim : port.dims)
      if (!dim.symbol.empty()) dim = bounds.try_emplace(dim.symbol, dim).first->second;
}

Contract draw_contract(Draw& draw) {
  Contract contract;
  contract.ports = {draw_port(draw, 1, Direction::kInput), draw_port(draw, 2, Direction::kOutput)};
  for (uint64_t i = draw.below(6); i > 0; --i) mutate(draw, contract);
  settle_symbols(contract);
  return contract;
}
/// A near relative: the same contract after few changes.
Contract relative(Draw& draw, const Contract& contract) {
  Contract out = contract;
  for (uint64_t i = 1 + draw.below(3); i > 0; --i) mutate(draw, out);
  settle_symbols(out);
  return out;
}
/// A consumer that takes what a contract gives, after few changes.
Contract consumer(Draw& draw, const Contract& producer) {
  Contract out;
  for (Port port : producer.ports)
    if (port.direction == Direction::kOutput && (out.ports.empty() || draw.one_in(2))) {
      port.direction = Direction::kInput;
      if (draw.one_in(3)) port.name += "_";
      out.ports.push_back(port);
    }
  for (uint64_t i = draw.below(3); i > 0; --i) mutate(draw, out);
  settle_symbols(out);
  return out;
}
bool fits(const CheckReport& report) { return report.verdict == Verdict::kCompatible; }
std::string words(const CheckReport& report) {
  std::string out;
  for (const Finding& finding : report.findings) out += std::string(finding.rule->id) + " " + finding.path + ": " + finding.what + "; ";
  return out;
}

TEST_CASE("law 1: a contract is compatible with itself, with no finding and no bump") {
  Draw draw(1);
  for (int64_t i = 0; i < pairs_wanted(); ++i) {
    const Contract contract = draw_contract(draw);
    if (contract.ports.empty()) continue;
    const CheckReport report = check_evolution(contract, contract);
    CHECK_MESSAGE(report.findings.empty(), words(report));
    CHECK(report.verdict == Verdict::kCompatible);
    CHECK(report.required == Bump::kNone);
  }
}

TEST_CASE("law 2: for shapes, ranges and lengths an input may change as an output may change back") {
  Draw draw(2);
  int64_t held = 0, broke = 0;
  for (int64_t i = 0; i < pairs_wanted(); ++i) {
    Port a = draw_port(draw, 1, Direction::kInput), b = a;
    for (Port* port : {&a, &b}) {
      for (Dim& dim : port->dims) if (draw.one_in(2)) dim = draw_dim(draw);
      if (draw.one_in(2)) { port->values.emplace(); port->values->low = draw.of({-1.0, 0.0}); port->values->high = draw.of({1.0, 2.0}); }
      port->sequence.emplace();
      port->sequence->max_length = draw.of<uint64_t>({0, 4, 8});
    }
    const CheckReport input = check_evolution(with_port(a), with_port(b));
    a.direction = b.direction = Direction::kOutput;
    const CheckReport output = check_evolution(with_port(b), with_port(a));
    CHECK_MESSAGE(fits(input) == fits(output), (words(input) + " | " + words(output)));
    ++(fits(input) ? held : broke);
  }
  CHECK(held > pairs_wanted() / 20);
  CHECK(broke > pairs_wanted() / 20);
}

TEST_CASE("law 3: what may replace a replacement may replace, and needs no greater bump") {
  Draw draw(3);
  int64_t held = 0, tried = 0;
  while (tried < pairs_wanted() * 4) {
    ++tried;
    const Contract a = draw_contract(draw), b = relative(draw, a), c = relative(draw, b);
    const CheckReport ab = check_evolution(a, b), bc = check_evolution(b, c);
    if (!fits(ab) || !fits(bc)) continue;
    ++held;
    const CheckReport ac = check_evolution(a, c);
    CHECK_MESSAGE(fits(ac), (words(ac) + " | first: " + words(ab) + " | then: " + words(bc)));
    CHECK_MESSAGE(ac.required <= std::max(ab.required, bc.required), words(ac));
  }
  CHECK(held > pairs_wanted() / 20);
}

TEST_CASE("law 4: replacements of both sides of an edge that fits fit") {
  Draw draw(4);
  int64_t held = 0;
  for (int64_t i = 0; i < pairs_wanted() * 4; ++i) {
    const Contract a = draw_contract(draw), b = consumer(draw, a);
    if (!fits(check_edge(a, b))) continue;
    const Contract a2 = relative(draw, a), b2 = relative(draw, b);
    const CheckReport first = check_evolution(a, a2), second = check_evolution(b, b2);
    if (!fits(first) || !fits(second)) continue;
    ++held;
    const CheckReport edge = check_edge(a2, b2);
    CHECK_MESSAGE(fits(edge), (words(edge) + " | producer: " + words(first) + " | consumer: " + words(second)));
  }
  CHECK(held > pairs_wanted() / 40);
}

TEST_CASE("law 5: all rules always run; what was not compared is not a pass") {
  Draw draw(5);
  int64_t several = 0;
  for (int64_t i = 0; i < pairs_wanted(); ++i) {
    Contract a = draw_contract(draw), b = relative(draw, a);
    for (int64_t j = 0; j < 4; ++j) mutate(draw, b);
    settle_symbols(b);
    const CheckReport both = check_evolution(a, b);
    std::set<std::string_view> found;
    for (const Finding& finding : both.findings) found.insert(finding.rule->id);
    several += found.size() > 2;
    bool denied = false, asked = both.comparisons == 0;
    for (const Finding& finding : both.findings) {
      denied = denied || finding.severity == Severity::kDeny;
      asked = asked || finding.severity == Severity::kUndecidable;
    }
    CHECK(both.verdict == (denied ? Verdict::kIncompatible : asked ? Verdict::kUndecidable : Verdict::kCompatible));
  }
  CHECK(several > pairs_wanted() / 20);  // a first finding does not hide the others
  CHECK(check_edge(Contract{}, Contract{}).verdict == Verdict::kUndecidable);
}

TEST_CASE("law 6: the same inputs give the same report") {
  Draw draw(6);
  for (int64_t i = 0; i < pairs_wanted() / 4; ++i) {
    const Contract a = draw_contract(draw), b = relative(draw, a), copy_a = a, copy_b = b;
    CHECK(words(check_evolution(a, b)) == words(check_evolution(copy_a, copy_b)));
    CHECK(words(check_edge(a, b)) == words(check_edge(copy_a, copy_b)));
  }
}

}  // namespace
}  // namespace modnet
