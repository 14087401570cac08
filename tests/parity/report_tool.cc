// Writes a document of checks in one format, for reports.py: report_tool FORMAT plain|hostile|empty list|table.
#include <cstdio>
#include <map>
#include <string>

#include "tests/support/report_samples.h"

int main(int argc, char** argv) {
  using modnet::ReportFormat;
  const std::map<std::string, ReportFormat> formats = {{"text", ReportFormat::kText},   {"json", ReportFormat::kJson},
                                                       {"junit", ReportFormat::kJunit}, {"sarif", ReportFormat::kSarif},
                                                       {"github", ReportFormat::kGithub}, {"markdown", ReportFormat::kMarkdown}};
  if (argc != 4 || !formats.contains(argv[1])) return 2;
  const std::string text = argv[2];
  modnet::CheckDocument document = text == "empty" ? modnet::CheckDocument{} : modnet::test::every_kind(text == "hostile" ? modnet::test::kHostile : "x.y");
  document.table = argv[3] == std::string("table");
  const std::string report = modnet::write_report(document, formats.at(argv[1]));
  return std::fwrite(report.data(), 1, report.size(), stdout) == report.size() ? 0 : 1;
}
