// GitHub-flavoured Markdown for a comment on a pull request: one table of the pairs, then what was found in each.
#include "libmod/contract/report/words.h"

namespace modnet {
namespace {

using namespace report;

std::string_view mark(Verdict verdict) {
  switch (verdict) {
    case Verdict::kCompatible: return "✅";
    case Verdict::kIncompatible: return "❌";
    case Verdict::kUndecidable: return "❓";
  }
  return "❓";
}

std::string details(const CheckDocument& document, const CheckedPair& pair) {
  std::string out = "\n**" + std::string(verdict_name(pair.report.verdict)) + "**: " + markdown_code(pair_words(pair)) + "\n";
  if (const std::string why = unseen_words(pair); !why.empty()) out += "\n- " + markdown_code(why) + "\n";
  if (!pair.report.findings.empty()) out += "\n| rule | severity | where | what | fix |\n|---|---|---|---|---|\n";
  for (const Finding& finding : pair.report.findings) {
    std::string severity(severity_name(finding.severity));
    if (finding.accepted) severity += ", accepted<br>" + markdown_code(accepted_words(document, finding));
    out += "| <code>" + std::string(finding.rule->id) + "</code> | " + severity + " | " + markdown_code(finding.path) + " | " +
           markdown_code(finding_words(finding)) + " | " + markdown_prose(finding.rule->fix) + " |\n";
  }
  for (const std::string& line : pair.evidence) out += "\n- evidence: " + markdown_code(line) + "\n";
  return out;
}

}  // namespace

std::string report_markdown(const CheckDocument& document) {
  std::string out = "### modnet check: " + std::string(verdict_name(verdict_of(document))) + "\n\n";
  out += "| verdict | check | bump |\n|---|---|---|\n";
  for (const CheckedPair& pair : document.pairs)
    out += "| " + std::string(mark(pair.report.verdict)) + " " + std::string(verdict_name(pair.report.verdict)) +
           (pair.counts ? "" : " (does not count)") + " | " + markdown_code(pair_words(pair)) + " | " + markdown_prose(bump_words(pair)) + " |\n";
  for (const CheckedPair& pair : document.pairs) {
    const bool said = !pair.report.findings.empty() || !pair.evidence.empty() || !unseen_words(pair).empty();
    if (said && (!document.table || (pair.counts && pair.report.verdict != Verdict::kCompatible))) out += details(document, pair);
  }
  if (!document.today.empty()) out += "\nAcceptances were judged by " + markdown_prose(document.today) + ".\n";
  return out;
}

}  // namespace modnet
