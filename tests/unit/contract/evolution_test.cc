// The evolution check: variance of inputs and outputs, symbols across both, versions and bumps, witnesses.
#include "libmod/contract/evolution.h"

#include <doctest/doctest.h>

#include <set>

#include "libmod/contract/edge.h"
#include "libmod/contract/port_rules.h"
#include "tests/support/contract_samples.h"

namespace modnet {
namespace {

std::set<std::string> ids(const CheckReport& report) {
  std::set<std::string> out;
  for (const Finding& finding : report.findings) out.emplace(finding.rule->id);
  return out;
}
Contract small(std::vector<Dim> in, std::vector<Dim> out) {
  Contract contract;
  for (const bool input : {true, false}) {
    Port port;
    port.number = input ? 1 : 2;
    port.direction = input ? Direction::kInput : Direction::kOutput;
    port.name = port.value = input ? "x" : "y";
    port.dtype = DType::kF32;
    port.semantic = Semantic::kFeatures;
    port.dims = input ? in : out;
    contract.ports.push_back(port);
  }
  return contract;
}

TEST_CASE("names of symbols do not matter, what they tie together does") {
  const Contract v1 = small({symbol("B"), symbol("T", 8)}, {symbol("B"), symbol("T", 8)});
  CHECK(check_evolution(v1, small({symbol("N"), symbol("S", 8)}, {symbol("N"), symbol("S", 8)})).verdict == Verdict::kCompatible);
  // The output is no longer as long as the input.
  const CheckReport loose = check_evolution(v1, small({symbol("B"), symbol("T", 8)}, {symbol("B"), symbol("U", 8)}));
  CHECK(ids(loose) == std::set<std::string>{"DIM_CHANGED"});
  CHECK(loose.findings[0].path == "outputs.y.dims[1]");
  // Not even when the new symbol has the old one's name.
  CHECK(ids(check_evolution(v1, small({symbol("B"), symbol("S", 8)}, {symbol("B"), symbol("T", 8)}))) == std::set<std::string>{"DIM_CHANGED"});
  // A length of its own may become the input's.
  const Contract own = small({symbol("B"), symbol("T", 8)}, {symbol("B"), symbol("U", 8)});
  CHECK(check_evolution(own, small({symbol("B"), symbol("T", 8)}, {symbol("B"), symbol("V", 8)})).verdict == Verdict::kCompatible);
}

TEST_CASE("ports without anything in common are undecidable") {
  const CheckReport report = check_evolution(Contract{}, Contract{});
  CHECK(report.verdict == Verdict::kUndecidable);
  CHECK(report.comparisons == 0);
  CHECK(check_status(report, "v1.mnet", "v2.mnet").error().what.find("has no port in common with v1.mnet") != std::string::npos);
}

TEST_CASE("breaks come with a witness that shows them") {
  const auto witness = [](const std::function<void(Sides&)>& change) {
    Sides sides(CheckKind::kEvolution);
    change(sides);
    const CheckReport report = run_check(CheckKind::kEvolution, sides);
    return report.findings.empty() ? std::string() : report.findings[0].witness;
  };
  CHECK(witness([](Sides& s) { s.now.ports[0].sequence->max_length = 200; }) == "T = 201 > 200");
  CHECK(witness([](Sides& s) { s.now.ports[0].dims[1].max = 200; s.now.ports[0].sequence.reset(); }).find("T = 256") != std::string::npos);
  CHECK(witness([](Sides& s) { s.now.ports[2].labels->names = {"a", "c", "b"}; }) == "label id 1 is 'b' on one side and 'c' on the other");
  CHECK(witness([](Sides& s) { s.now.ports[0].values->high = 0.5; }) == "the value 1 is outside of [-1, 0.5]");
  CHECK(witness([](Sides& s) { s.now.ports[0].dtype = DType::kI8; }) == "the value 0.5 has no i8");
  CHECK(witness([](Sides& s) { s.now.ports[0].dtype = DType::kF16; }) == "the value 65536 is infinite in f16");
  CHECK(witness([](Sides& s) { s.now.requirements.batch_limit = 16; }) == "a batch of 17 items");
  CHECK(witness([](Sides& s) { s.now.ports[0].sequence->pad_id = 1; }) == "a sequence of 3 beside one of 5 ends in two ids of 0, which are read as tokens");
  CHECK(witness([](Sides& s) { s.now.ports[0].preparation->special_ids[0].id = 0; }).find("id 101 is 'cls' on one side") == 0);
  CHECK(witness([](Sides& s) { s.now.ports[0].preparation->prefixes = {}; }) == "the text 'cats' is prepared as 'query: cats' on one side and as 'cats' on the other");
  CHECK(witness([](Sides& s) { s.now.ports[0].values->mean = {0}; }) == "a raw value of 1 is 2 on one side and 4 on the other");
  CHECK(witness([](Sides& s) { s.now.ports[1].values->norm = NormKind::kNone; }) == "the vector (3, 4), of length 5 where 1 is expected");
  for (const auto& change : std::vector<std::function<void(Sides&)>>{[](Sides& s) { s.now.ports[0].sequence->mask = MaskPolarity::kOneIsPad; },
                                                                     [](Sides& s) { s.now.ports[0].sequence->causal = true; },
                                                                     [](Sides& s) { s.now.ports[0].sequence->pad_side = Side::kLeft; }})
    CHECK_FALSE(witness(change).empty());
}

TEST_CASE("lossless conversions are those that keep every value") {
  CHECK(lossless(DType::kU8, DType::kI16));
  CHECK_FALSE(lossless(DType::kU16, DType::kI16));
  CHECK(lossless(DType::kI16, DType::kF32));
  CHECK_FALSE(lossless(DType::kI32, DType::kF32));
  CHECK(lossless(DType::kI32, DType::kF64));
  CHECK(lossless(DType::kBF16, DType::kF32));
  CHECK_FALSE(lossless(DType::kBF16, DType::kF16));
  CHECK_FALSE(lossless(DType::kF16, DType::kBF16));
  CHECK_FALSE(lossless(DType::kUtf8, DType::kF32));
  CHECK(lossless(DType::kUtf8, DType::kUtf8));
}

TEST_CASE("a bump is read off two versions") {
  const auto bump = [](const char* a, const char* b) { return declared_bump(*parse_version(a), *parse_version(b)); };
  CHECK(bump("1.2.3", "1.2.4") == Bump::kPatch);
  CHECK(bump("1.2.3", "1.3.0") == Bump::kMinor);
  CHECK(bump("1.2.3", "2.0.0") == Bump::kMajor);
  CHECK(bump("1.2.3", "1.2.3") == Bump::kNone);
  CHECK(bump("1.2.3", "1.2.2") == Bump::kNone);
  CHECK(bump("0.2.3", "0.3.0") == Bump::kMajor);
  CHECK(bump("0.2.3", "0.2.4") == Bump::kMinor);
  CHECK(bump("0.9.0", "1.0.0") == Bump::kMajor);
  CHECK(bump("2.0.0-rc.1", "2.0.0") == Bump::kMajor);
  CHECK(bump("1.3.0-rc.1", "1.3.0") == Bump::kMinor);
  CHECK(bump("1.3.1-rc.1", "1.3.1-rc.2") == Bump::kPatch);
}

TEST_CASE("accepted findings neither deny nor ask for a bump") {
  Sides sides(CheckKind::kEvolution);
  sides.now.ports.pop_back();
  CheckReport report = run_check(CheckKind::kEvolution, sides);
  CHECK(report.verdict == Verdict::kIncompatible);
  CHECK(report.required == Bump::kMajor);
  report.findings[0].accepted = true;
  settle(report);
  CHECK(report.verdict == Verdict::kCompatible);
  CHECK(report.required == Bump::kPatch);
}

TEST_CASE("a finding's key depends on rule, path and both texts") {
  Sides sides(CheckKind::kEvolution);
  sides.now.ports.pop_back();
  const Finding finding = run_check(CheckKind::kEvolution, sides).findings.at(0);
  const std::string key = finding_key(finding);
  CHECK(key.size() == 16);
  Finding other = finding;
  other.what = "said otherwise";
  other.witness = "another";
  CHECK(finding_key(other) == key);
  for (std::string Finding::*field : {&Finding::path, &Finding::old_text, &Finding::new_text}) {
    other = finding;
    other.*field += "?";
    CHECK(finding_key(other) != key);
  }
  other = finding;
  other.rule = find_rule("DIM_CHANGED");
  CHECK(finding_key(other) != key);
}

}  // namespace
}  // namespace modnet
