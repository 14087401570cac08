#include "commands/label.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "commands/evidence.h"
#include "formats/base/limits.h"
#include "formats/base/text.h"
#include "formats/module/signatures.h"
#include "libmod/contract/names.h"

namespace modnet {
namespace {

constexpr size_t kLabelsShown = 4;

uint64_t last_dim(const Port& port) {
  return port.dims.empty() || !port.dims.back().symbol.empty() ? 0 : port.dims.back().size;
}

void add_ports(const ModuleView& view, ModuleSummary& out) {
  for (const Direction direction : {Direction::kOutput, Direction::kInput})
    for (const Port& port : view.index().contract.ports) {
      if (port.direction != direction) continue;
      if (port.space) {
        const bool known = std::any_of(out.spaces.begin(), out.spaces.end(), [&](const LabelSpace& other) {
          return other.record.id == port.space->id && other.record.fingerprint == port.space->fingerprint;
        });
        if (!known) out.spaces.push_back({*port.space, last_dim(port)});
      }
      if (port.preparation && out.preparation.method.empty()) out.preparation = *port.preparation;
      if (port.sequence && port.sequence->max_length > 0 && out.max_length == 0) {
        out.max_length = port.sequence->max_length;
        if (port.sequence->axis < port.dims.size()) out.length_symbol = port.dims[port.sequence->axis].symbol;
      }
    }
}

Status add_module(const ModuleView& view, std::set<Digest>& seen, ModuleSummary& out) {
  if (!seen.insert(view.digests().file).second) return ok();
  add_ports(view, out);
  for (const TensorRecord& tensor : view.index().tensors) {
    int64_t parameters = 1;
    for (const uint64_t dim : tensor.shape)
      if (!checked_mul(parameters, static_cast<int64_t>(dim), &parameters)) return malformed("tensor shapes overflow");
    const bool fits = checked_add(out.parameters, parameters, &out.parameters) &&
                      checked_add(out.raw_bytes, static_cast<int64_t>(tensor.raw_length), &out.raw_bytes) &&
                      checked_add(out.stored_bytes, static_cast<int64_t>(tensor.stored_length), &out.stored_bytes);
    if (!fits) return malformed("tensor sizes overflow");
    ++out.tensors;
    ++out.dtypes[std::string(dtype_name(tensor.dtype))];
  }
  for (const ComponentRecord& record : view.index().components) {
    MODNET_ASSIGN(const ModuleView part, view.component(record.slot));
    MODNET_TRY(add_module(part, seen, out));
  }
  return ok();
}

std::string chain_of(const ModuleIndex& index) {
  std::vector<std::string> fixed, heads;
  for (const std::string_view slot : {"encoder", "backbone"})
    for (const ComponentRecord& record : index.components)
      if (record.slot == slot) fixed.push_back(record.slot);
  for (const ComponentRecord& record : index.components)
    if (record.slot != "encoder" && record.slot != "backbone") heads.push_back(escape_text(record.slot));
  std::string out, last;
  for (const std::string& slot : fixed) out += (out.empty() ? "" : " → ") + slot;
  for (const std::string& head : heads) last += (last.empty() ? "" : ", ") + head;
  return last.empty() ? out : out + (out.empty() ? "" : " → ") + last;
}

std::string labels_text(const LabelsRecord& labels) {
  const size_t shown = labels.names.size() <= kLabelsShown ? labels.names.size() : 2;
  std::string out;
  for (size_t i = 0; i < shown; ++i) out += (i ? ", " : "") + escape_text(labels.names[i]);
  if (shown < labels.names.size()) out += ", …";
  return out + (labels.closed ? " (closed)" : " (open)");
}

std::string signers_text(const ModuleView& view) {
  const Result<std::vector<SignatureRecord>> signatures = signatures_of(view);
  if (!signatures.ok()) return "signatures that cannot be read (modnet verify)";
  if (signatures->empty()) return "unsigned";
  std::string out;
  for (size_t i = 0; i < signatures->size() && i < kLabelsShown; ++i)
    out += (i ? ", " : "signed by ") + key_id((*signatures)[i].key);
  if (signatures->size() > kLabelsShown) out += " and " + std::to_string(signatures->size() - kLabelsShown) + " more";
  return out + ", not checked (modnet verify)";
}

std::string evidence_text(const ModuleView& view) {
  const Result<std::vector<EvidenceRecord>> records = collect_evidence(view);
  if (!records.ok()) return "evidence that cannot be read\n";
  std::string out;
  for (size_t i = 0; i < records->size() && i < kLabelsShown; ++i) out += "evidence " + record_text((*records)[i]) + "\n";
  if (records->size() > kLabelsShown) out += "evidence " + std::to_string(records->size() - kLabelsShown) + " more records (--json)\n";
  return out;
}

std::string preparation_text(const ModuleSummary& summary) {
  std::string out = escape_text(summary.preparation.method) + "/" + hex(summary.preparation.digest).substr(0, 4) + "…";
  if (summary.max_length > 0)
    out += "  " + (summary.length_symbol.empty() ? std::string("T") : escape_text(summary.length_symbol)) + " ≤ " +
           std::to_string(summary.max_length);
  return out;
}

/// Cells that every port's name fits into.
int64_t name_cells(const std::vector<Port>& ports) {
  int64_t widest = 10;
  for (const Port& port : ports) widest = std::max(widest, static_cast<int64_t>(escape_text(port.name).size()));
  return widest + 1;
}

std::string port_line(const Port& port, const ModuleSummary& summary, int64_t cells, bool prepared_here) {
  std::string type;
  const std::string_view semantic = name_of(port.semantic);
  if (semantic != port.name) type = std::string(semantic) + " ";
  type += escape_text(type_text(port));
  std::string notes;
  if (port.labels) notes = labels_text(*port.labels);
  if (prepared_here && !summary.preparation.method.empty()) notes = preparation_text(summary);
  if (port.optional) notes += notes.empty() ? "optional" : "  optional";
  std::string out = padded(port.direction == Direction::kInput ? "in" : "out", 5) + padded(escape_text(port.name), cells);
  return out + (notes.empty() ? type : padded(type, 24) + notes) + "\n";
}

}  // namespace

Result<ModuleSummary> summarize(const ModuleView& view) {
  ModuleSummary out;
  std::set<Digest> seen;
  MODNET_TRY(add_module(view, seen, out));
  out.chain = chain_of(view.index());
  return out;
}

std::string bytes_text(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text;
}

std::string count_text(int64_t count) {
  constexpr const char* kUnits[] = {"", "k", "M", "G", "T"};
  double value = static_cast<double>(count);
  size_t unit = 0;
  while (value >= 999.95 && unit + 1 < std::size(kUnits)) {
    value /= 1000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f%s" : "%.1f%s", value, kUnits[unit]);
  return text;
}

std::string padded(std::string text, int64_t cells) {
  const int64_t used =
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
  return text + std::string(static_cast<size_t>(std::max<int64_t>(1, cells - used)), ' ');
}

std::string label_text(const ModuleView& view, const ModuleSummary& summary, const std::string& name) {
  const ModuleIndex& index = view.index();
  std::string out = escape_text(name) + "  " + std::string(name_of(index.identity.kind)) + "  format " +
                    std::to_string(view.preamble().major) + "." + std::to_string(view.preamble().minor) + "  version " +
                    escape_text(index.identity.version) + "   " +
                    (summary.chain.empty() ? escape_text(index.identity.name) : summary.chain) + "\n";
  out += "content sha256:" + hex(view.digests().content).substr(0, 12) + "…   " +
         signers_text(view) + "\n";
  // What the first input goes through is shown on that input's line; so the line tells what raw data becomes.
  bool first = true;
  for (const Direction direction : {Direction::kInput, Direction::kOutput})
    for (const Port& port : index.contract.ports) {
      if (port.direction != direction) continue;
      out += port_line(port, summary, name_cells(index.contract.ports), first && direction == Direction::kInput);
      first = false;
    }
  for (const LabelSpace& space : summary.spaces)
    out += "space " + escape_text(space_text(space.record)) + "  " +
           (space.dims ? std::to_string(space.dims) + "-d  " : std::string()) +
           std::string(name_of(space.record.metric)) + "   fingerprint " + hex(space.record.fingerprint).substr(0, 12) + "…\n";
  if (!index.assets.empty()) {
    out += "assets " + std::to_string(index.assets.size());
    for (const AssetRecord& asset : index.assets)
      out += "  " + escape_text(asset.name) + " " + bytes_text(static_cast<int64_t>(asset.raw_length));
    out += "\n";
  }
  out += evidence_text(view);
  if (!index.identity.licence.empty()) out += "licence " + escape_text(index.identity.licence) + "\n";
  out += "tensors " + std::to_string(summary.tensors) + "  " + count_text(summary.parameters) + " params  " +
         bytes_text(summary.raw_bytes) + " raw";
  if (summary.stored_bytes != summary.raw_bytes) out += "  " + bytes_text(summary.stored_bytes) + " stored";
  for (const auto& [dtype, count] : summary.dtypes) out += "  " + dtype + " " + std::to_string(count);
  out += "   align " + std::to_string(kAlignment) + "\n";
  for (const std::string& feature : view.unknown_features())
    out += "feature " + escape_text(feature) + "  optional, not known to this build, preserved\n";
  return out + "checks structure ok, bounds ok, payload not read (modnet verify)\n";
}

}  // namespace modnet
