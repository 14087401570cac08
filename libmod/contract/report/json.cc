// The report for programs: tests/schemas/check.schema.json describes it, modnet-check(1) explains it.
#include <nlohmann/json.hpp>

#include "libmod/contract/report/words.h"

namespace modnet {
namespace {

using Json = nlohmann::ordered_json;

Json finding_json(const CheckDocument& document, const Finding& finding) {
  Json out{{"rule", finding.rule->id},
           {"severity", severity_name(finding.severity)},
           {"bump", bump_name(finding.bump)},
           {"path", finding.path},
           {"old", finding.old_text},
           {"new", finding.new_text},
           {"what", finding.what},
           {"witness", finding.witness.empty() ? Json() : Json(finding.witness)},
           {"fix", finding.rule->fix},
           {"key", finding_key(finding)},
           {"accepted", finding.accepted}};
  if (const Acceptance* entry = finding.accepted ? acceptance_of(document.acceptances, finding) : nullptr)
    out["acceptance"] = {{"reason", entry->reason}, {"owner", entry->owner}, {"expires", entry->expires}};
  return out;
}

Json side(std::string_view file, std::string_view name, std::string_view version) {
  Json out{{"file", file}};
  if (!name.empty()) out["name"] = name;
  if (!version.empty()) out["version"] = version;
  return out;
}

Json pair_json(const CheckDocument& document, const CheckedPair& pair) {
  const CheckReport& checked = pair.report;
  Json out{{"kind", checked.kind == CheckKind::kEdge ? "edge" : "evolution"},
           {"verdict", verdict_name(checked.verdict)},
           {"counts", pair.counts}};
  if (!pair.a_file.empty()) out["a"] = side(pair.a_file, pair.a_name, pair.a_version);
  out["b"] = side(pair.b_file, pair.b_name, pair.b_version);
  out["comparisons"] = checked.comparisons;
  if (report::has_versions(pair))
    out["bump"] = {{"required", bump_name(checked.required)}, {"declared", checked.versions_known ? Json(bump_name(checked.declared)) : Json()}, {"enough", checked.suffices()}};
  Json findings = Json::array();
  for (const Finding& finding : checked.findings) findings.push_back(finding_json(document, finding));
  out["findings"] = std::move(findings);
  out["seams"] = pair.seams;
  out["evidence"] = pair.evidence;
  if (pair.error)
    out["error"] = {{"id", pair.error->id}, {"file", pair.error->file}, {"where", pair.error->where}, {"what", pair.error->what}, {"fix", pair.error->fix}};
  return out;
}

}  // namespace

Json report_json(const CheckDocument& document) {
  int64_t counted[3] = {0, 0, 0};
  Json checks = Json::array();
  for (const CheckedPair& pair : document.pairs) {
    ++counted[static_cast<size_t>(pair.report.verdict)];
    checks.push_back(pair_json(document, pair));
  }
  return {{"verdict", verdict_name(verdict_of(document))},
          {"passes", passes(document)},
          {"today", document.today.empty() ? Json() : Json(document.today)},
          {"counts", {{"compatible", counted[0]}, {"incompatible", counted[1]}, {"undecidable", counted[2]}}},
          {"checks", std::move(checks)}};
}

}  // namespace modnet
