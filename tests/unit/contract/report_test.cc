// Reports: that every format says what was found, keeps hostile names in their place, and gives the same bytes again. The
// formats' own grammars are judged by tests/parity/reports.py with real validators.
#include "libmod/contract/report/report.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "formats/base/text.h"
#include "libmod/contract/report/words.h"
#include "tests/support/report_samples.h"

namespace modnet {
namespace {

using test::every_kind;
using test::finding;
using test::kHostile;
using test::pair;

constexpr ReportFormat kFormats[] = {ReportFormat::kText,  ReportFormat::kJson,   ReportFormat::kJunit,
                                     ReportFormat::kSarif, ReportFormat::kGithub, ReportFormat::kMarkdown};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }
int64_t count(const std::string& text, std::string_view part) {
  int64_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}
CheckDocument of(CheckedPair one) {
  CheckDocument document;
  document.pairs.push_back(std::move(one));
  return document;
}

}  // namespace

TEST_CASE("the text report says verdict, three lines a finding, and the bump") {
  const CheckDocument document = of(pair(CheckKind::kEvolution, {finding("MAXLEN_REDUCED", "tokens.sequence.max_length", "256", "128", "T = 200")}));
  const std::string fix(find_rule("MAXLEN_REDUCED")->fix);
  CHECK(report_text(document, Detail::kNormal) ==
        "incompatible: new/minilm.mnet (minilm 1.1.0) replaces old/minilm.mnet (minilm 1.0.0)\n"
        "  MAXLEN_REDUCED deny tokens.sequence.max_length\n"
        "    found: expected 256, got 128; for example T = 200\n"
        "    fix: " + fix + "\n"
        "  BUMP_INSUFFICIENT deny identity.version\n"
        "    found: the changes need a major bump, from 1.0.0 to 1.1.0 is a minor one\n"
        "    fix: " + std::string(find_rule("BUMP_INSUFFICIENT")->fix) + "\n"
        "  needs MAJOR, declared MINOR: not enough\n");
}

TEST_CASE("a compatible edge is one line of text") {
  CHECK(report_text(of(pair(CheckKind::kEdge, {})), Detail::kNormal) ==
        "compatible: old/minilm.mnet (minilm 1.0.0) feeds new/minilm.mnet (minilm 1.1.0)\n");
}

TEST_CASE("a table has a line a pair, and details only of what counts and is not compatible") {
  CheckDocument document = every_kind("t");
  document.table = true;
  const std::string text = report_text(document, Detail::kNormal);
  CHECK(contains(text, "6 pairs: 2 compatible, 2 incompatible, 2 undecidable\n"));
  CHECK(contains(text, "\nincompatible  (does not count)  old/minilm.mnet"));
  CHECK(contains(text, "RANK_CHANGED\n"));
  CHECK(!contains(text, "RANK_CHANGED deny"));
  CHECK(contains(text, "  MAXLEN_REDUCED deny t\n"));
}

TEST_CASE("with suggestions every finding that denies is followed by the entry that accepts it") {
  const CheckDocument document = of(pair(CheckKind::kEdge, {finding("MAXLEN_REDUCED", "t", "256", "128"), finding("TOLERANCE_LOOSENED", "t", "0", "1")}));
  const std::string text = report_text(document, Detail::kSuggest);
  CHECK(count(text, "[[accept]]\n") == 1);
  CHECK(contains(text, "\nkey = \"" + finding_key(document.pairs[0].report.findings[0]) + "\""));
}

TEST_CASE("a check passes only when every pair that counts is compatible and all could be looked at") {
  CHECK(!passes(CheckDocument{}));
  CHECK(verdict_of(CheckDocument{}) == Verdict::kUndecidable);
  CHECK(passes(of(pair(CheckKind::kEdge, {}))));
  CheckedPair one = pair(CheckKind::kEdge, {finding("RANK_CHANGED", "x", "2", "3")});
  CHECK(!passes(of(one)));
  CHECK(verdict_of(of(one)) == Verdict::kIncompatible);
  one.counts = false;  // a pair of a matrix that nobody asked for
  CHECK(passes(of(one)));
  one.report.comparisons = 0;  // … but it was not compared at all
  CHECK(!passes(of(one)));
  one = pair(CheckKind::kEdge, {});
  one.error = internal("x");
  CHECK(!passes(of(one)));
}

TEST_CASE("no text from a file is a control character in any format") {
  const CheckDocument document = every_kind(kHostile);
  for (const ReportFormat format : kFormats) {
    CAPTURE(static_cast<int>(format));
    for (const bool table : {false, true}) {
      CheckDocument one = document;
      one.table = table;
      const std::string text = write_report(one, format, Detail::kSuggest);
      CHECK(is_utf8(text));
      std::string lines;  // what escape_text leaves alone, but for our own line ends
      for (const char c : text)
        if (c != '\n') lines += c;
      CHECK(escape_text(lines) == lines);
      CHECK(!contains(text, "##["));
    }
  }
}

TEST_CASE("no line but an annotation of ours is a workflow command") {
  for (const ReportFormat format : kFormats) {
    CAPTURE(static_cast<int>(format));
    const std::string text = write_report(every_kind(kHostile), format, Detail::kSuggest);
    std::string line;
    int64_t commands = 0;
    for (const char c : text + "\n") {
      if (c != '\n') {
        line += c;
        continue;
      }
      const size_t at = line.find_first_not_of(" \t");
      if (at != std::string::npos && line.compare(at, 2, "::") == 0) {
        ++commands;
        CHECK((line.starts_with("::error file=") || line.starts_with("::warning file=") || line.starts_with("::notice file=")));
      }
      line.clear();
    }
    CHECK(commands == (format == ReportFormat::kGithub ? 13 : 0));  // 6 pairs and 7 findings
  }
}

TEST_CASE("annotations keep separators of properties out of names") {
  CheckedPair one = pair(CheckKind::kEdge, {finding("RANK_CHANGED", "a,b:c%", "2", "3 % ::x")});
  one.b_file = "x,title=y::z.mnet";
  const std::string text = report_github(of(one));
  CHECK(contains(text, "::error file=x%2Ctitle=y%3A%3Az.mnet,title=RANK_CHANGED a%2Cb%3Ac%25::expected 2, got 3 %25 ::x; fix: "));
}

TEST_CASE("Markdown from a file is no markup, no mention and no link") {
  const std::string text = report_markdown(every_kind(kHostile));
  for (const std::string_view part : {"@team", "</code>]", "`", "<script>", "[l]", "http:", "www.", "*b*", "#12 ", "~~", "$e$", "_c_"}) {
    CAPTURE(part);
    CHECK(!contains(text, part));
  }
  CHECK(count(text, "<code>") == count(text, "</code>"));
  for (const std::string_view row : {"| ❌ incompatible | ", "| ✅ compatible | ", "| ❓ undecidable | "}) CHECK(contains(text, row));
}

TEST_CASE("every row of a Markdown table has the cells of its head, whatever names hold") {
  const std::string text = report_markdown(every_kind(kHostile)) + "\n";
  int64_t wanted = 0;
  std::string line;
  for (const char c : text) {
    if (c != '\n') {
      line += c;
      continue;
    }
    if (!line.starts_with("|")) wanted = 0;
    else if (wanted == 0) wanted = count(line, "|");
    else CHECK(count(line, "|") == wanted);
    line.clear();
  }
}

TEST_CASE("JSON keeps every value as it is, controls as escapes") {
  const CheckDocument document = every_kind(kHostile);
  const std::string text = write_report(document, ReportFormat::kJson);
  CHECK(contains(text, "\\u202e"));
  CHECK(contains(text, "\\u009b"));
  const auto json = nlohmann::json::parse(text);
  CHECK(json["checks"][0]["findings"][0]["path"] == kHostile);
  CHECK(json["checks"][0]["findings"][0]["key"] == finding_key(document.pairs[0].report.findings[0]));
  CHECK(json["checks"][0]["findings"][1]["acceptance"]["expires"] == "2027-01-31");
  CHECK(json["today"] == "2026-11-25");
  CHECK(json["passes"] == false);
}

TEST_CASE("JUnit counts what denies as failures, what is undecided or unseen as errors, what is accepted as skipped") {
  const std::string text = report_junit(every_kind("t"));
  CHECK(contains(text, "tests=\"13\" failures=\"2\" errors=\"3\" skipped=\"2\">"));
  CHECK(count(text, "<failure ") == 2);
  CHECK(count(text, "<error ") == 3);
  CHECK(count(text, "<skipped ") == 2);
}

TEST_CASE("SARIF has each finding's key as fingerprint, its level, and what was accepted as suppressed") {
  const CheckDocument document = every_kind(kHostile);
  const auto json = nlohmann::json::parse(report_sarif(document));
  const auto& run = json["runs"][0];
  CHECK(run["tool"]["driver"]["rules"].size() == rule_table().size());
  REQUIRE(run["results"].size() == 7);
  const auto& first = run["results"][0];
  CHECK(first["ruleId"] == "MAXLEN_REDUCED");
  CHECK(run["tool"]["driver"]["rules"][first["ruleIndex"].get<size_t>()]["id"] == "MAXLEN_REDUCED");
  CHECK(first["level"] == "error");
  CHECK(first["partialFingerprints"]["modnetFinding/v1"] == finding_key(document.pairs[0].report.findings[0]));
  CHECK(!first.contains("suppressions"));
  CHECK(run["results"][1]["suppressions"][0]["status"] == "accepted");
  CHECK(run["results"][2]["level"] == "warning");
  CHECK(run["results"][3]["level"] == "error");  // undecidable
  CHECK(run["results"][6]["level"] == "note");   // of a pair that nobody asked for
  CHECK(run["invocations"][0]["executionSuccessful"] == false);
  CHECK(run["invocations"][0]["toolExecutionNotifications"].size() == 2);
}

TEST_CASE("paths become URI references that stay paths") {
  CHECK(report::uri("a/b-1_2.mnet") == "a/b-1_2.mnet");
  CHECK(report::uri("http://x/?q#f") == "http%3A//x/%3Fq%23f");
  CHECK(report::uri("/a b") == "file:///a%20b");
}

TEST_CASE("the same checks give the same bytes") {
  for (const ReportFormat format : kFormats)
    CHECK(write_report(every_kind(kHostile), format) == write_report(every_kind(kHostile), format));
}

}  // namespace modnet
