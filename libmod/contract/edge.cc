#include "libmod/contract/edge.h"

#include <algorithm>

#include "libmod/contract/names.h"

namespace modnet {
namespace {

/// The output of `from` that feeds `input`: the one of that name, else the only one of that meaning, else (where there is
/// only one output at all) that one, so that a mismatch is reported against something.
const Port* match(const Contract& from, const Port& input) {
  const Port *by_meaning = nullptr, *only = nullptr;
  int meanings = 0, outputs = 0;
  for (const Port& port : from.ports) {
    if (port.direction != Direction::kOutput) continue;
    if (port.name == input.name && port.semantic == input.semantic) return &port;
    only = &port;
    ++outputs;
    if (port.semantic == input.semantic) {
      by_meaning = &port;
      ++meanings;
    }
  }
  if (meanings == 1) return by_meaning;
  if (meanings > 1) {  // several of that meaning: the one of the same space, if any
    for (const Port& port : from.ports)
      if (port.direction == Direction::kOutput && port.semantic == input.semantic && port.space && input.space &&
          port.space->fingerprint == input.space->fingerprint)
        return &port;
    return by_meaning;
  }
  return outputs == 1 && !input.optional ? only : nullptr;
}

}  // namespace

EdgeReport check_edge(const Contract& from, const Contract& to) {
  EdgeReport report;
  Findings findings;
  Symbols symbols;
  bool compared = false;
  for (size_t i = 0; i < to.ports.size(); ++i) {
    const Port& input = to.ports[i];
    if (input.direction != Direction::kInput) continue;
    const Port* output = match(from, input);
    if (output == nullptr) {
      if (!input.optional) {
        findings.add(*find_rule("REQUIRED_PORT_ADDED"), input.name, "none", type_text(input),
                     "nothing feeds the input '" + input.name + "' (" + std::string(name_of(input.semantic)) + " " +
                         type_text(input) + ")");
        compared = true;
      }
      continue;
    }
    compared = true;
    report.bindings.push_back({static_cast<size_t>(output - from.ports.data()), i});
    const Seam seam{output, &input, &symbols};
    for (const Rule& rule : rule_table())
      if (rule.check_edge != nullptr) rule.check_edge(rule, seam, findings);
  }
  report.findings = findings.items();
  const auto has = [&](Severity severity) {
    return std::any_of(report.findings.begin(), report.findings.end(),
                       [&](const Finding& finding) { return finding.rule->severity == severity; });
  };
  if (has(Severity::kDeny)) report.verdict = Verdict::kIncompatible;
  else if (!compared || has(Severity::kUndecidable)) report.verdict = Verdict::kUndecidable;
  else report.verdict = Verdict::kCompatible;
  return report;
}

Status edge_status(const EdgeReport& report, std::string_view from_name, std::string_view to_name) {
  if (report.verdict == Verdict::kCompatible) return ok();
  Error error{Code::kNo, "NOT_COMPARABLE", {}, {}, std::string(to_name), {}};
  if (report.findings.empty()) {
    error.what = "nothing of " + std::string(from_name) + " meets an input of " + std::string(to_name);
    return error;
  }
  const Finding& first = report.findings.front();
  error.id = first.rule->id;
  error.where = first.path;
  error.fix = first.rule->fix;
  error.what = "does not fit " + std::string(from_name) + ": " + first.what;
  for (size_t i = 1; i < report.findings.size(); ++i)
    error.what += "; also " + std::string(report.findings[i].rule->id) + " at " + report.findings[i].path + ": " + report.findings[i].what;
  return error;
}

const Port* find_port(const Contract& contract, Direction direction, std::string_view name) {
  for (const Port& port : contract.ports)
    if (port.direction == direction && (name.empty() || port.name == name)) return &port;
  return nullptr;
}

}  // namespace modnet
