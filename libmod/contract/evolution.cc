#include "libmod/contract/evolution.h"

#include <algorithm>
#include <map>
#include <set>

#include "libmod/contract/edge.h"
#include "libmod/contract/licences.h"
#include "libmod/contract/names.h"
#include "libmod/contract/port_report.h"

namespace modnet {
namespace {

struct Match {
  const Port* before = nullptr;
  const Port* now = nullptr;
};

/// Ports of one direction: by name, then what is left by number; then ports without a partner.
std::vector<Match> match_ports(const Contract& before, const Contract& now, Direction direction) {
  std::vector<Match> out;
  std::set<const Port*> met;
  const auto partner = [&](const Port& port, auto same) -> const Port* {
    for (const Port& other : now.ports)
      if (other.direction == direction && !met.contains(&other) && same(port, other)) return &other;
    return nullptr;
  };
  std::vector<const Port*> left;
  for (const Port& port : before.ports) {
    if (port.direction != direction) continue;
    const Port* found = partner(port, [](const Port& a, const Port& b) { return a.name == b.name; });
    if (found == nullptr) {
      left.push_back(&port);
      continue;
    }
    met.insert(found);
    out.push_back({&port, found});
  }
  for (const Port* port : left) {
    const Port* found = partner(*port, [](const Port& a, const Port& b) { return a.number == b.number; });
    if (found != nullptr) met.insert(found);
    out.push_back({port, found});
  }
  for (const Port& port : now.ports)
    if (port.direction == direction && !met.contains(&port)) out.push_back({nullptr, &port});
  return out;
}

/// Findings on ports that have no partner.
void lone_ports(const std::vector<Match>& matches, Direction direction, Findings& out) {
  const bool input = direction == Direction::kInput;
  for (const Match& match : matches) {
    if (match.before != nullptr && match.now != nullptr) continue;
    const Port& port = match.before != nullptr ? *match.before : *match.now;
    const std::string path = (input ? "inputs." : "outputs.") + port.name, type = std::string(name_of(port.semantic)) + " " + type_text(port);
    if (match.now == nullptr)
      out.add("PORT_REMOVED", path, type, "none", std::string("the ") + (input ? "input" : "output") + " '" + port.name + "' (" + type + ") is gone");
    else if (!input)
      out.add("OUTPUT_PORT_ADDED", path, "none", type, "the output '" + port.name + "' (" + type + ") is new");
    else if (port.optional)
      out.add("OPTIONAL_PORT_ADDED", path, "none", type, "the optional input '" + port.name + "' (" + type + ") is new");
    else
      out.add("REQUIRED_PORT_ADDED", path, "none", type, "the input '" + port.name + "' (" + type + ") is new and must be fed").witness =
          "any call that v1 took: it does not feed '" + port.name + "'";
  }
}

/// Which old inputs say what a symbol is: those of the old contract by its symbols, and the same ports by the new one's.
struct Ties {
  std::map<std::string, std::set<const Port*>, std::less<>> before, now;

  /// Does the new symbol say the same as the old one for all who called v1? They fed every required input, and perhaps some
  /// optional ones: whenever one of the old symbol's inputs is fed, one of the new symbol's must be.
  [[nodiscard]] bool hold(std::string_view old_symbol, std::string_view new_symbol) const {
    const auto a = before.find(old_symbol), b = now.find(new_symbol);
    if (a == before.end() || b == now.end()) return false;
    const auto required = [](const Port* port) { return !port->optional; };
    if (std::any_of(b->second.begin(), b->second.end(), required)) return true;
    if (std::any_of(a->second.begin(), a->second.end(), required)) return false;
    return std::includes(b->second.begin(), b->second.end(), a->second.begin(), a->second.end());
  }
};

/// Renames the symbols of a new output to what they stand for among the old inputs, so that "as long as the input" is the same
/// promise whatever the symbol is called. A new symbol that only happens to have an old one's name becomes another, unless an
/// input that met one has it and did not fit: that was said.
Port renamed_symbols(const Port& port, const Symbols& inputs, const Ties& ties) {
  Port out = port;
  for (Dim& dim : out.dims) {
    if (dim.symbol.empty()) continue;
    const Dim* old = inputs.bound(dim.symbol);
    if (old != nullptr && !old->symbol.empty() && ties.hold(old->symbol, dim.symbol)) dim.symbol = old->symbol;
    else if ((old != nullptr || !ties.now.contains(dim.symbol)) && ties.before.contains(dim.symbol)) dim.symbol += "'";
  }
  return out;
}

/// Both directions of ports. What only widens an input is found by asking whether the old input would do for the new one.
void check_ports(const Contract& before, const Contract& now, const SpaceEvidence& evidence, CheckReport& report, Findings& out) {
  Symbols inputs, reverse;
  Ties ties;
  const std::vector<Match> input_matches = match_ports(before, now, Direction::kInput);
  for (const Match& match : input_matches) {
    if (match.before == nullptr || match.now == nullptr) continue;
    ++report.comparisons;
    for (const Dim& dim : match.now->dims) ties.now[dim.symbol].insert(match.before);
    Findings found, turned;
    run_port_rules({Meeting::kInput, match.before, match.now, &inputs, &evidence}, found);
    run_port_rules({Meeting::kInput, match.now, match.before, &reverse, &evidence}, turned);
    const bool told = std::any_of(found.items().begin(), found.items().end(), [](const Finding& f) { return f.bump >= Bump::kMinor; });
    for (const Finding& finding : found.take()) out.add(*finding.rule, {}, {}, {}, {}) = finding;
    if (told || !turned.denies()) continue;
    for (const Finding& finding : turned.take())
      if (finding.severity == Severity::kDeny || finding.severity == Severity::kUndecidable) {
        out.add("INPUT_WIDENED", finding.path, finding.new_text, finding.old_text, "took " + finding.new_text + ", takes " + finding.old_text + " now");
        break;
      }
  }
  lone_ports(input_matches, Direction::kInput, out);

  Symbols outputs;
  for (const Port& port : before.ports)
    if (port.direction == Direction::kInput)
      for (const Dim& dim : port.dims)
        if (!dim.symbol.empty()) {
          ties.before[dim.symbol].insert(&port);
          outputs.bind(dim.symbol, dim);
        }
  const std::vector<Match> output_matches = match_ports(before, now, Direction::kOutput);
  for (const Match& match : output_matches) {
    if (match.before == nullptr || match.now == nullptr) continue;
    ++report.comparisons;
    const Port given = renamed_symbols(*match.now, inputs, ties);
    run_port_rules({Meeting::kOutput, &given, match.before, &outputs, &evidence}, out);
  }
  lone_ports(output_matches, Direction::kOutput, out);
}

void check_requirements(const Requirements& before, const Requirements& now, Findings& out) {
  const auto limit = [](uint64_t n) { return n == 0 ? std::string("none") : std::to_string(n); };
  if (before.batch_limit != now.batch_limit) {
    const bool fewer = now.batch_limit != 0 && (before.batch_limit == 0 || now.batch_limit < before.batch_limit);
    if (fewer)
      out.add("BATCH_LIMIT_REDUCED", "requirements.batch_limit", limit(before.batch_limit), limit(now.batch_limit),
              "was " + limit(before.batch_limit) + ", is now " + limit(now.batch_limit))
          .witness = "a batch of " + std::to_string(now.batch_limit + 1) + " items";
    else
      out.add("INPUT_WIDENED", "requirements.batch_limit", limit(before.batch_limit), limit(now.batch_limit),
              "was " + limit(before.batch_limit) + ", is now " + limit(now.batch_limit));
  }
  const auto reader = [](const Requirements& r) { return std::to_string(r.min_reader_major) + "." + std::to_string(r.min_reader_minor); };
  if (std::pair(now.min_reader_major, now.min_reader_minor) > std::pair(before.min_reader_major, before.min_reader_minor))
    out.add("MIN_READER_RAISED", "requirements.min_reader", reader(before), reader(now), "needs a reader of format " + reader(now) + ", needed " + reader(before))
        .witness = "a reader of format " + reader(before);
  if (now.determinism > before.determinism)
    out.add("DETERMINISM_DOWNGRADED", "requirements.determinism", std::string(name_of(before.determinism)), std::string(name_of(now.determinism)),
            "was " + std::string(name_of(before.determinism)) + ", is now " + std::string(name_of(now.determinism)));
  if (before.memory != 0 && now.memory > before.memory)
    out.add("MEMORY_BUDGET_RAISED", "requirements.memory", std::to_string(before.memory), std::to_string(now.memory),
            "an item needed " + std::to_string(before.memory) + " bytes, needs " + std::to_string(now.memory));
  if (!now.licence.empty() && !(licence_keeps(before.licence, now.licence) && !before.licence.empty()))
    out.add("LICENCE_CONFLICT", "requirements.licence", before.licence.empty() ? "nothing" : before.licence, now.licence,
            "demands licence " + now.licence + " of what it is composed with, demanded " + (before.licence.empty() ? "nothing" : before.licence));
  if (!is_zero(now.base_content) && now.base_content != before.base_content)
    out.add("ADAPTER_BASE_MISMATCH", "requirements.base_content", is_zero(before.base_content) ? "any" : short_digest(before.base_content),
            short_digest(now.base_content), "is made for another base module than before");
  for (const VersionRange& range : now.composes) {
    const auto old = std::find_if(before.composes.begin(), before.composes.end(), [&](const VersionRange& one) { return one.name == range.name; });
    const std::string was = old == before.composes.end() ? "any version" : old->range;
    if (was == range.range) continue;
    const Result<bool> inside = range_within(old == before.composes.end() ? "*" : old->range, range.range);
    if (inside.ok() && *inside) continue;
    Finding& finding = out.add("RANGE_UNSATISFIED", "requirements.composes." + range.name, was, range.range,
                               "worked with " + range.name + " " + was + ", works with " + range.range + " now");
    if (!inside.ok()) finding.severity = Severity::kUndecidable;
  }
}

void check_versions(const Subject& before, const Subject& now, CheckReport& report, Findings& out) {
  const auto a = parse_version(before.identity->version), b = parse_version(now.identity->version);
  report.old_version = before.identity->version;
  report.new_version = now.identity->version;
  if (!a.ok() || !b.ok()) return;
  report.versions_known = true;
  report.declared = declared_bump(*a, *b);
  const bool differ = before.content != now.content && !is_zero(before.content) && !is_zero(now.content);
  const auto order = compare(*b, *a);
  if (order < 0)
    out.add("VERSION_DECREASED", "identity.version", report.old_version, report.new_version, "version " + report.new_version + " does not come after " + report.old_version);
  else if (order == 0 && differ)
    out.add("SAME_VERSION_DIFFERENT_DIGEST", "identity.version", short_digest(before.content), short_digest(now.content),
            "version " + report.new_version + " names two contents, " + short_digest(before.content) + " and " + short_digest(now.content));
  const std::string &was = before.identity->licence, &is = now.identity->licence;
  if (!licence_keeps(was, is))
    out.add("LICENCE_CONFLICT", "identity.licence", was, is.empty() ? "not stated" : is, "was under " + was + ", is " + (is.empty() ? "under no stated licence" : "under " + is));
}

}  // namespace

Bump declared_bump(const Version& before, const Version& now) {
  if (compare(now, before) <= 0) return Bump::kNone;
  const bool early = now.major == 0;
  if (now.major != before.major) return Bump::kMajor;
  if (now.minor != before.minor) return early ? Bump::kMajor : Bump::kMinor;
  if (now.patch != before.patch) return early ? Bump::kMinor : Bump::kPatch;
  // A pre-release and what came of it.
  if (now.minor == 0 && now.patch == 0) return Bump::kMajor;
  if (now.patch == 0) return early ? Bump::kMajor : Bump::kMinor;
  return early ? Bump::kMinor : Bump::kPatch;
}

CheckReport check_evolution(const Subject& before, const Subject& now, const CheckContext& context) {
  const SpaceEvidence evidence{context.measured, now.evidence, context.space_tolerance};
  CheckReport report;
  report.kind = CheckKind::kEvolution;
  Findings findings;
  check_ports(*before.contract, *now.contract, evidence, report, findings);
  check_requirements(before.contract->requirements, now.contract->requirements, findings);
  if (before.identity != nullptr && now.identity != nullptr) check_versions(before, now, report, findings);
  check_alone(now, context, findings);
  report.changed = before.content != now.content || *before.contract != *now.contract;
  report.findings = findings.take();
  settle(report);
  return report;
}

}  // namespace modnet
