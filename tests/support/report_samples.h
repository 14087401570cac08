// Documents of checks that tests of the reports share: every verdict, every severity, and names that try to break out.
#pragma once

#include <string>
#include <vector>

#include "libmod/contract/report/report.h"

namespace modnet::test {

/// What a hostile name may hold: terminal controls, C1, bidi controls, markup of every format, commands of CI runners, characters
/// that XML has no place for. Valid UTF-8.
inline const std::string kHostile =
    "a\x1b[31m\r\n::error file=x::y\n##[add-path]/x \xc2\x9b \xe2\x80\xae|</code>]]>&\"'<script> `@team` #12 [l](http://x) www.x.y % , \\ "
    "\xef\xbf\xbf\xef\xb7\x90$e$ *b* _c_ ~~d~~ \x7f";

/// A finding of a rule of the registry.
[[nodiscard]] inline Finding finding(std::string_view rule, std::string path, std::string old_text, std::string new_text,
                                     std::string witness = {}) {
  Finding out;
  out.rule = find_rule(rule);
  out.severity = out.rule->severity;
  out.bump = out.rule->bump;
  out.path = std::move(path);
  out.what = "expected " + old_text + ", got " + new_text;
  out.old_text = std::move(old_text);
  out.new_text = std::move(new_text);
  out.witness = std::move(witness);
  return out;
}

[[nodiscard]] inline CheckedPair pair(CheckKind kind, std::vector<Finding> findings) {
  CheckedPair out;
  out.a_file = "old/minilm.mnet";
  out.b_file = "new/minilm.mnet";
  out.a_name = out.b_name = "minilm";
  out.a_version = "1.0.0";
  out.b_version = "1.1.0";
  out.report.kind = kind;
  out.report.comparisons = 3;
  if (kind == CheckKind::kEvolution) {
    out.report.changed = out.report.versions_known = true;
    out.report.declared = Bump::kMinor;
    out.report.old_version = "1.0.0";
    out.report.new_version = "1.1.0";
  }
  out.report.findings = std::move(findings);
  settle(out.report);
  return out;
}

/// Every kind of pair there is; `text` stands wherever a file's text can.
[[nodiscard]] inline CheckDocument every_kind(const std::string& text) {
  CheckDocument document;
  document.today = "2026-11-25";
  document.acceptances = {{finding_key(finding("PAD_ID_CHANGED", text, "0", text)), {}, {}, {}, {}, "reason " + text, "owner " + text, "2027-01-31", "1:1"}};
  Finding accepted = finding("PAD_ID_CHANGED", text, "0", text);
  accepted.accepted = true;
  document.pairs.push_back(pair(CheckKind::kEvolution, {finding("MAXLEN_REDUCED", text, "256", text, "T = 300 > 256 " + text), accepted,
                                                        finding("TOLERANCE_LOOSENED", text, text, "0.1"), finding("SPACE_UNVERIFIED", text, text, "b"),
                                                        finding("OPTIONAL_PORT_ADDED", text, "", text)}));
  document.pairs.back().evidence = {"largest 0.0035 " + text};
  document.pairs.push_back(pair(CheckKind::kEdge, {}));
  document.pairs.back().a_name = document.pairs.back().b_file = text;
  document.pairs.push_back(pair(CheckKind::kEdge, {finding("RANK_CHANGED", "x.dims", "2", "3")}));
  document.pairs.back().counts = false;
  CheckedPair broken;
  broken.a_file = "gone " + text;
  broken.b_file = "head.mnet";
  broken.error = Error{Code::kUnreadable, "CANNOT_OPEN", "no such file " + text, text, broken.a_file, "name a file"};
  document.pairs.push_back(broken);
  CheckedPair empty = pair(CheckKind::kEvolution, {});
  empty.report.comparisons = 0;
  settle(empty.report);
  document.pairs.push_back(empty);
  CheckedPair alone = pair(CheckKind::kEvolution, {});
  alone.a_file = alone.a_name = alone.a_version = {};
  document.pairs.push_back(alone);
  return document;
}

}  // namespace modnet::test
