#include "libmod/contract/report/words.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "formats/base/text.h"

namespace modnet::report {
namespace {

std::string capitals(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

/// Each occurrence of `from` becomes `to`.
std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

std::string with_file(std::string_view file, std::string_view name, std::string_view version) {
  if (name.empty()) return std::string(file);
  return std::string(file) + " (" + module_words(file, name, version) + ")";
}

bool is_plain_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// Characters that mean something to Markdown, or to GitHub after it, as numeric references: a reference never makes structure.
std::string references(std::string_view text) {
  constexpr std::string_view kKept = " ,+-/=();%?";
  std::string out;
  char before = ' ';
  for (const char c : text) {
    const bool domain = c == '.' && (before == 'w' || before == 'W');  // www. would become a link
    if (is_plain_word(c) || static_cast<uint8_t>(c) >= 0x80 || kKept.find(c) != std::string_view::npos || (c == '.' && !domain))
      out += c;
    else
      out += "&#" + std::to_string(static_cast<int>(c)) + ";";
    before = c;
  }
  return out;
}

}  // namespace

std::string module_words(std::string_view file, std::string_view name, std::string_view version) {
  if (name.empty()) return std::string(file);
  return std::string(name) + (version.empty() ? "" : " ") + std::string(version);
}

std::string pair_words(const CheckedPair& pair) {
  const std::string b = with_file(pair.b_file, pair.b_name, pair.b_version);
  if (pair.a_file.empty()) return b + " by itself";
  const std::string a = with_file(pair.a_file, pair.a_name, pair.a_version);
  return pair.report.kind == CheckKind::kEdge ? a + " feeds " + b : b + " replaces " + a;
}

bool has_versions(const CheckedPair& pair) { return pair.report.kind == CheckKind::kEvolution && !pair.a_file.empty() && !pair.error; }

std::string bump_words(const CheckedPair& pair) {
  const CheckReport& report = pair.report;
  if (!has_versions(pair) || report.required == Bump::kNone) return {};
  const std::string needs = "needs " + capitals(bump_name(report.required));
  if (!report.versions_known) return needs;
  return needs + ", declared " + capitals(bump_name(report.declared)) + (report.suffices() ? ": enough" : ": not enough");
}

std::string finding_words(const Finding& finding) {
  return finding.witness.empty() ? finding.what : finding.what + "; for example " + finding.witness;
}

std::string full_words(const Finding& finding) { return finding_words(finding) + "; fix: " + std::string(finding.rule->fix); }

std::string unseen_words(const CheckedPair& pair) {
  if (pair.error) {
    const Error& error = *pair.error;
    return "the pair could not be looked at: " + (error.file.empty() ? "" : error.file + ": ") +
           (error.where.empty() ? "" : error.where + ": ") + (error.id.empty() ? "" : error.id + ": ") + error.what +
           (error.fix.empty() ? "" : "; " + error.fix);
  }
  return pair.report.comparisons == 0 ? "no ports were compared" : "";
}

std::string accepted_words(const CheckDocument& document, const Finding& finding) {
  if (!finding.accepted) return {};
  const Acceptance* entry = acceptance_of(document.acceptances, finding);
  if (entry == nullptr) return " (accepted)";
  return " (accepted by " + entry->owner + " until " + entry->expires + ": " + entry->reason + ")";
}

std::string plain(std::string_view text) { return replaced(escape_text(text), "##[", "#\\x23["); }

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : replaced(replaced(plain(text), "\xef\xbf\xbe", "\\u{fffe}"), "\xef\xbf\xbf", "\\u{ffff}")) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string github_data(std::string_view text) { return replaced(plain(text), "%", "%25"); }

std::string github_property(std::string_view text) { return replaced(replaced(github_data(text), ":", "%3A"), ",", "%2C"); }

std::string markdown_code(std::string_view text) { return "<code>" + references(plain(text)) + "</code>"; }

std::string markdown_prose(std::string_view text) { return references(plain(text)); }

std::string uri(std::string_view path) {
  constexpr std::string_view kKept = "-._~/";
  std::string out = path.starts_with("/") ? "file://" : "";
  std::array<char, 4> buffer{};
  for (const char c : path) {
    if (is_plain_word(c) || kKept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      std::snprintf(buffer.data(), buffer.size(), "%%%02X", static_cast<unsigned>(static_cast<uint8_t>(c)));
      out += buffer.data();
    }
  }
  return out;
}

std::string dump(const nlohmann::ordered_json& document) {
  return escape_json(document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)) + "\n";
}

}  // namespace modnet::report
