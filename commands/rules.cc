#include "commands/rules.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "commands/label.h"
#include "libmod/contract/check.h"

namespace modnet {
namespace {

std::string bump_text(const Rule& rule) {
  return rule.bump == Bump::kNone ? "asks for no bump of its own" : "needs a " + std::string(bump_name(rule.bump)) + " bump";
}

Json rule_json(const Rule& rule) {
  Json fields = Json::array();
  for (std::string_view rest = rule.fields; !rest.empty();) {
    const size_t end = std::min(rest.find(' '), rest.size());
    fields.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {{"id", rule.id},         {"severity", severity_name(rule.severity)}, {"bump", bump_name(rule.bump)}, {"edge_only", rule.edge_only},
          {"fields", fields},      {"rationale", rule.rationale},              {"fix", rule.fix},              {"example", rule.example}};
}

std::string explain(const Console& console, const Rule& rule) {
  std::string out = console.bold(rule.id) + ": " + std::string(severity_name(rule.severity)) + ", " + bump_text(rule) +
                    (rule.edge_only ? "; in compositions\n" : "\n");
  for (const auto& [name, text] : {std::pair{"why", rule.rationale}, {"example", rule.example}, {"fix", rule.fix}, {"reads", rule.fields}})
    out += padded(name, 9) + std::string(text) + "\n";
  return out;
}

/// Text as mdoc takes it on a line of its own.
std::string mdoc(std::string_view text) {
  std::string out;
  constexpr std::string_view kAtMost = "≤";
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text.substr(i).starts_with(kAtMost)) {
      out += "\\*(Le";
      i += kAtMost.size() - 1;
    } else if (c == '\\') out += "\\e";
    else if (c == '-') out += "\\-";
    else if ((c == '.' || c == '\'') && out.empty()) out += std::string("\\&") + c;
    else out += c;
  }
  return out;
}

/// man/modnet-rules.7, which a test compares with this.
std::string manual() {
  std::string out =
      ".Dd November 25, 2026\n.Dt MODNET-RULES 7\n.Os\n.Sh NAME\n.Nm modnet-rules\n.Nd the compatibility rules\n.Sh DESCRIPTION\n"
      "What\n.Xr modnet-check 1\nand every command that joins modules compare, in the order in which they report.\n"
      "On an edge (A feeds B) the old side is A's output and the new side B's input.\n"
      "In an evolution (v1 becomes v2) inputs must take all that they took, outputs may\ngive only what they gave.\n.Pp\n"
      "A rule that denies makes the verdict incompatible, one that is undecidable makes\nit undecidable; a warning or a note changes nothing.\n"
      "The bump is what an evolution needs at least.\n"
      "An id is never renamed or reused.\nThis page is made by\n.Ql modnet rules \\-\\-man .\n.Sh RULES\n.Bl -tag -width Ds\n";
  for (const Rule& rule : rule_table()) {
    out += ".It Li " + std::string(rule.id) + "\n" + std::string(severity_name(rule.severity)) + ", " + bump_text(rule) + (rule.edge_only ? "; in compositions" : "") + ".\n";
    out += mdoc(rule.rationale) + ".\nExample: " + mdoc(rule.example) + ".\nFix: " + mdoc(rule.fix) + ".\nReads: " + mdoc(rule.fields) + ".\n";
  }
  return out + ".El\n.Sh SEE ALSO\n.Xr modnet-check 1 ,\n.Xr modnet-rules 1\n";
}

Result<int> run(Invocation& invocation) {
  Console& console = invocation.console;
  if (invocation.args.flag("man")) {
    if (console.json()) return usage("--man and --json are two forms of one result", "give one of them");
    console.print(manual());
    return kExitOk;
  }
  std::vector<const Rule*> rules;
  for (const std::string& id : invocation.args.words("RULE")) {
    const Rule* rule = find_rule(id);
    if (rule == nullptr) {
      std::string near;
      for (const Rule& one : rule_table())
        if (one.id.find(id.substr(0, id.find('_'))) != std::string_view::npos) near += (near.empty() ? "" : ", ") + std::string(one.id);
      return usage("there is no rule '" + id + "'", near.empty() ? "modnet rules lists them" : "rules with such a name: " + near);
    }
    rules.push_back(rule);
  }
  const bool all = rules.empty();
  for (const Rule& rule : rule_table())
    if (all) rules.push_back(&rule);
  Json document{{"rules", Json::array()}};
  std::string out;
  for (const Rule* rule : rules) {
    document["rules"].push_back(rule_json(*rule));
    if (all) out += padded(std::string(rule->id), 31) + padded(std::string(severity_name(rule->severity)), 13) + padded(rule->bump == Bump::kNone ? "–" : std::string(bump_name(rule->bump)), 7) + std::string(rule->example) + "\n";
    else out += (out.empty() ? "" : "\n") + explain(console, *rule);
  }
  console.print(out);
  console.emit_json(document);
  return kExitOk;
}

}  // namespace

CommandSpec rules_command() {
  return {
      .name = "rules",
      .group = "compare",
      .summary = "the compatibility rules: list or explain them",
      .description =
          "Lists every rule that checks apply: its id, what it does to a verdict (deny, undecidable, warn, note), the version bump that "
          "it asks for, and an example. With a RULE it explains that one: why it is there, a case that fires it, what to do, and "
          "which fields of a contract it reads.",
      .positionals = {{.name = "RULE", .help = "ids of rules to explain", .minimum = 0, .maximum = PositionalSpec::kMany}},
      .options = {{.name = "man", .help = "print the manual page modnet-rules(7)"}},
      .examples = "modnet rules\nmodnet rules SPACE_FINGERPRINT_MISMATCH\nmodnet rules --json | jq -r '.rules[].id'",
      .run = run,
  };
}

}  // namespace modnet
