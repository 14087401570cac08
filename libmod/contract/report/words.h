// What the formats of a report share: the words for a check, and how each target escapes text from files.
// Tested by tests/unit/contract/report_test.cc.
#pragma once

#include <string>
#include <string_view>

#include "libmod/contract/report/report.h"

namespace modnet::report {

/// "minilm 1.0.0", or the file's name where nothing is known of the module. Not escaped.
[[nodiscard]] std::string module_words(std::string_view file, std::string_view name, std::string_view version);
/// "a.mnet (minilm 1.0.0) feeds b.mnet (sections 1.0.0)", "… is replaced by …". Not escaped.
[[nodiscard]] std::string pair_words(const CheckedPair& pair);
/// An evolution from one module to another: it needs a bump, and may declare one.
[[nodiscard]] bool has_versions(const CheckedPair& pair);
/// "needs MAJOR, declared MINOR: not enough"; empty without has_versions(), and where nothing is needed.
[[nodiscard]] std::string bump_words(const CheckedPair& pair);
/// What was found and, where there is one, the witness: "expected X, got Y; for example T = 300". Not escaped.
[[nodiscard]] std::string finding_words(const Finding& finding);
/// The same with what to do about it behind it: "…; fix: …". Not escaped.
[[nodiscard]] std::string full_words(const Finding& finding);
/// "the pair could not be looked at: …" of a pair with an error, "no ports were compared" of one without comparisons, else
/// empty. Not escaped.
[[nodiscard]] std::string unseen_words(const CheckedPair& pair);
/// " (accepted by OWNER until DAY: REASON)", or " (accepted)"; empty for a finding that is not accepted. Not escaped.
[[nodiscard]] std::string accepted_words(const CheckDocument& document, const Finding& finding);

/// For terminals and logs: escape_text(), and no "##[" that a CI runner would take for a command. Lines of a report begin with
/// our own words, so a "::" from a file never starts one.
[[nodiscard]] std::string plain(std::string_view text);
/// Text and attribute values of XML 1.0: plain(), and then entities. What XML has no characters for is spelled out.
[[nodiscard]] std::string xml(std::string_view text);
/// GitHub workflow commands: `data` after the last "::", `property` between commas.
[[nodiscard]] std::string github_data(std::string_view text);
[[nodiscard]] std::string github_property(std::string_view text);
/// GitHub-flavoured Markdown, anywhere in a line or a table cell: `code` for text from files (nothing in it is a mention, an
/// issue number or a link), `prose` for our own words.
[[nodiscard]] std::string markdown_code(std::string_view text);
[[nodiscard]] std::string markdown_prose(std::string_view text);
/// A URI reference for SARIF: a relative path stays relative, an absolute one becomes file:///…; other bytes as %XX.
[[nodiscard]] std::string uri(std::string_view path);
/// A JSON document made of ASCII-safe text: characters that escape_text() would escape are \uNNNN, all others stay.
[[nodiscard]] std::string dump(const nlohmann::ordered_json& document);

}  // namespace modnet::report
