#include "libmod/contract/edge.h"

#include <algorithm>

#include "libmod/contract/licences.h"
#include "libmod/contract/names.h"
#include "libmod/contract/port_report.h"
#include "libmod/contract/versions.h"

namespace modnet {
namespace {

/// One input of B and the outputs of A that could feed it, best first.
struct Want {
  size_t input = 0;
  std::vector<size_t> candidates;
};

std::vector<size_t> candidates_for(const Contract& from, const Port& input) {
  std::vector<size_t> out, outputs;
  for (size_t i = 0; i < from.ports.size(); ++i) {
    if (from.ports[i].direction != Direction::kOutput) continue;
    outputs.push_back(i);
    if (from.ports[i].semantic == input.semantic) out.push_back(i);
  }
  const auto rank = [&](size_t i) {
    const Port& port = from.ports[i];
    if (port.name == input.name) return 0;
    return port.space && input.space && port.space->fingerprint == input.space->fingerprint ? 1 : 2;
  };
  std::stable_sort(out.begin(), out.end(), [&](size_t a, size_t b) { return rank(a) < rank(b); });
  // With one output only, a mismatch of meaning is reported against it.
  if (out.empty() && outputs.size() == 1 && !input.optional) return outputs;
  return out;
}

/// Looks for a choice of outputs under which every input fits, trying the best candidates first. Bounded: contracts with so
/// many alike ports that 4,096 tries do not suffice are reported against the best candidates.
class Matcher {
 public:
  Matcher(const Contract& from, const Contract& to, const SpaceEvidence& evidence) : from_(from), to_(to), evidence_(evidence) {}

  bool search(const std::vector<Want>& wants, size_t at, const Symbols& symbols, std::vector<size_t>& chosen) {
    if (at == wants.size()) return true;
    for (const size_t candidate : wants[at].candidates) {
      if (--tries_ < 0) return false;
      Symbols bound = symbols;
      Findings findings;
      run_port_rules({Meeting::kEdge, &from_.ports[candidate], &to_.ports[wants[at].input], &bound, &evidence_}, findings);
      if (findings.denies()) continue;
      chosen[at] = candidate;
      if (search(wants, at + 1, bound, chosen)) return true;
    }
    return false;
  }

 private:
  const Contract& from_;
  const Contract& to_;
  const SpaceEvidence& evidence_;
  int tries_ = 4096;
};

/// Says why an output that has an input's name was not taken for it.
void warn_of(Findings& found, const std::string& instead, Findings& out) {
  for (const Finding& finding : found.take())
    if (finding.severity == Severity::kDeny || finding.severity == Severity::kUndecidable)
      out.add(*finding.rule, finding.path, finding.old_text, finding.new_text, finding.what + instead).severity = Severity::kWarn;
}

void check_range(const Subject& demands, const Subject& other, Findings& out) {
  if (other.identity == nullptr) return;
  for (const VersionRange& range : demands.contract->requirements.composes) {
    if (range.name != other.identity->name && range.name != name_of(other.identity->kind)) continue;
    const auto version = parse_version(other.identity->version);
    const auto inside = version.ok() ? in_range(*version, range.range) : Result<bool>(version.error());
    const std::string path = "requirements.composes." + range.name;
    if (!inside.ok()) {
      out.add("RANGE_UNSATISFIED", path, other.identity->version, range.range, inside.error().what).severity = Severity::kUndecidable;
    } else if (!*inside) {
      out.add("RANGE_UNSATISFIED", path, other.identity->version, range.range,
              "works with " + range.name + " " + range.range + ", got version " + other.identity->version);
    }
  }
}

void check_licence(const Subject& demands, const Subject& other, Findings& out) {
  const std::string& wanted = demands.contract->requirements.licence;
  if (wanted.empty() || other.identity == nullptr) return;
  const std::string& stated = other.identity->licence;
  if (licence_allows(wanted, stated)) return;
  Finding& finding = out.add("LICENCE_CONFLICT", "requirements.licence", stated.empty() ? "not stated" : stated, wanted,
                             "expected licence " + wanted + ", got " + (stated.empty() ? "none stated" : stated));
  if (stated.empty()) finding.severity = Severity::kUndecidable;
}

bool holds(const Subject& subject, const Digest& content) {
  return subject.content == content || std::find(subject.parts.begin(), subject.parts.end(), content) != subject.parts.end();
}

void check_adapters(const Subject& from, const Subject& to, Findings& out) {
  const bool known = !is_zero(from.content);
  for (const auto& [adapter, base] : {std::pair{&to, &from}, std::pair{&from, &to}}) {
    const Digest& wanted = adapter->contract->requirements.base_content;
    if (adapter->identity == nullptr || adapter->identity->kind != Kind::kAdapter || is_zero(wanted) || is_zero(base->content)) continue;
    // An adapter stands behind its base: what comes after it need not be that.
    if (adapter == &from || holds(*base, wanted)) continue;
    out.add("ADAPTER_BASE_MISMATCH", "requirements.base_content", short_digest(base->content), short_digest(wanted),
            "made for the module of content " + short_digest(wanted) + ", got " + short_digest(base->content));
  }
  if (to.identity == nullptr || !known) return;
  for (const Lineage& parent : to.identity->lineage)
    if (parent.relation == "adapter" && !is_zero(parent.content) && !holds(from, parent.content))
      out.add("ADAPTER_NOT_APPLIED", "identity.lineage", short_digest(from.content), short_digest(parent.content),
              "was trained behind the adapter '" + parent.name + "', which is not there");
}

}  // namespace

void check_alone(const Subject& subject, const CheckContext& context, Findings& out) {
  if (context.operations)
    for (const OpRequirement& op : subject.contract->requirements.ops) {
      const auto row = std::find_if(context.operations->begin(), context.operations->end(),
                                    [&](const OpRequirement& one) { return one.domain == op.domain && one.name == op.name; });
      const std::string name = (op.domain.empty() ? "" : op.domain + ".") + op.name;
      if (row == context.operations->end())
        out.add("OP_UNSUPPORTED", "requirements.ops." + name, "not there", "version " + std::to_string(op.version), "needs the operation " + name + ", which this build lacks");
      else if (op.version < 1 || op.version > row->version)
        out.add("OP_VERSION_RANGE", "requirements.ops." + name, "1 to " + std::to_string(row->version), "version " + std::to_string(op.version),
                "needs version " + std::to_string(op.version) + " of the operation " + name + ", this build has 1 to " + std::to_string(row->version));
    }
  if (subject.identity != nullptr)
    for (const Lineage& parent : subject.identity->lineage)
      if (is_zero(parent.content))
        out.add("PARENT_DIGEST_MISSING", "identity.lineage." + parent.name, "none", "a digest", "names the parent '" + parent.name + "' without its digest");
}

CheckReport check_edge(const Subject& from_subject, const Subject& to_subject, const CheckContext& context) {
  const Contract &from = *from_subject.contract, &to = *to_subject.contract;
  const SpaceEvidence evidence{context.measured, from_subject.evidence, context.space_tolerance};
  CheckReport report;
  report.kind = CheckKind::kEdge;
  Findings findings;
  std::vector<Want> required, optional;
  for (size_t i = 0; i < to.ports.size(); ++i) {
    const Port& input = to.ports[i];
    if (input.direction != Direction::kInput) continue;
    Want want{i, candidates_for(from, input)};
    if (!want.candidates.empty()) {
      (input.optional ? optional : required).push_back(std::move(want));
    } else if (!input.optional) {
      findings.add("REQUIRED_PORT_ADDED", input.name, "none", type_text(input),
                   "nothing feeds the input '" + input.name + "' (" + std::string(name_of(input.semantic)) + " " + type_text(input) + ")");
      ++report.comparisons;
    }
  }
  Matcher matcher(from, to, evidence);
  std::vector<size_t> chosen(required.size());
  const bool fits = matcher.search(required, 0, Symbols{}, chosen);
  Symbols symbols;
  for (size_t i = 0; i < required.size(); ++i) {
    const size_t output = fits ? chosen[i] : required[i].candidates.front();
    ++report.comparisons;
    report.bindings.push_back({output, required[i].input});
    if (const size_t named = required[i].candidates.front(); named != output && from.ports[named].name == to.ports[required[i].input].name) {
      Symbols bound = symbols;
      Findings found;
      run_port_rules({Meeting::kEdge, &from.ports[named], &to.ports[required[i].input], &bound, &evidence}, found);
      warn_of(found, "; '" + from.ports[output].name + "' feeds it instead", findings);
    }
    run_port_rules({Meeting::kEdge, &from.ports[output], &to.ports[required[i].input], &symbols, &evidence}, findings);
  }
  for (const Want& want : optional)
    for (const size_t candidate : want.candidates) {
      Symbols bound = symbols;
      Findings found;
      run_port_rules({Meeting::kEdge, &from.ports[candidate], &to.ports[want.input], &bound, &evidence}, found);
      if (found.denies()) {
        if (from.ports[candidate].name == to.ports[want.input].name) warn_of(found, "; the optional input stays unfed", findings);
        continue;
      }
      ++report.comparisons;
      report.bindings.push_back({candidate, want.input});
      for (const Finding& finding : found.take()) findings.add(*finding.rule, finding.path, finding.old_text, finding.new_text, finding.what) = finding;
      symbols = bound;
      break;
    }
  check_range(to_subject, from_subject, findings);
  check_range(from_subject, to_subject, findings);
  check_licence(to_subject, from_subject, findings);
  check_licence(from_subject, to_subject, findings);
  check_adapters(from_subject, to_subject, findings);
  check_alone(from_subject, context, findings);
  check_alone(to_subject, context, findings);
  std::sort(report.bindings.begin(), report.bindings.end(), [](const Binding& a, const Binding& b) { return a.to < b.to; });
  report.findings = findings.take();
  settle(report);
  report.required = Bump::kNone;  // a seam has no version of its own
  return report;
}

const Port* find_port(const Contract& contract, Direction direction, std::string_view name) {
  for (const Port& port : contract.ports)
    if (port.direction == direction && (name.empty() || port.name == name)) return &port;
  return nullptr;
}

}  // namespace modnet
