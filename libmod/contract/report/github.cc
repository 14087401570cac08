// Workflow commands of GitHub Actions: an annotation a finding, on the module's file; a notice with the verdict a pair.
#include "libmod/contract/report/words.h"

namespace modnet {
namespace {

using namespace report;

std::string command(std::string_view level, std::string_view file, std::string_view title, std::string_view message) {
  return "::" + std::string(level) + " file=" + github_property(file) + ",title=" + github_property(title) + "::" + github_data(message) + "\n";
}

std::string_view level(const CheckedPair& pair, const Finding& finding) {
  if (finding.accepted || finding.severity == Severity::kNote) return "notice";
  if (finding.severity == Severity::kWarn || !pair.counts) return "warning";
  return "error";
}

}  // namespace

std::string report_github(const CheckDocument& document) {
  std::string out;
  for (const CheckedPair& pair : document.pairs) {
    for (const Finding& finding : pair.report.findings)
      out += command(level(pair, finding), pair.b_file, std::string(finding.rule->id) + " " + finding.path,
                     full_words(finding) + accepted_words(document, finding));
    std::string words = pair_words(pair);
    if (const std::string why = unseen_words(pair); !why.empty()) words += "; " + why;
    for (const std::string& line : pair.evidence) words += "; evidence: " + line;
    if (const std::string bump = bump_words(pair); !bump.empty()) words += "; " + bump;
    if (!document.today.empty()) words += "; acceptances judged by " + document.today;
    const bool bad = !unseen_words(pair).empty() || (pair.counts && pair.report.verdict != Verdict::kCompatible);
    out += command(bad ? "error" : "notice", pair.b_file, verdict_name(pair.report.verdict), words);
  }
  return out;
}

}  // namespace modnet
