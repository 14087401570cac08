#include "commands/check_probes.h"

#include <algorithm>
#include <cstring>

#include "formats/module/digests.h"
#include "libmod/contract/names.h"
#include "libmod/contract/port_rules.h"

namespace modnet {
namespace {

/// A port with a space, and the module that has it.
struct Place {
  const CheckedModule* module = nullptr;
  const Port* port = nullptr;
  std::string path;  // "SLOT/PORT" inside a composite
};

/// Ports of a direction that declare a space, of a module and of those inside. A composite that hands a component's space
/// through is passed over for the component: that can be run on prepared inputs.
void collect(const CheckedModule& module, Direction direction, const std::string& prefix, std::vector<Place>& out) {
  for (const auto& component : module.components()) collect(component->module, direction, prefix + component->slot + "/", out);
  for (const Port& port : module.view().index().contract.ports) {
    if (port.direction != direction || !port.space || is_zero(port.space->fingerprint)) continue;
    const bool inside = std::any_of(out.begin(), out.end(), [&](const Place& place) {
      return place.path.starts_with(prefix) && place.port->space->fingerprint == port.space->fingerprint;
    });
    if (!inside) out.push_back({&module, &port, prefix + port.name});
  }
}
std::vector<Place> places(const CheckedModule& module, Direction direction) {
  std::vector<Place> out;
  collect(module, direction, "", out);
  return out;
}

bool comparable(const Port& given, const Port& wanted) {
  return given.semantic == wanted.semantic && !given.dims.empty() && !wanted.dims.empty() && given.dims.back() == wanted.dims.back();
}

/// What the probes store for a space: the array of the port's name; of another name where there is only one.
std::string stored_name(const Probes& probes, const std::string& wanted, const std::string& given) {
  std::vector<std::string> names;
  for (const ProbeArray& array : probes.outputs) names.push_back(array.port.substr(0, array.port.find(':')));
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string& name : {wanted, given})
    if (std::find(names.begin(), names.end(), name) != names.end()) return name;
  return names.size() == 1 ? names.front() : wanted;
}

std::string witness_words(const SpaceWitness& witness) {
  const auto shown = [](const std::string& text, int64_t item) {
    return text.empty() ? "probe " + std::to_string(item) : "'" + (text.size() > 60 ? text.substr(0, text.find(' ', 40)) + " …" : text) + "'";
  };
  return "the text nearest to " + shown(witness.probe_text, witness.probe) + " was " + shown(witness.before_text, witness.before) + ", now it is " +
         shown(witness.after_text, witness.after);
}

bool fatal(const Error& error) { return error.code == Code::kDigest || error.code == Code::kUnavailable || error.code == Code::kInternal; }

class Measuring {
 public:
  Measuring(Probing probing, const EngineSource& engine, double tolerance) : probing_(probing), engine_(engine), tolerance_(tolerance) {}

  Status run(const std::vector<Place>& given, const std::vector<Place>& wanted) {
    for (const Place& want : wanted)
      for (const Place& give : given) MODNET_TRY(one(give, want));
    return ok();
  }

  /// The module's own probes on itself: outputs must repeat, and not depend on company.
  Status own(const std::vector<Place>& given) {
    for (const Place& give : given) {
      const Result<Probes> probes = give.module->view().probes();
      if (!probes.ok()) {
        if (fatal(probes.error())) return probes.error();
        out_.lines.push_back(give.path + ": no probes of its own to run: " + probes.error().what);
        continue;
      }
      MODNET_ASSIGN(const Engine* engine, engine_());
      auto measured = measure_space(give.module->view(), *probes, give.port->name, give.port->name, engine->options);
      if (!measured.ok()) {
        if (fatal(measured.error())) return std::move(measured).error();
        out_.lines.push_back(give.path + ": could not be run on its own probes: " + measured.error().what);
        continue;
      }
      ProbeRun run{"outputs." + give.path, give.port->space->fingerprint == give.port->space->root, measured->figures, true, true};
      MODNET_ASSIGN(FlatGraph graph, flatten(give.module->view()));
      MODNET_ASSIGN(Runner runner, Runner::make(std::move(graph), {give.port->name}, engine->options));
      MODNET_ASSIGN(const Invariance invariance, check_invariance(runner, *probes));
      run.batch_invariant = invariance.batch;
      run.pad_invariant = invariance.order;
      out_.lines.push_back(give.path + " on its own probes: " + measure_text(measured->figures) + "; the same bits in batches " +
                           (invariance.batch ? "yes" : "no") + ", in any order and company " + (invariance.order ? "yes" : "no"));
      out_.runs.push_back(std::move(run));
    }
    return ok();
  }

  MeasuredPair take() { return std::move(out_); }

 private:
  Status one(const Place& give, const Place& want) {
    const SpaceRecord &from = *give.port->space, &to = *want.port->space;
    const bool same = from.fingerprint == to.fingerprint;
    if (!comparable(*give.port, *want.port) || is_zero(to.root) || (same && probing_ == Probing::kWhereNeeded)) return ok();
    const bool done = std::any_of(out_.records.begin(), out_.records.end(), [&](const EvidenceRecord& record) {
      return record.fingerprint == from.fingerprint && record.root == to.root;
    });
    if (done) return ok();
    const std::string names = give.path + " (" + space_text(from) + ") on the probes of " + want.path + " (" + space_text(to) + ")";
    const Result<Probes> probes = want.module->view().probes();
    if (!probes.ok()) {
      if (fatal(probes.error())) return probes.error();
      out_.lines.push_back(names + ": not measured: " + probes.error().what);
      return ok();
    }
    MODNET_ASSIGN(const Engine* engine, engine_());
    auto measured = measure_space(give.module->view(), *probes, stored_name(*probes, want.port->name, give.port->name), give.port->name, engine->options);
    if (!measured.ok()) {
      if (fatal(measured.error())) return std::move(measured).error();
      out_.lines.push_back(names + ": not measured: " + measured.error().what);
      return ok();
    }
    // Where fingerprints differ the finding says the figures.
    if (probing_ == Probing::kAlways) out_.lines.push_back(names + ": " + measure_text(measured->figures));
    out_.records.push_back({give.path, from.fingerprint, to.root, probes_digest(*probes), engine->policy, "check", tolerance_, measured->figures});
    if (measured->witness) out_.witnesses.push_back({from.fingerprint, witness_words(*measured->witness)});
    return ok();
  }

  Probing probing_;
  const EngineSource& engine_;
  double tolerance_;
  MeasuredPair out_;
};

const Port* tokens_port(const CheckedModule& module) {
  for (const Port& port : module.view().index().contract.ports)
    if (port.direction == Direction::kOutput && port.semantic == Semantic::kTokens && port.preparation) return &port;
  return nullptr;
}

/// The first built-in text that two versions of an encoder turn into other ids, with both; empty where there is none.
Result<std::string> differing_text(const CheckedModule& before, const CheckedModule& now, const EngineSource& engine_source) {
  const Port *a = tokens_port(before), *b = tokens_port(now);
  if (a == nullptr || b == nullptr || a->preparation->digest == b->preparation->digest) return std::string();
  MODNET_ASSIGN(const Engine* engine, engine_source());
  const auto ids = [&](const CheckedModule& module, const Port& port) -> Result<ProbeArray> {
    MODNET_ASSIGN(FlatGraph graph, flatten(module.view()));
    MODNET_ASSIGN(Runner runner, Runner::make(std::move(graph), {port.name}, engine->options));
    if (!runner.takes_text()) return invalid("is no encoder of texts");
    MODNET_ASSIGN(Probes probes, text_probes(runner, port.name));
    return std::move(probes.inputs.at(0));
  };
  const Result<ProbeArray> x = ids(before, *a), y = ids(now, *b);
  for (const Result<ProbeArray>* one : {&x, &y})
    if (!one->ok()) return fatal(one->error()) ? Result<std::string>(one->error()) : Result<std::string>(std::string());
  const auto item = [](const ProbeArray& array, size_t i) {
    return std::string_view(array.data).substr(array.offsets[i] * sizeof(int32_t), (array.offsets[i + 1] - array.offsets[i]) * sizeof(int32_t));
  };
  const auto words = [](std::string_view bytes) {
    std::string out;
    constexpr size_t kShown = 6;
    for (size_t at = 0; at < bytes.size() && at < kShown * sizeof(int32_t); at += sizeof(int32_t)) {
      int32_t id = 0;
      std::memcpy(&id, bytes.data() + at, sizeof id);
      out += (at > 0 ? " " : "") + std::to_string(id);
    }
    return out + (bytes.size() > kShown * sizeof(int32_t) ? " …" : "");
  };
  const std::span<const std::string_view> texts = builtin_probe_texts();
  for (size_t i = 0; i + 1 < std::min(x->offsets.size(), y->offsets.size()) && i < texts.size(); ++i)
    if (item(*x, i) != item(*y, i) && !texts[i].empty())
      return "the text '" + std::string(texts[i].size() > 60 ? texts[i].substr(0, texts[i].find(' ', 40)) : texts[i]) + "' was " + words(item(*x, i)) + ", is now " + words(item(*y, i));
  return std::string();
}

}  // namespace

Result<MeasuredPair> measure_pair(const CheckedModule& from, const CheckedModule& to, CheckKind kind, Probing probing, const EngineSource& engine,
                                  double tolerance) {
  Measuring measuring(probing, engine, tolerance);
  const bool edge = kind == CheckKind::kEdge;
  const CheckedModule& giver = edge ? from : to;
  const std::vector<Place> given = places(giver, Direction::kOutput);
  MODNET_TRY(measuring.run(given, edge ? places(to, Direction::kInput) : places(from, Direction::kOutput)));
  for (const CheckedModule* module : {&from, &to})  // the seams inside
    if (!module->components().empty() && (edge || module == &to))
      MODNET_TRY(measuring.run(places(*module, Direction::kOutput), places(*module, Direction::kInput)));
  if (probing == Probing::kAlways) MODNET_TRY(measuring.own(given));
  MeasuredPair measured = measuring.take();
  if (!edge) {
    MODNET_ASSIGN(measured.prepared, differing_text(from, to, engine));
  }
  return measured;
}

void add_measured(const MeasuredPair& measured, CheckedPair& pair) {
  pair.evidence.insert(pair.evidence.end(), measured.lines.begin(), measured.lines.end());
  const Rule *mismatch = find_rule("SPACE_FINGERPRINT_MISMATCH"), *prepared = find_rule("TOKENIZER_DIGEST_CHANGED");
  for (Finding& finding : pair.report.findings) {
    if (finding.rule == prepared && finding.witness.empty()) finding.witness = measured.prepared;
    if (finding.rule != mismatch || !finding.witness.empty()) continue;
    for (const MeasuredPair::Witness& witness : measured.witnesses)
      if ((finding.old_text + finding.new_text).find(short_digest(witness.fingerprint)) != std::string::npos) finding.witness = witness.text;
  }
  if (measured.runs.empty()) return;
  Findings found;
  for (const ProbeRun& run : measured.runs) check_probe_run(run, found);
  for (Finding& finding : found.take()) pair.report.findings.push_back(std::move(finding));
  std::stable_sort(pair.report.findings.begin(), pair.report.findings.end(), [](const Finding& a, const Finding& b) { return a.rule < b.rule; });
  settle(pair.report);
  if (pair.report.kind == CheckKind::kEdge) pair.report.required = Bump::kNone;
}

}  // namespace modnet
