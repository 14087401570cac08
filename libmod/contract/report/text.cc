// The report for people: the verdict, then every finding in at most three lines, then the bump.
#include <algorithm>

#include "libmod/contract/report/words.h"

namespace modnet {
namespace {

using namespace report;

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

/// Rule ids of a pair, once each, for the table.
std::string reasons(const CheckedPair& pair) {
  if (const std::string why = unseen_words(pair); !why.empty()) return plain(why);
  std::string out;
  std::string_view last;
  for (const Finding& finding : pair.report.findings) {
    if (finding.accepted || finding.severity > Severity::kUndecidable || finding.rule->id == last) continue;
    last = finding.rule->id;
    out += (out.empty() ? "" : " ") + std::string(last);
  }
  return out;
}

std::string table(const CheckDocument& document) {
  size_t a_width = 0, b_width = 0;
  for (const CheckedPair& pair : document.pairs) {
    a_width = std::max(a_width, plain(pair.a_file).size());
    b_width = std::max(b_width, plain(pair.b_file).size());
  }
  std::string out;
  int64_t counted[3] = {0, 0, 0};
  for (const CheckedPair& pair : document.pairs) {
    std::string line = padded(std::string(verdict_name(pair.report.verdict)), 12) + (pair.counts ? "  " : "  (does not count)  ") +
                       padded(plain(pair.a_file), a_width) + (pair.report.kind == CheckKind::kEdge ? " feeds " : " → ") +
                       padded(plain(pair.b_file), b_width);
    if (const std::string why = reasons(pair); !why.empty()) line += "  " + why;
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
    ++counted[static_cast<size_t>(pair.report.verdict)];
  }
  return out + std::to_string(document.pairs.size()) + (document.pairs.size() == 1 ? " pair: " : " pairs: ") + std::to_string(counted[0]) + " compatible, " +
         std::to_string(counted[1]) + " incompatible, " + std::to_string(counted[2]) + " undecidable\n";
}

std::string entry_lines(const Finding& finding) {
  std::string out = "\n" + suggested_acceptance(finding);
  return out + "\n";
}

std::string details(const CheckDocument& document, const CheckedPair& pair, Detail detail) {
  std::string out = std::string(verdict_name(pair.report.verdict)) + ": " + plain(pair_words(pair)) + "\n";
  if (const std::string why = unseen_words(pair); !why.empty()) out += "  " + plain(why) + "\n";
  for (const Finding& finding : pair.report.findings) {
    out += "  " + std::string(finding.rule->id) + " " + std::string(severity_name(finding.severity)) + " " + plain(finding.path) +
           plain(accepted_words(document, finding)) + "\n";
    out += "    found: " + plain(finding_words(finding)) + "\n";
    out += "    fix: " + plain(finding.rule->fix) + "\n";
    if (detail == Detail::kSuggest && finding.severity <= Severity::kUndecidable && !finding.accepted) out += entry_lines(finding);
  }
  for (const std::string& line : pair.seams) out += "  seam: " + plain(line) + "\n";
  for (const std::string& line : pair.evidence) out += "  evidence: " + plain(line) + "\n";
  if (const std::string words = bump_words(pair); !words.empty()) out += "  " + words + "\n";
  return out;
}

}  // namespace

std::string report_text(const CheckDocument& document, Detail detail) {
  std::string out = document.table ? table(document) : std::string();
  for (const CheckedPair& pair : document.pairs)
    if (!document.table || (pair.counts && pair.report.verdict != Verdict::kCompatible)) out += details(document, pair, detail);
  if (!document.today.empty()) out += "acceptances judged by " + plain(document.today) + "\n";
  return out;
}

}  // namespace modnet
