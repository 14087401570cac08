// What checks found, written down: one document of named checks, six formats. Every format is a pure function of the
// document: the same checks give the same bytes on any day and machine. All text that comes from files is escaped in the
// way of each format, so that no name can move a cursor, end a table or give a command to a CI runner.
// Tested by tests/unit/contract/report_test.cc, with real validators by tests/parity/reports.py.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "libmod/contract/accept.h"
#include "libmod/contract/check.h"

namespace modnet {

/// One check. On an edge A's output feeds B's input; as an evolution A is the old module and B the new one. So the old side of
/// a finding is A's, and a finding is a finding about B.
struct CheckedPair {
  std::string a_file, b_file;
  std::string a_name, a_version, b_name, b_version;  // empty where a file could not be opened
  CheckReport report;
  std::optional<Error> error;         // why the pair could not be looked at; report.verdict is then kUndecidable
  std::vector<std::string> seams;     // one line each, for people: what feeds what on an edge, and why it may; none in a table
  std::vector<std::string> evidence;  // the same: what probes showed
  bool counts = true;                 // decides the exit; false for pairs of a matrix that nobody asked for
};

struct CheckDocument {
  std::vector<CheckedPair> pairs;
  bool table = false;                    // a matrix or a history: every pair in one table, then the findings of those that count
  std::string today;                     // the day that acceptances were judged by; empty where there were none
  std::vector<Acceptance> acceptances;   // those that were applied
};

enum class ReportFormat : uint8_t { kText, kJson, kJunit, kSarif, kGithub, kMarkdown };
enum class Detail : uint8_t {
  kNormal,
  kSuggest,  // text: after each finding that denies, the entry that would accept it
};

/// Exit 0 of a check: every pair that counts is compatible, and every pair could be looked at. False for no pairs at all.
[[nodiscard]] bool passes(const CheckDocument& document);
/// Of the whole document: incompatible when a pair that counts is, else undecidable when one is or none counts.
[[nodiscard]] Verdict verdict_of(const CheckDocument& document);

/// The whole report, with a newline at its end.
[[nodiscard]] std::string write_report(const CheckDocument& document, ReportFormat format, Detail detail = Detail::kNormal);

// One a format; write_report() picks.
[[nodiscard]] std::string report_text(const CheckDocument& document, Detail detail);
[[nodiscard]] std::string report_junit(const CheckDocument& document);
[[nodiscard]] std::string report_sarif(const CheckDocument& document);
[[nodiscard]] std::string report_github(const CheckDocument& document);
[[nodiscard]] std::string report_markdown(const CheckDocument& document);
/// Fields of `modnet.check.v1` without `schema` (tests/schemas/check.schema.json).
[[nodiscard]] nlohmann::ordered_json report_json(const CheckDocument& document);

}  // namespace modnet
