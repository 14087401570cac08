// SARIF 2.1.0 (OASIS, with errata 01): one run, every rule of the registry with its help, a result a finding. What could not
// be looked at is a notification of the invocation, so that no consumer takes silence for a pass.
#include <map>
#include <nlohmann/json.hpp>

#include "libmod/contract/report/words.h"

namespace modnet {
namespace {

using namespace report;
using Json = nlohmann::ordered_json;

/// SARIF's kind "open" would suit what is undecidable, but demands level "none", which most readers hide.
std::string_view level(Severity severity) {
  switch (severity) {
    case Severity::kDeny:
    case Severity::kUndecidable: return "error";
    case Severity::kWarn: return "warning";
    case Severity::kNote: return "note";
  }
  return "error";
}

Json text(std::string_view words) { return Json{{"text", plain(words)}}; }

Json rules() {
  Json out = Json::array();
  for (const Rule& rule : rule_table()) {
    Json one{{"id", rule.id},
             {"shortDescription", text(rule.rationale)},
             {"help", text(rule.fix)},
             {"defaultConfiguration", {{"level", level(rule.severity)}}},
             {"properties", {{"severity", severity_name(rule.severity)}, {"bump", bump_name(rule.bump)}, {"fields", rule.fields}, {"edgeOnly", rule.edge_only}}}};
    if (!rule.example.empty()) one["fullDescription"] = text(std::string(rule.rationale) + "; for example " + std::string(rule.example));
    out.push_back(std::move(one));
  }
  return out;
}

Json location(const CheckedPair& pair, std::string_view path) {
  Json out{{"physicalLocation", {{"artifactLocation", {{"uri", uri(pair.b_file)}}}}}};
  if (!path.empty()) out["logicalLocations"] = Json::array({{{"fullyQualifiedName", plain(path)}, {"kind", "member"}}});
  return out;
}

Json result(const CheckDocument& document, const CheckedPair& pair, const Finding& finding, const std::map<std::string_view, int64_t>& index) {
  Json out{{"ruleId", finding.rule->id}};
  if (const auto at = index.find(finding.rule->id); at != index.end()) out["ruleIndex"] = at->second;
  // A pair of a matrix that nobody asked for is in the report without failing anything.
  out["level"] = pair.counts || finding.severity > Severity::kWarn ? level(finding.severity) : "note";
  out["message"] = text(pair_words(pair) + ": " + finding_words(finding));
  out["locations"] = Json::array({location(pair, finding.path)});
  if (!pair.a_file.empty()) {
    Json related{{"id", 1}, {"physicalLocation", {{"artifactLocation", {{"uri", uri(pair.a_file)}}}}}};
    related["message"] = text(pair.report.kind == CheckKind::kEdge ? "what feeds it" : "what it replaces");
    out["relatedLocations"] = Json::array({std::move(related)});
  }
  out["partialFingerprints"] = {{"modnetFinding/v1", finding_key(finding)}};
  if (finding.accepted) {
    Json suppression{{"kind", "external"}, {"status", "accepted"}};
    if (const Acceptance* entry = acceptance_of(document.acceptances, finding)) {
      suppression["justification"] = plain(entry->reason);
      suppression["properties"] = {{"owner", plain(entry->owner)}, {"expires", entry->expires}};
    }
    out["suppressions"] = Json::array({std::move(suppression)});
  }
  Json properties{{"severity", severity_name(finding.severity)}, {"bump", bump_name(finding.bump)},
                  {"old", plain(finding.old_text)},              {"new", plain(finding.new_text)},
                  {"counts", pair.counts}};
  if (!finding.witness.empty()) properties["witness"] = plain(finding.witness);
  out["properties"] = std::move(properties);
  return out;
}

Json check_summary(const CheckedPair& pair) {
  Json out{{"check", plain(pair_words(pair))}, {"verdict", verdict_name(pair.report.verdict)}, {"counts", pair.counts}, {"comparisons", pair.report.comparisons}};
  if (has_versions(pair)) {
    out["requiredBump"] = bump_name(pair.report.required);
    if (pair.report.versions_known) out["declaredBump"] = bump_name(pair.report.declared);
  }
  if (!pair.evidence.empty()) {
    Json lines = Json::array();
    for (const std::string& line : pair.evidence) lines.push_back(plain(line));
    out["evidence"] = std::move(lines);
  }
  return out;
}

}  // namespace

std::string report_sarif(const CheckDocument& document) {
  std::map<std::string_view, int64_t> index;
  for (const Rule& rule : rule_table()) index.emplace(rule.id, static_cast<int64_t>(index.size()));
  Json results = Json::array(), notifications = Json::array(), checks = Json::array();
  bool looked = true;
  for (const CheckedPair& pair : document.pairs) {
    checks.push_back(check_summary(pair));
    for (const Finding& finding : pair.report.findings) results.push_back(result(document, pair, finding, index));
    const std::string why = unseen_words(pair);
    if (why.empty()) continue;
    looked = false;
    notifications.push_back({{"level", "error"}, {"message", text(pair_words(pair) + ": " + why)}, {"locations", Json::array({location(pair, {})})}});
  }
  Json invocation{{"executionSuccessful", looked}};
  if (!notifications.empty()) invocation["toolExecutionNotifications"] = std::move(notifications);
  Json properties{{"verdict", verdict_name(verdict_of(document))}, {"checks", std::move(checks)}};
  if (!document.today.empty()) properties["today"] = document.today;
  Json run{{"tool", {{"driver", {{"name", "modnet"}, {"version", MODNET_VERSION}, {"rules", rules()}}}}},
           {"invocations", Json::array({std::move(invocation)})},
           {"columnKind", "unicodeCodePoints"},
           {"results", std::move(results)},
           {"properties", std::move(properties)}};
  return dump(Json{{"$schema", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"},
                   {"version", "2.1.0"},
                   {"runs", Json::array({std::move(run)})}});
}

}  // namespace modnet
