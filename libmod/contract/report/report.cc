#include "libmod/contract/report/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "libmod/contract/report/words.h"

namespace modnet {
namespace {

bool unseen(const CheckedPair& pair) { return pair.error.has_value() || pair.report.comparisons == 0; }

}  // namespace

bool passes(const CheckDocument& document) {
  return !document.pairs.empty() && std::all_of(document.pairs.begin(), document.pairs.end(), [](const CheckedPair& pair) {
    return !unseen(pair) && (!pair.counts || pair.report.verdict == Verdict::kCompatible);
  });
}

Verdict verdict_of(const CheckDocument& document) {
  const auto any = [&](Verdict verdict) {
    return std::any_of(document.pairs.begin(), document.pairs.end(), [&](const CheckedPair& pair) { return pair.counts && pair.report.verdict == verdict; });
  };
  if (any(Verdict::kIncompatible)) return Verdict::kIncompatible;
  return passes(document) ? Verdict::kCompatible : Verdict::kUndecidable;
}

std::string write_report(const CheckDocument& document, ReportFormat format, Detail detail) {
  switch (format) {
    case ReportFormat::kText: return report_text(document, detail);
    case ReportFormat::kJunit: return report_junit(document);
    case ReportFormat::kSarif: return report_sarif(document);
    case ReportFormat::kGithub: return report_github(document);
    case ReportFormat::kMarkdown: return report_markdown(document);
    case ReportFormat::kJson: break;
  }
  nlohmann::ordered_json json{{"schema", "modnet.check.v1"}};
  json.update(report_json(document));
  return report::dump(json);
}

}  // namespace modnet
