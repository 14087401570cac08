#include "commands/replace.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "commands/chain.h"
#include "commands/evidence.h"
#include "commands/label.h"
#include "commands/module_file.h"
#include "formats/base/text.h"
#include "formats/module/digests.h"
#include "formats/module/evidence.h"
#include "formats/module/write.h"
#include "libmod/contract/edge.h"
#include "libmod/contract/evolution.h"
#include "libmod/contract/names.h"
#include "libmod/contract/versions.h"
#include "libmod/graph/replace.h"
#include "libmod/module/lineage.h"
#include "libmod/module/semantics.h"

namespace modnet {
namespace {

/// A slot of the composite: what stands in it, and what will.
struct Slot {
  const ComponentRecord* record = nullptr;
  ModuleView before;
  std::optional<ModuleFile> now;  // where it is replaced
  std::vector<EvidenceRecord> evidence{};  // that the module which is to stand here records of its spaces
  CheckReport report{};

  [[nodiscard]] const ModuleView& view() const { return now ? now->view : before; }
  [[nodiscard]] Subject subject() const {
    Subject out(view().index().contract, view().index().identity, view().digests().content);
    out.evidence = evidence;
    return out;
  }
};
using Slots = std::map<std::string, Slot>;

std::string named(const Identity& identity) { return identity.name + " " + identity.version; }

/// The lowest release after `text` that declares the bump.
Result<std::string> next_version(const std::string& text, Bump bump) {
  MODNET_ASSIGN(const Version before, parse_version(text));
  if (bump == Bump::kNone) return text;
  const Version choices[] = {{before.major, before.minor, before.patch, {}}, {before.major, before.minor, before.patch + 1, {}}, {before.major, before.minor + 1, 0, {}}, {before.major + 1, 0, 0, {}}};
  for (const Version& one : choices)
    if (declared_bump(before, one) >= bump) return std::to_string(one.major) + "." + std::to_string(one.minor) + "." + std::to_string(one.patch);
  return internal("no version declares a bump");
}

Result<Slots> open_slots(const ModuleFile& model) {
  Slots slots;
  for (const ComponentRecord& record : model.view.index().components) {
    auto view = model.view.component(record.slot);
    if (!view.ok()) return std::move(view).error().in_file(model.file.path());
    Slot slot{&record, std::move(view).value(), {}};
    MODNET_ASSIGN(slot.evidence, slot.before.evidence());
    slots.emplace(record.slot, std::move(slot));
  }
  return slots;
}

/// Puts the new modules into their slots. Whether they fit is asked later.
Status fill(const Invocation& invocation, const ModuleFile& model, Slots& slots) {
  const std::vector<std::string> names = invocation.args.list("replace"), &files = invocation.args.words("HEAD");
  if (names.size() != files.size())
    return usage("--replace names " + std::to_string(names.size()) + " slots, and " + std::to_string(files.size()) + " modules are given", "give one --replace a module, in the same order");
  for (size_t i = 0; i < names.size(); ++i) {
    const auto slot = slots.find(names[i]);
    if (slot == slots.end()) {
      std::string known;
      for (const auto& [name, unused] : slots) known += (known.empty() ? "" : ", ") + name;
      return usage("has no slot '" + names[i] + "'", "its slots are " + known).in_file(model.file.path());
    }
    if (slot->second.now) return usage("--replace names the slot '" + names[i] + "' twice");
    MODNET_ASSIGN(ModuleFile module, ModuleFile::open_checked(files[i], invocation));
    const Kind was = slot->second.before.index().identity.kind, is = module.view.index().identity.kind;
    if (was != is) return usage("is a module of kind " + std::string(name_of(is)) + "; the slot '" + names[i] + "' holds one of kind " + std::string(name_of(was))).in_file(files[i]);
    MODNET_ASSIGN(slot->second.evidence, module.view.evidence());
    slot->second.now = std::move(module);
  }
  return ok();
}

/// Each new module as an evolution of the old one, then every seam around it. Where the fingerprints of a new backbone and of
/// what stands behind it differ, it is run on the probes that they carry, as attach-head does; the records are kept.
Status check_slots(const Invocation& invocation, const ModuleFile& model, Slots& slots, const Replacement& replacement, std::vector<EvidenceRecord>& measured) {
  MODNET_ASSIGN(const Engine engine, make_engine(invocation));
  CheckContext context;
  context.space_tolerance = invocation.args.real("space-tolerance");
  std::vector<SeamEvidence> runs(replacement.seams.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    const Seam& seam = replacement.seams[i];
    if (seam.from.empty() || (!slots.at(seam.from).now && !slots.at(seam.to).now)) continue;
    auto run = measure_seam(slots.at(seam.from).view(), slots.at(seam.to).view(), seam.from, "attach-head", context.space_tolerance, engine.options);
    if (!run.ok()) return std::move(run).error().in_file(model.file.path());
    runs[i] = std::move(*run);
    merge_evidence(measured, runs[i].records);
  }
  context.measured = measured;
  for (auto& [name, slot] : slots) {
    if (!slot.now) continue;
    const ModuleIndex& before = slot.before.index();
    slot.report = check_evolution(Subject(before.contract, before.identity, slot.before.digests().content), slot.subject(), context);
    MODNET_TRY(check_status(slot.report, "'" + name + "' of " + model.file.path(), slot.now->file.path()));
  }
  for (size_t i = 0; i < runs.size(); ++i) {
    const Seam& seam = replacement.seams[i];
    Subject from(seam.gives), to(seam.takes);
    const Slot& taker = slots.at(seam.to);
    to = taker.subject();
    to.contract = &seam.takes;
    if (!seam.from.empty()) from = slots.at(seam.from).subject();
    from.contract = &seam.gives;
    CheckReport report = check_edge(from, to, context);
    explain_spaces(report, runs[i]);
    MODNET_TRY(check_status(report, seam.from.empty() ? "what feeds '" + seam.to + "'" : "'" + seam.from + "'", taker.now ? taker.now->file.path() : "'" + seam.to + "' of " + model.file.path()));
  }
  return ok();
}

/// Components as they are now in the place of those that were; entries that were missing, and the composite that this one was made from.
std::vector<Lineage> lineage_of(const ModuleFile& model, const Slots& slots) {
  std::vector<Lineage> out;
  for (const Lineage& entry : model.view.index().identity.lineage)
    if (entry.relation != "evolved-from") out.push_back(entry);
  for (const auto& [name, slot] : slots) {
    const Lineage was = lineage_entry("component", slot.before.index().identity, slot.before.digests().content);
    const Lineage is = lineage_entry("component", slot.view().index().identity, slot.view().digests().content);
    const bool kept = std::any_of(slots.begin(), slots.end(), [&](const auto& other) { return other.second.view().digests().content == was.content; });
    const auto at = std::find(out.begin(), out.end(), was);
    if (at != out.end() && !kept) *at = is;
    else if (std::find(out.begin(), out.end(), is) == out.end()) out.push_back(is);
  }
  out.push_back(lineage_entry("evolved-from", model.view.index().identity, model.view.digests().content));
  return out;
}

/// Everything of the composite but its components, identity and ports.
Status copy_rest(const ModuleFile& model, ModuleWriter& writer, Console& console) {
  const ModuleIndex& index = model.view.index();
  for (size_t i = 0; i < index.tensors.size(); ++i) {
    MODNET_ASSIGN(const Bytes bytes, model.view.tensor_bytes(i));
    MODNET_TRY(writer.add_tensor(index.tensors[i].name, index.tensors[i].dtype, index.tensors[i].shape, bytes));
  }
  for (const AssetRecord& asset : index.assets) {
    MODNET_ASSIGN(const Bytes bytes, model.view.asset(asset.name));
    MODNET_TRY(writer.add_asset(asset.name, asset.mediatype, bytes));
  }
  for (const TrailerEntry& entry : model.view.trailers()) {
    if (entry.kind == TrailerKind::kSignatures) {
      console.note("the composite's own signatures are left out: they were made for other components");
      continue;
    }
    MODNET_ASSIGN(const Bytes bytes, model.view.trailer(entry.kind));
    writer.set_trailer(entry.kind, std::string(as_text(bytes)));
  }
  writer.set_features(index.required_features, index.optional_features);
  writer.set_graph(index.graph);
  return ok();
}

}  // namespace

Result<int> run_replace(Invocation& invocation) {
  const Arguments& args = invocation.args;
  if (args.has("encoder")) return usage("--encoder is for a new composite", "use --replace encoder with the encoder's file");
  MODNET_ASSIGN(const ModuleFile model, ModuleFile::open_checked(args.word("BACKBONE"), invocation));
  const ModuleIndex& index = model.view.index();
  if (index.identity.kind != Kind::kComposite) return usage("is a module of kind " + std::string(name_of(index.identity.kind)) + "; --replace needs a composite").in_file(model.file.path());
  MODNET_ASSIGN(Slots slots, open_slots(model));
  MODNET_TRY(fill(invocation, model, slots));
  std::map<std::string, const Contract*> before, now;
  for (const auto& [name, slot] : slots) {
    before[name] = &slot.before.index().contract;
    if (slot.now) now[name] = &slot.view().index().contract;
  }
  auto replaced = replace_slots(index, before, now);
  if (!replaced.ok()) return std::move(replaced).error().in_file(model.file.path());
  std::vector<EvidenceRecord> measured;
  MODNET_TRY(check_slots(invocation, model, slots, *replaced, measured));

  ModuleWriter writer(compression_of(invocation));
  MODNET_TRY(copy_rest(model, writer, invocation.console));
  writer.set_contract(replaced->contract);
  std::vector<const MappedFile*> inputs{&model.file};
  for (const auto& [name, slot] : slots) {
    if (!slot.now) {
      MODNET_TRY(writer.add_component(name, model.file, static_cast<int64_t>(slot.record->offset), static_cast<int64_t>(slot.record->length)));
      continue;
    }
    inputs.push_back(&slot.now->file);
    MODNET_TRY(writer.add_component(name, slot.now->file, 0, static_cast<int64_t>(slot.now->file.bytes().size())));
  }

  // The composite as a whole: which bump it needs, then whether its version declares it.
  Identity identity = index.identity;
  identity.lineage = lineage_of(model, slots);
  if (args.has("name")) identity.name = args.text("name");
  MODNET_TRY(check_name(identity.name, "a module"));
  writer.set_identity(identity);
  const Contract& contract = writer.index().contract;
  const Subject old(index.contract, index.identity, model.view.digests().content);
  Subject made(contract, identity, content_digest(contract_digest(contract), writer.body()));
  MODNET_ASSIGN(std::vector<EvidenceRecord> evidence, model.view.evidence());
  if (!measured.empty()) {
    merge_evidence(evidence, measured);
    MODNET_ASSIGN(std::string trailer, encode_evidence(evidence));
    writer.set_trailer(TrailerKind::kEvidence, std::move(trailer));
  }
  for (const auto& [name, slot] : slots) evidence.insert(evidence.end(), slot.evidence.begin(), slot.evidence.end());
  made.evidence = evidence;
  CheckContext context;
  context.measured = measured;
  context.space_tolerance = args.real("space-tolerance");
  const Bump required = check_evolution(old, made, context).required;
  if (args.has("version")) identity.version = args.text("version");
  else {
    MODNET_ASSIGN(identity.version, next_version(index.identity.version, required));
  }
  if (const auto version = parse_version(identity.version); !version.ok()) return usage(version.error().what);
  const CheckReport whole = check_evolution(old, made, context);
  MODNET_TRY(check_status(whole, model.file.path(), invocation.output()));
  writer.set_identity(identity);

  ModuleDigests digests;
  int64_t bytes = 0;
  if (!invocation.dry_run()) MODNET_TRY(write_module(invocation, writer, inputs, &digests, &bytes));
  std::string text;
  Json document{{"name", identity.name}, {"version", identity.version}, {"old_version", index.identity.version}, {"required", bump_name(required)}};
  document["replaced"] = Json::array();
  for (const auto& [name, slot] : slots) {
    if (!slot.now) continue;
    const Identity &was = slot.before.index().identity, &is = slot.view().index().identity;
    text += escape_text(name) + ": " + escape_text(named(was)) + " → " + escape_text(named(is)) + ", compatible, needs a " + std::string(bump_name(slot.report.required)) + " bump\n";
    for (const Finding& finding : slot.report.findings) text += "  " + std::string(finding.rule->id) + " " + escape_text(finding.path) + ": " + escape_text(finding.what) + "\n";
    document["replaced"].push_back({{"slot", name}, {"old", {{"name", was.name}, {"version", was.version}, {"content", hex(slot.before.digests().content)}}},
                                    {"new", {{"name", is.name}, {"version", is.version}, {"content", hex(slot.view().digests().content)}}}, {"required", bump_name(slot.report.required)}});
  }
  text += escape_text(identity.name) + ": " + index.identity.version + " → " + identity.version + ", needs a " + std::string(bump_name(required)) + " bump\n";
  document["dry_run"] = invocation.dry_run();
  if (!invocation.dry_run()) {
    text += invocation.output() + "  " + bytes_text(bytes) + "  content sha256:" + short_digest(digests.content) + "\n";
    document["bytes"] = bytes;
    add_written(document, invocation.output(), digests);
  }
  if (invocation.output() != "-") invocation.console.print(text);
  invocation.console.emit_json(document);
  return kExitOk;
}

}  // namespace modnet
