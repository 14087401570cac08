#include "commands/evidence.h"

#include <algorithm>
#include <cstdio>
#include <tuple>

#include <nlohmann/json.hpp>

#include "formats/base/text.h"
#include "formats/module/digests.h"
#include "formats/module/evidence.h"

namespace modnet {
namespace {

/// A text as a witness shows it: short, safe to print, in quotes; or the number of its item.
std::string shown(const std::string& text, int64_t item) {
  if (text.empty()) return "probe " + std::to_string(item);
  constexpr size_t kMost = 48;
  std::string cut = text;
  if (cut.size() > kMost) {
    size_t end = kMost;
    while (end > 0 && (static_cast<unsigned char>(cut[end]) & 0xC0) == 0x80) --end;
    cut = cut.substr(0, end) + "…";
  }
  return "“" + escape_text(cut) + "”";
}

std::string shares_text(const SpaceMeasure& m, const char* items) {
  return "largest " + printed("%.4f", m.largest) + ", mean " + printed("%.4f", m.mean) + " of the mean distance of " + std::to_string(m.probes) + " " + items;
}
std::string rest_text(const SpaceMeasure& m) {
  std::string out = ", CKA " + printed("%.6f", m.cka) + ", neighbours " + printed("%.3f", m.neighbours);
  if (m.nonfinite > 0) out += ", " + std::to_string(m.nonfinite) + " outputs not finite";
  return out;
}

}  // namespace

std::string printed(const char* form, double value) {
  char out[64];
  std::snprintf(out, sizeof out, form, value);
  return out;
}

std::string figures_text(const SpaceMeasure& m) {
  if (m.probe_distance == 0) return "the stored outputs of the " + std::to_string(m.probes) + " probes hardly differ: nothing to measure by";
  return shares_text(m, "probes") + "; cosine ≥ " + printed("%.6f", m.cosine_min) + rest_text(m);
}

std::string data_figures_text(const SpaceMeasure& m) {
  const std::string shares = m.probe_distance == 0 ? "the outputs of the " + std::to_string(m.probes) + " items hardly differ" : shares_text(m, "items");
  return shares + "; cosine " + printed("%.6f", m.cosine_mean) + ", ≥ " + printed("%.6f", m.cosine_min) + rest_text(m);
}

Json figures_json(const SpaceMeasure& m) {
  return {{"probes", m.probes},         {"probe_distance", m.probe_distance}, {"largest", m.largest}, {"mean", m.mean},
          {"cosine_min", m.cosine_min}, {"cosine_mean", m.cosine_mean},       {"cka", m.cka},         {"neighbours", m.neighbours},
          {"nonfinite", m.nonfinite}};
}

std::string record_text(const EvidenceRecord& record) {
  return escape_text(record.port) + ", " + escape_text(record.how) + ": " + (measured_on_data(record) ? data_figures_text(record.measure) : figures_text(record.measure));
}

Json record_json(const EvidenceRecord& record) {
  return {{"port", record.port},     {"how", record.how},       {"on_data", measured_on_data(record)}, {"fingerprint", "sha256:" + hex(record.fingerprint)}, {"root", "sha256:" + hex(record.root)},
          {"items", "sha256:" + hex(record.probes)}, {"policy", record.policy}, {"tolerance", record.tolerance}, {"measure", figures_json(record.measure)}};
}

std::string witness_text(const SpaceWitness& witness) {
  return "the nearest to " + shown(witness.probe_text, witness.probe) + " was " + shown(witness.before_text, witness.before) + ", now it is " +
         shown(witness.after_text, witness.after);
}

Result<std::vector<EvidenceRecord>> collect_evidence(const ModuleView& view) {
  MODNET_ASSIGN(std::vector<EvidenceRecord> out, view.evidence());
  for (const ComponentRecord& component : view.index().components) {
    MODNET_ASSIGN(const ModuleView part, view.component(component.slot));
    MODNET_ASSIGN(std::vector<EvidenceRecord> records, collect_evidence(part));
    for (EvidenceRecord& one : records) one.port = component.slot + "/" + one.port;
    merge_evidence(out, records);
  }
  return out;
}

void merge_evidence(std::vector<EvidenceRecord>& records, const std::vector<EvidenceRecord>& more) {
  const auto key = [](const EvidenceRecord& one) { return std::tie(one.port, one.fingerprint, one.root, one.how); };
  for (const EvidenceRecord& one : more)
    if (std::none_of(records.begin(), records.end(), [&](const EvidenceRecord& other) { return key(one) == key(other); })) records.push_back(one);
}

void explain_spaces(CheckReport& report, const SeamEvidence& seam) {
  for (Finding& finding : report.findings) {
    if (finding.rule->id == "SPACE_UNVERIFIED" && !seam.unmeasured.empty()) finding.what += ": " + seam.unmeasured;
    if (finding.rule->id != "SPACE_FINGERPRINT_MISMATCH" || !finding.witness.empty()) continue;
    for (const MeasuredSpace& one : seam.measured)
      if (one.witness && finding.witness.empty()) finding.witness = witness_text(*one.witness);
  }
}

namespace {

/// Numbers in one item of a port; 0 where that is not fixed.
uint64_t width_of(const Port& port) {
  uint64_t width = 1;
  for (size_t i = port.layout == Layout::kRagged ? 2 : 1; i < port.dims.size(); ++i)
    if (!port.dims[i].symbol.empty() || __builtin_mul_overflow(width, port.dims[i].size, &width)) return 0;
  return width;
}

/// Outputs that could stand for the space that `to` asks for; none where one of them is that space by its fingerprint.
std::vector<const Port*> candidates(const Contract& from, const Port& to) {
  std::vector<const Port*> out;
  for (const Port& port : from.ports) {
    if (port.direction != Direction::kOutput || !port.space) continue;
    if (port.space->fingerprint == to.space->fingerprint || port.space->fingerprint == to.space->root) return {};
    if (port.semantic == to.semantic && port.layout == to.layout && width_of(port) == width_of(to) && width_of(to) > 0) out.push_back(&port);
  }
  return out;
}

}  // namespace

Result<SeamEvidence> measure_seam(const ModuleView& from, const ModuleView& to, std::string_view slot, std::string_view how, double tolerance,
                                  const RunnerOptions& options) {
  SeamEvidence out;
  for (const Port& input : to.index().contract.ports) {
    if (input.direction != Direction::kInput || !input.space || is_zero(input.space->root)) continue;
    const std::vector<const Port*> ports = candidates(from.index().contract, input);
    if (ports.empty()) continue;
    if (to.find_trailer(TrailerKind::kProbes) == nullptr) {
      out.unmeasured = "it carries no probes of its space";
      continue;
    }
    MODNET_ASSIGN(const Probes probes, to.probes());
    const Digest digest = probes_digest(probes);
    if (!is_zero(input.space->probes) && digest != input.space->probes)
      return Error{Code::kDigest, "DIGEST", "the probes are not those that the port names", "port '" + input.name + "'", {}, {}};
    if (static_cast<int64_t>(probes.count) < kProbeItems) {
      out.unmeasured = "it carries " + std::to_string(probes.count) + " probes; expected at least " + std::to_string(kProbeItems);
      continue;
    }
    for (const Port* port : ports) {
      Result<MeasuredSpace> measured = measure_space(from, probes, input.name, port->name, options);
      if (!measured.ok()) {
        const Error& error = measured.error();
        if (error.code != Code::kInvalid && error.code != Code::kMalformed && error.code != Code::kUsage) return std::move(measured).error();
        out.unmeasured = "its probes cannot be run: " + error.what;
        continue;
      }
      out.records.push_back({std::string(slot) + "/" + port->name, port->space->fingerprint, input.space->root, digest, "portable", std::string(how), tolerance, measured->figures});
      out.measured.push_back(std::move(*measured));
    }
  }
  return out;
}

OptionSpec space_tolerance_option() {
  return {.name = "space-tolerance", .type = OptionType::kReal, .metavar = "SHARE", .help = "largest difference of an output that still is the same space, as a share of the mean distance between two probes",
          .default_text = "0.1", .minimum = 0, .maximum = kSpaceTolerance};
}

}  // namespace modnet
