// JUnit XML, as CI servers read it: a suite a pair; a case that says whether the pair was compared at all, then a case a
// finding. What denies is a failure, what could not be decided an error, what is accepted or does not count is skipped. There
// are no times in it: a report has no clock.
#include "libmod/contract/report/words.h"

namespace modnet {
namespace {

using namespace report;

struct Suite {
  int64_t tests = 0, failures = 0, errors = 0, skipped = 0;
  std::string cases;
};

/// `body` is what stands inside the case, already escaped; empty for one that passed.
void add_case(Suite& suite, std::string_view pair, std::string_view name, std::string_view body) {
  ++suite.tests;
  suite.cases += "    <testcase classname=\"" + xml(pair) + "\" name=\"" + xml(name) + "\"";
  suite.cases += body.empty() ? "/>\n" : ">\n" + std::string(body) + "    </testcase>\n";
}

std::string element(std::string_view tag, std::string_view type, std::string_view message, std::string_view text) {
  return "      <" + std::string(tag) + (type.empty() ? "" : " type=\"" + xml(type) + "\"") + " message=\"" + xml(message) + "\">" +
         xml(text) + "</" + std::string(tag) + ">\n";
}

std::string skip(std::string_view message) { return "      <skipped message=\"" + xml(message) + "\"/>\n"; }

void add_finding(Suite& suite, const CheckDocument& document, const CheckedPair& pair, const Finding& finding) {
  const std::string words = finding_words(finding);
  const std::string text = full_words(finding);
  std::string body;
  if (finding.accepted) {
    ++suite.skipped;
    body = skip(words + accepted_words(document, finding));
  } else if (finding.severity > Severity::kUndecidable) {
    body = "      <system-out>" + xml(std::string(severity_name(finding.severity)) + ": " + text) + "</system-out>\n";
  } else if (!pair.counts) {
    ++suite.skipped;
    body = skip("does not count: " + words);
  } else if (finding.severity == Severity::kDeny) {
    ++suite.failures;
    body = element("failure", finding.rule->id, words, text);
  } else {
    ++suite.errors;
    body = element("error", finding.rule->id, words, text);
  }
  add_case(suite, pair_words(pair), std::string(finding.rule->id) + " " + finding.path, body);
}

}  // namespace

std::string report_junit(const CheckDocument& document) {
  Suite all;
  std::string suites;
  for (const CheckedPair& pair : document.pairs) {
    Suite suite;
    const std::string words = pair_words(pair), unseen = unseen_words(pair);
    if (!unseen.empty()) ++suite.errors;
    add_case(suite, words, "ports were compared", unseen.empty() ? std::string() : element("error", "UNDECIDABLE", unseen, unseen));
    for (const Finding& finding : pair.report.findings) add_finding(suite, document, pair, finding);
    std::string out = "verdict: " + std::string(verdict_name(pair.report.verdict));
    for (const std::string& line : pair.evidence) out += "; evidence: " + line;
    if (const std::string bump = bump_words(pair); !bump.empty()) out += "; " + bump;
    suites += "  <testsuite name=\"" + xml(words) + "\" tests=\"" + std::to_string(suite.tests) + "\" failures=\"" +
              std::to_string(suite.failures) + "\" errors=\"" + std::to_string(suite.errors) + "\" skipped=\"" +
              std::to_string(suite.skipped) + "\">\n" + suite.cases + "    <system-out>" + xml(out) + "</system-out>\n  </testsuite>\n";
    all.tests += suite.tests;
    all.failures += suite.failures;
    all.errors += suite.errors;
    all.skipped += suite.skipped;
  }
  const std::string name = document.today.empty() ? "modnet check" : "modnet check, acceptances judged by " + document.today;
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"" + xml(name) + "\" tests=\"" + std::to_string(all.tests) +
         "\" failures=\"" + std::to_string(all.failures) + "\" errors=\"" + std::to_string(all.errors) + "\" skipped=\"" +
         std::to_string(all.skipped) + "\">\n" + suites + "</testsuites>\n";
}

}  // namespace modnet
