#include "libmod/contract/check.h"

#include <algorithm>

#include "formats/base/digest.h"

namespace modnet {
namespace {

bool stops(const Finding& finding) {
  return !finding.accepted && (finding.severity == Severity::kDeny || finding.severity == Severity::kUndecidable);
}

}  // namespace

void settle(CheckReport& report) {
  std::vector<Finding>& findings = report.findings;
  const Rule* bump_rule = find_rule("BUMP_INSUFFICIENT");
  std::erase_if(findings, [&](const Finding& finding) { return finding.rule == bump_rule && !finding.accepted; });
  report.required = report.changed ? Bump::kPatch : Bump::kNone;
  for (const Finding& finding : findings)
    if (!finding.accepted) report.required = std::max(report.required, finding.bump);
  // A version that did not rise has a finding of its own.
  if (report.versions_known && report.declared > Bump::kNone && report.declared < report.required) {
    const std::string needs(bump_name(report.required)), has(bump_name(report.declared));
    Findings found;
    found.add(*bump_rule, "identity.version", report.old_version, report.new_version,
              "the changes need a " + needs + " bump, from " + report.old_version + " to " + report.new_version + " is a " + has + " one");
    const auto place = std::find_if(findings.begin(), findings.end(), [&](const Finding& finding) { return finding.rule > bump_rule; });
    if (std::none_of(findings.begin(), findings.end(), [&](const Finding& finding) { return finding.rule == bump_rule; }))
      findings.insert(place, found.take().front());
  }
  bool denied = false, asked = report.comparisons == 0;
  for (const Finding& finding : findings) {
    if (finding.accepted) continue;
    denied = denied || finding.severity == Severity::kDeny;
    asked = asked || finding.severity == Severity::kUndecidable;
  }
  report.verdict = denied ? Verdict::kIncompatible : asked ? Verdict::kUndecidable : Verdict::kCompatible;
}

std::string finding_key(const Finding& finding) {
  DomainHash hash("modnet.finding.v1");
  hash.text(finding.rule->id).text(finding.path).text(finding.old_text).text(finding.new_text);
  return hex(hash.finish()).substr(0, 16);
}

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kCompatible: return "compatible";
    case Verdict::kIncompatible: return "incompatible";
    case Verdict::kUndecidable: break;
  }
  return "undecidable";
}

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::kDeny: return "deny";
    case Severity::kUndecidable: return "undecidable";
    case Severity::kWarn: return "warn";
    case Severity::kNote: break;
  }
  return "note";
}

std::string_view bump_name(Bump bump) {
  switch (bump) {
    case Bump::kPatch: return "patch";
    case Bump::kMinor: return "minor";
    case Bump::kMajor: return "major";
    case Bump::kNone: break;
  }
  return "none";
}

Status check_status(const CheckReport& report, std::string_view from_name, std::string_view to_name) {
  if (report.verdict == Verdict::kCompatible) return ok();
  Error error{Code::kNo, "NOT_COMPARABLE", {}, {}, std::string(to_name), {}};
  for (const Finding& finding : report.findings) {
    if (!stops(finding)) continue;
    if (error.what.empty()) {
      error.id = finding.rule->id;
      error.where = finding.path;
      error.fix = finding.rule->fix;
      error.what = (report.kind == CheckKind::kEdge ? "does not fit " : "cannot replace ") + std::string(from_name) + ": " + finding.what;
    } else {
      error.what += "; also " + std::string(finding.rule->id) + " at " + finding.path + ": " + finding.what;
    }
    if (!finding.witness.empty()) error.what += " (" + finding.witness + ")";
  }
  if (error.what.empty())
    error.what = report.kind == CheckKind::kEdge ? "nothing of " + std::string(from_name) + " meets an input of " + std::string(to_name)
                                                 : "has no port in common with " + std::string(from_name);
  return error;
}

}  // namespace modnet
