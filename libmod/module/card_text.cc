#include "libmod/module/card_text.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <set>

#include "formats/base/text.h"
#include "libmod/contract/names.h"

namespace modnet {
namespace {

std::string number_text(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::general, 6);
  return error == std::errc() ? std::string(buffer, end) : std::string("?");
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    out.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

using Escape = std::string (*)(std::string_view);

std::string sources_text(const std::vector<CardSource>& sources, Escape escape) {
  std::string out;
  for (const CardSource& one : sources) {
    out += (out.empty() ? "" : ", ") + escape(one.name);
    if (!is_zero(one.digest)) out += " (sha256:" + short_digest(one.digest) + "…)";
  }
  return out;
}

/// Labels by their rows, the most frequent first, at most twelve.
std::string labels_text(const std::vector<CardCount>& labels, Escape escape) {
  std::vector<CardCount> sorted = labels;
  std::stable_sort(sorted.begin(), sorted.end(), [](const CardCount& a, const CardCount& b) { return a.rows > b.rows; });
  std::string out;
  for (size_t i = 0; i < sorted.size() && i < 12; ++i) out += (i ? ", " : "") + escape(sorted[i].label) + " " + std::to_string(sorted[i].rows);
  if (sorted.size() > 12) out += " and " + std::to_string(sorted.size() - 12) + " more";
  return out;
}

std::string quantiles_text(const std::vector<CardQuantile>& quantiles) {
  std::string out;
  for (const CardQuantile& one : quantiles) out += (out.empty() ? "" : ", ") + number_text(100 * one.share) + " %: " + number_text(one.value);
  return out;
}

std::string interval_text(const CardMetric& metric) {
  return metric.low && metric.high ? number_text(*metric.low) + " – " + number_text(*metric.high) : std::string();
}

// ---- plain text -----------------------------------------------------------------------------------------------------

std::string escaped(std::string_view text) { return escape_text(text); }

void section(std::string& out, std::string_view title, const std::string& body) {
  if (!body.empty()) out += "\n" + std::string(title) + "\n" + body;
}
std::string paragraph(std::string_view text) {
  std::string out;
  for (const std::string_view line : lines_of(text)) out += "  " + escape_text(line) + "\n";
  return out;
}
std::string plain_list(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& one : texts) out += "  " + escape_text(one) + "\n";
  return out;
}
std::string row(std::string_view name, const std::string& value) {
  return value.empty() ? std::string() : "    " + std::string(name) + " " + value + "\n";
}

// ---- Markdown -------------------------------------------------------------------------------------------------------

/// A double-quoted YAML scalar of one line.
std::string yaml(std::string_view text) {
  std::string out = "\"";
  for (const char c : escape_text(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

/// Lines of a text as a paragraph of Markdown; a line's beginning is not taken for a list, a heading or code.
std::string markdown_lines(std::string_view text) {
  std::string out;
  for (std::string_view line : lines_of(text)) {
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
    std::string one = escape_markdown(line);
    const size_t digits = one.find_first_not_of("0123456789");
    if (!one.empty() && (one[0] == '+' || one[0] == '-' || one[0] == '=')) one.insert(0, "\\");
    else if (digits != std::string::npos && digits > 0 && (one[digits] == '.' || one[digits] == ')')) one.insert(digits, "\\");
    out += one + "\n";
  }
  return out;
}

std::string markdown_list(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& one : texts) out += "- " + escape_markdown(one) + "\n";
  return out;
}
std::string item(std::string_view name, const std::string& value) {
  return value.empty() ? std::string() : "- " + std::string(name) + ": " + value + "\n";
}
void markdown_section(std::string& out, std::string_view title, const std::string& body) {
  if (!body.empty()) out += "\n## " + std::string(title) + "\n\n" + body;
}

std::string markdown_head(const Card& card, const Identity& identity) {
  std::string out = "---\nlibrary_name: modnet\n";
  std::string licence = identity.licence;
  for (char& c : licence)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');  // hubs list SPDX identifiers in lower case
  if (!licence.empty()) out += "license: " + yaml(licence) + "\n";
  out += "tags:\n- modnet\n- " + std::string(name_of(identity.kind)) + "\n";
  std::set<std::string> metrics;
  for (const CardMetric& metric : card.metrics) metrics.insert(metric.name);
  if (!metrics.empty()) out += "metrics:\n";
  for (const std::string& name : metrics) out += "- " + yaml(name) + "\n";
  return out + "---\n";
}

std::string markdown_metrics(const Card& card) {
  if (card.metrics.empty()) return {};
  std::string out = "| answer | metric | value | 95 % interval | baseline | items | data | policy |\n|---|---|---|---|---|---|---|---|\n";
  for (const CardMetric& one : card.metrics)
    out += "| " + escape_markdown(one.answer) + " | " + escape_markdown(one.name) + " | " + number_text(one.value) + " | " + interval_text(one) + " | " +
           (one.baseline ? number_text(*one.baseline) : "") + " | " + (one.rows ? std::to_string(*one.rows) : "") + " | " + sources_text(one.data, escape_markdown) + " | " +
           escape_markdown(one.policy) + " |\n";
  return out;
}

std::string markdown_accepted(const Card& card) {
  if (card.accepted.empty()) return {};
  std::string out = "| rule | path | old | new | reason | owner | expires |\n|---|---|---|---|---|---|---|\n";
  for (const CardAcceptance& one : card.accepted)
    out += "| " + escape_markdown(one.rule) + " | " + escape_markdown(one.path) + " | " + escape_markdown(one.old_value) + " | " + escape_markdown(one.new_value) + " | " +
           escape_markdown(one.reason) + " | " + escape_markdown(one.owner) + " | " + escape_markdown(one.expires) + " |\n";
  return out;
}

}  // namespace

std::string escape_markdown(std::string_view text) {
  std::string out;
  for (const char c : escape_text(text)) {
    if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '&') out += "&amp;";
    else {
      if (std::string_view("\\`*_[]|~#$!{}").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string card_text(const Card& card, const Identity& identity) {
  std::string out = escape_text(identity.name) + " " + escape_text(identity.version) + ", " + std::string(name_of(identity.kind)) + ", licence " +
                    (identity.licence.empty() ? "not stated" : escape_text(identity.licence)) + "\n";
  section(out, "intended use", paragraph(card.intended_use));
  section(out, "out of scope", paragraph(card.out_of_scope));
  section(out, "limitations", paragraph(card.limitations));
  section(out, "authors", plain_list(card.authors));
  section(out, "contact", paragraph(card.contact));
  section(out, "references", plain_list(card.references));
  std::string body;
  for (const CardData& one : card.training_data) {
    body += "  " + sources_text({{one.name, one.digest}}, escaped) + (one.rows ? ", " + std::to_string(*one.rows) + " rows" : "") + "\n";
    body += row("rows a label:", labels_text(one.labels, escaped)) + row("quantiles:", quantiles_text(one.quantiles)) + row("made by:", sources_text(one.made_by, escaped));
  }
  section(out, "training data", body);
  body.clear();
  for (const CardMetric& one : card.metrics) {
    body += "  " + (one.answer.empty() ? "" : escape_text(one.answer) + " ") + escape_text(one.name) + " " + number_text(one.value);
    if (one.low) body += " (" + interval_text(one) + ")";
    if (one.baseline) body += ", baseline " + number_text(*one.baseline);
    if (one.rows) body += ", " + std::to_string(*one.rows) + " items";
    body += (one.data.empty() ? "" : " of " + sources_text(one.data, escaped)) + (one.policy.empty() ? "" : ", " + escape_text(one.policy)) + "\n";
  }
  section(out, "metrics", body);
  body.clear();
  for (const CardAcceptance& one : card.accepted)
    body += "  " + escape_text(one.rule) + " " + escape_text(one.path) + ": " + escape_text(one.old_value) + " → " + escape_text(one.new_value) + "; " +
            escape_text(one.reason) + " (" + escape_text(one.owner) + ", until " + escape_text(one.expires) + ")\n";
  section(out, "accepted findings", body);
  body.clear();
  for (const CardChange& one : card.changes) body += "  " + escape_text(one.version) + "  " + escape_text(one.date) + "  " + escape_text(one.text) + "\n";
  section(out, "changes", body);
  section(out, "training", paragraph(card.training));
  section(out, "extra", paragraph(card.extra));
  return out;
}

std::string card_markdown(const Card& card, const Identity& identity) {
  std::string out = markdown_head(card, identity) + "\n# " + escape_markdown(identity.name) + "\n\nA modnet " + std::string(name_of(identity.kind)) + ", version " +
                    escape_markdown(identity.version) + (identity.licence.empty() ? ", licence not stated" : ", licence " + escape_markdown(identity.licence)) + ".\n";
  markdown_section(out, "Intended use", markdown_lines(card.intended_use));
  markdown_section(out, "Out-of-scope use", markdown_lines(card.out_of_scope));
  markdown_section(out, "Limitations", markdown_lines(card.limitations));
  std::string body;
  for (const CardData& one : card.training_data)
    body += (body.empty() ? "### " : "\n### ") + escape_markdown(one.name) + "\n\n" + item("SHA-256", is_zero(one.digest) ? std::string() : hex(one.digest)) +
            item("rows", one.rows ? std::to_string(*one.rows) : std::string()) + item("rows a label", labels_text(one.labels, escape_markdown)) +
            item("quantiles", quantiles_text(one.quantiles)) + item("made by", sources_text(one.made_by, escape_markdown));
  markdown_section(out, "Training data", body);
  markdown_section(out, "Metrics", markdown_metrics(card));
  markdown_section(out, "Accepted findings", markdown_accepted(card));
  body.clear();
  for (const CardChange& one : card.changes) body += "- **" + escape_markdown(one.version) + "**, " + escape_markdown(one.date) + ": " + escape_markdown(one.text) + "\n";
  markdown_section(out, "Changes", body);
  markdown_section(out, "Authors", markdown_list(card.authors));
  markdown_section(out, "Contact", markdown_lines(card.contact));
  markdown_section(out, "References", markdown_list(card.references));
  return out;
}

}  // namespace modnet
