// The registry: every rule fires on a pair that breaks just that rule and is silent on one near it; every field of a contract
// has a rule, and every rule reads a field.
#include "libmod/contract/rules.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "libmod/contract/json.h"
#include "libmod/contract/names.h"
#include "libmod/contract/probe_rules.h"
#include "tests/support/contract_samples.h"

namespace modnet {
namespace {

std::set<std::string> ids(const CheckReport& report) {
  std::set<std::string> out;
  for (const Finding& finding : report.findings) out.emplace(finding.rule->id);
  return out;
}
std::set<std::string> fields_of(const Rule& rule) {
  std::set<std::string> out;
  std::istringstream words{std::string(rule.fields)};
  for (std::string word; words >> word;) out.insert(word);
  return out;
}

TEST_CASE("sides that agree in everything have no finding") {
  for (const CheckKind kind : {CheckKind::kEdge, CheckKind::kEvolution}) {
    Sides sides(kind);
    const CheckReport report = run_check(kind, sides);
    CHECK(ids(report).empty());
    CHECK(report.verdict == Verdict::kCompatible);
    CHECK(report.required == (kind == CheckKind::kEvolution ? Bump::kPatch : Bump::kNone));  // another content
  }
}

TEST_CASE("every rule fires on a change that breaks it, alone, and is silent on one near it") {
  for (const auto& [id, one] : rule_cases()) {
    const Rule* rule = find_rule(id);
    CAPTURE(id);
    REQUIRE(rule != nullptr);
    Sides firing(one.kind);
    one.firing(firing);
    const CheckReport fired = run_check(one.kind, firing);
    CHECK(ids(fired) == std::set<std::string>{id});
    REQUIRE_FALSE(fired.findings.empty());
    const Finding& finding = fired.findings[0];
    CHECK(finding.path == one.path);
    CHECK(finding.old_text != finding.new_text);
    CHECK_FALSE(finding.what.empty());
    const bool denies = finding.severity == Severity::kDeny, asks = finding.severity == Severity::kUndecidable;
    CHECK(fired.verdict == (denies ? Verdict::kIncompatible : asks ? Verdict::kUndecidable : Verdict::kCompatible));
    if (one.kind == CheckKind::kEvolution) CHECK(fired.required == std::max(finding.bump, Bump::kPatch));
    CHECK(check_status(fired, "a", "b").ok() == (!denies && !asks));
    Sides silent(one.kind);
    one.silent(silent);
    const CheckReport quiet = run_check(one.kind, silent);
    CHECK_MESSAGE(ids(quiet).count(id) == 0, "the silent case");
    CHECK(quiet.verdict == Verdict::kCompatible);
  }
}

TEST_CASE("rules that come with another finding fire too") {
  Sides sides(CheckKind::kEdge);
  sides.from().space->fingerprint = digest_of("another");
  EvidenceRecord record;
  record.fingerprint = digest_of("another");
  record.root = digest_of("space");
  record.measure.probes = 64;
  record.measure.probe_distance = 1;
  record.measure.largest = 0.87;
  sides.measured = {record};
  sides.from().space->id = "other/cls";
  CHECK(ids(run_check(CheckKind::kEdge, sides)) == std::set<std::string>{"SPACE_FINGERPRINT_MISMATCH", "BRIDGE_MISSING"});
  sides.measured[0].measure.largest = 0.07;
  CHECK(ids(run_check(CheckKind::kEdge, sides)) == std::set<std::string>{"SPACE_EQUIVALENT_BY_PROBES", "SPACE_TOLERANCE_NEAR"});
  CHECK(run_check(CheckKind::kEdge, sides).verdict == Verdict::kCompatible);
  sides.measured[0].measure.largest = 0.05;
  CHECK(ids(run_check(CheckKind::kEdge, sides)) == std::set<std::string>{"SPACE_EQUIVALENT_BY_PROBES"});
  sides.measured[0].how = "convert int8 on data";  // says what a change costs, not which space it is
  CHECK(ids(run_check(CheckKind::kEdge, sides)) == std::set<std::string>{"SPACE_UNVERIFIED"});
  sides.measured[0].how = "convert int8";
  sides.measured[0].measure.probes = 63;  // too few to tell
  CHECK(ids(run_check(CheckKind::kEdge, sides)) == std::set<std::string>{"SPACE_UNVERIFIED"});
  sides.measured[0].measure.probes = 64;
  sides.measured[0].measure.probe_distance = 0;
  CHECK(ids(run_check(CheckKind::kEdge, sides)) == std::set<std::string>{"SPACE_UNVERIFIED"});

  // Names and pooling of a space count where the fingerprints differ and nothing bridges them.
  Sides renamed(CheckKind::kEvolution);
  SpaceRecord& space = *renamed.now.ports[1].space;
  space.id = "other";
  space.version = "2";
  space.pooling = Pooling::kCls;
  CHECK(ids(run_check(CheckKind::kEvolution, renamed)).empty());
  space.fingerprint = digest_of("another");
  CHECK(ids(run_check(CheckKind::kEvolution, renamed)) ==
        std::set<std::string>{"SPACE_UNVERIFIED", "SPACE_ID_CHANGED", "SPACE_VERSION_CHANGED", "POOLING_CHANGED"});
  renamed.measured = {record};
  renamed.measured[0].measure.largest = 0.01;
  CHECK(ids(run_check(CheckKind::kEvolution, renamed)) == std::set<std::string>{"SPACE_EQUIVALENT_BY_PROBES"});

  Sides bumped(CheckKind::kEvolution);
  bumped.now.ports.pop_back();
  bumped.new_identity.version = "1.3.0";
  CheckReport report = run_check(CheckKind::kEvolution, bumped);
  CHECK(ids(report) == std::set<std::string>{"PORT_REMOVED", "BUMP_INSUFFICIENT"});
  CHECK(report.required == Bump::kMajor);
  CHECK(report.declared == Bump::kMinor);
  CHECK_FALSE(report.suffices());
  report.findings[0].accepted = true;  // an accepted break asks for no bump
  settle(report);
  CHECK(report.verdict == Verdict::kCompatible);
  CHECK(report.required == Bump::kPatch);
  CHECK(ids(report) == std::set<std::string>{"PORT_REMOVED"});
}

TEST_CASE("what probes and cards show has rules") {
  const auto found = [](const ProbeRun& run) {
    Findings out;
    check_probe_run(run, out);
    std::set<std::string> names;
    for (const Finding& finding : out.items()) names.emplace(finding.rule->id);
    return names;
  };
  ProbeRun run{"outputs.embedding", true, {}, true, true};
  run.measure.cosine_min = 1;
  CHECK(found(run).empty());
  run.measure.cosine_min = 0.99;
  CHECK(found(run) == std::set<std::string>{"PROBE_COSINE_DRIFT"});
  run.own = false;  // another module's probes: the space rules judge
  CHECK(found(run).empty());
  run.measure.nonfinite = 1;
  CHECK(found(run) == std::set<std::string>{"PROBE_NONFINITE"});
  run.measure.nonfinite = 0;
  run.batch_invariant = false;
  CHECK(found(run) == std::set<std::string>{"PROBE_BATCH_INVARIANCE"});
  run.batch_invariant = true;
  run.pad_invariant = false;
  CHECK(found(run) == std::set<std::string>{"PROBE_PAD_INVARIANCE"});

  const auto metrics = [](MetricClaim before, MetricClaim now) {
    Findings out;
    check_metrics({&before, 1}, {&now, 1}, out);
    return out.items().size();
  };
  CHECK(metrics({"accuracy", 0.76, 0.75, 0.77, "d"}, {"accuracy", 0.74, 0.73, 0.75, "d"}) == 1);
  CHECK(metrics({"accuracy", 0.76, 0.75, 0.77, "d"}, {"accuracy", 0.755, 0.74, 0.76, "d"}) == 0);
  CHECK(metrics({"accuracy", 0.76, 0.75, 0.77, "d"}, {"accuracy", 0.1, 0, 0.2, "other data"}) == 0);
  CHECK(metrics({"accuracy", 0.76, 0.75, 0.77, ""}, {"accuracy", 0.1, 0, 0.2, ""}) == 0);
  CHECK(metrics({"log_loss", 0.7, 0.68, 0.72, "d"}, {"log_loss", 0.73, 0.7, 0.8, "d"}) == 1);
  CHECK(metrics({"log_loss", 0.7, 0.68, 0.72, "d"}, {"log_loss", 0.2, 0.1, 0.3, "d"}) == 0);
  CHECK(metrics({"kind.ece_15", 0.07, 0.06, 0.08, "d"}, {"kind.ece_15", 0.02, 0.01, 0.03, "d"}) == 0);
  CHECK(metrics({"kind.ece_15", 0.07, 0.06, 0.08, "d"}, {"kind.ece_15", 0.09, 0.08, 0.1, "d"}) == 1);
}

TEST_CASE("every rule has a row in full and a test that fires it") {
  // Fired above, or in the tests of the part that finds them (signatures: tests/unit/module_rules).
  const std::set<std::string_view> elsewhere = {"POOLING_CHANGED", "SPACE_ID_CHANGED", "SPACE_VERSION_CHANGED", "BRIDGE_MISSING", "SPACE_TOLERANCE_NEAR", "BUMP_INSUFFICIENT", "PROBE_COSINE_DRIFT", "PROBE_BATCH_INVARIANCE",
                                                "PROBE_PAD_INVARIANCE", "PROBE_NONFINITE", "PROBE_METRIC_REGRESSION", "SIGNATURE_REQUIRED"};
  std::set<std::string_view> seen;
  for (const Rule& rule : rule_table()) {
    CAPTURE(rule.id);
    CHECK(seen.insert(rule.id).second);
    CHECK(find_rule(rule.id) == &rule);
    for (const std::string_view text : {rule.fields, rule.rationale, rule.fix, rule.example}) CHECK_FALSE(text.empty());
    CHECK(rule_cases().contains(std::string(rule.id)) != elsewhere.contains(rule.id));
  }
  CHECK(find_rule("NO_SUCH_RULE") == nullptr);
  CHECK(seen.size() == rule_table().size());
}

/// The keys of a contract's JSON, as rules name them.
void collect(const nlohmann::json& node, const std::string& path, std::set<std::string>& out) {
  for (const auto& [key, value] : node.items()) {
    const std::string here = path + "." + key;
    const bool whole = key == "special_ids" || key == "ops" || key == "composes" || key == "prefixes" || key == "mean" || key == "std" || key == "names" ||
                       key == "thresholds" || key == "prefix_dims";
    if (!whole && value.is_object()) collect(value, here, out);
    else if (!whole && value.is_array()) for (const auto& one : value) collect(one, here, out);
    else out.insert(here);
  }
}

TEST_CASE("every field of a contract has a rule, and every rule reads a field that exists") {
  Contract contract = Sides(CheckKind::kEvolution).before;
  Port& port = contract.ports[2];
  port.optional = true;
  port.sequence->pad_id = 3;
  port.sequence->axis = 2;
  port.sequence->causal = true;
  port.values->tolerance = 0.5;
  port.space->normalized = true;
  port.space->probes = digest_of("probes");
  port.labels->closed = true;
  port.dims[1].min = 2;
  port.dims[1].multiple_of = 2;
  Requirements& r = contract.requirements;
  r.min_reader_major = 2;
  r.licence = "MIT";
  r.base_content = digest_of("base");
  std::set<std::string> fields;
  const auto document = nlohmann::json::parse(contract_to_json(contract));
  for (const auto& one : document["ports"]) collect(one, "port", fields);
  collect(document["requirements"], "requirements", fields);
  const std::set<std::string> named(contract_fields().begin(), contract_fields().end());
  for (const std::string& field : fields) CHECK_MESSAGE(named.contains(field), field);
  std::set<std::string> read;
  for (const Rule& rule : rule_table())
    for (const std::string& field : fields_of(rule)) {
      // "port.dims" stands for all of it.
      bool known = named.contains(field);
      for (const std::string& one : named)
        if (one.starts_with(field + ".")) {
          known = true;
          read.insert(one);
        }
      CHECK_MESSAGE(known, (std::string(rule.id) + " reads " + field));
      read.insert(field);
    }
  for (const std::string& field : named) CHECK_MESSAGE(read.contains(field), field);
  for (const std::string& field : named)
    if (field.starts_with("port.") || field.starts_with("requirements.")) CHECK_MESSAGE(fields.contains(field), field);
}

TEST_CASE("the ids and severities are those of the published list") {
  // RULES.md: everything denies and needs a major bump unless it is marked.
  const std::map<std::string_view, std::pair<Severity, Bump>> marked = {
      {"OPTIONAL_PORT_ADDED", {Severity::kNote, Bump::kMinor}},    {"OUTPUT_PORT_ADDED", {Severity::kNote, Bump::kMinor}},
      {"INPUT_WIDENED", {Severity::kNote, Bump::kMinor}},          {"INPUT_DTYPE_WIDENED", {Severity::kNote, Bump::kMinor}},
      {"TOLERANCE_LOOSENED", {Severity::kWarn, Bump::kPatch}},     {"MAXLEN_EXTENDED", {Severity::kNote, Bump::kMinor}},
      {"NONFINITE_POLICY_CHANGED", {Severity::kNote, Bump::kMinor}}, {"SPACE_UNVERIFIED", {Severity::kUndecidable, Bump::kMajor}},
      {"SPACE_EQUIVALENT_BY_PROBES", {Severity::kNote, Bump::kPatch}}, {"SPACE_TOLERANCE_NEAR", {Severity::kWarn, Bump::kPatch}},
      {"LABEL_ADDED", {Severity::kNote, Bump::kMinor}},            {"THRESHOLD_CHANGED", {Severity::kWarn, Bump::kPatch}},
      {"DETERMINISM_DOWNGRADED", {Severity::kWarn, Bump::kPatch}}, {"MEMORY_BUDGET_RAISED", {Severity::kWarn, Bump::kPatch}},
      // About versions, parents, signatures and metrics, which no version bump mends.
      {"BUMP_INSUFFICIENT", {Severity::kDeny, Bump::kNone}},       {"VERSION_DECREASED", {Severity::kDeny, Bump::kNone}},
      {"SAME_VERSION_DIFFERENT_DIGEST", {Severity::kDeny, Bump::kNone}}, {"PARENT_DIGEST_MISSING", {Severity::kDeny, Bump::kNone}},
      {"SIGNATURE_REQUIRED", {Severity::kDeny, Bump::kNone}},      {"PROBE_METRIC_REGRESSION", {Severity::kDeny, Bump::kNone}},
  };
  for (const Rule& rule : rule_table()) {
    CAPTURE(rule.id);
    const auto it = marked.find(rule.id);
    CHECK(rule.severity == (it == marked.end() ? Severity::kDeny : it->second.first));
    CHECK(rule.bump == (it == marked.end() ? Bump::kMajor : it->second.second));
  }
  CHECK(rule_table().size() == 72);
}

}  // namespace
}  // namespace modnet
