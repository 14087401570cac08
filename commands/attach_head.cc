#include "commands/attach_head.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "commands/accept_file.h"
#include "commands/chain.h"
#include "commands/evidence.h"
#include "commands/label.h"
#include "commands/replace.h"
#include "formats/base/text.h"
#include "formats/module/write.h"
#include "libmod/contract/edge.h"
#include "libmod/contract/names.h"
#include "libmod/contract/versions.h"
#include "libmod/graph/flat.h"
#include "libmod/graph/graph.h"
#include "libmod/module/card.h"
#include "libmod/module/lineage.h"
#include "libmod/module/semantics.h"

namespace modnet {
namespace {

/// The composite while it is put together: a graph of modnet.Module nodes and the ports it shows.
struct Assembly {
  /// One edge check, with the files that it is about.
  struct Seam {
    std::string from, to;
    CheckReport report;
  };
  Graph graph;
  Contract contract;
  std::vector<Seam> seams;

  void add_input(Port port) {
    port.number = static_cast<uint32_t>(contract.ports.size()) + 1;
    port.value = port.name;
    graph.inputs.push_back(port.value);
    contract.ports.push_back(std::move(port));
  }
  void add_output(Port port, const std::string& value) {
    port.number = static_cast<uint32_t>(contract.ports.size()) + 1;
    port.value = value;
    if (std::any_of(contract.ports.begin(), contract.ports.end(), [&](const Port& one) { return one.direction == Direction::kOutput && one.name == port.name; }))
      port.name = value.substr(0, value.find('/')) + "." + port.name;  // two heads may answer under one label's name
    graph.outputs.push_back(value);
    contract.ports.push_back(std::move(port));
  }
};

/// The value of the port of `slot`.
std::string value_of(const std::string& slot, const std::string& port) { return slot + "/" + port; }

/// Adds a module behind another; its inputs are the bindings of the edge check, which is judged once all are known. A pair of
/// spaces with other fingerprints is judged by what was measured.
void add_module(Assembly& assembly, const std::string& slot, const ModuleFile& module, const std::string& before_slot, const ModuleFile& before,
                const SeamEvidence& seam, double tolerance) {
  const Contract &from = before.view.index().contract, &to = module.view.index().contract;
  CheckContext context;
  context.measured = seam.records;
  context.space_tolerance = tolerance;
  assembly.seams.push_back({before.file.path(), module.file.path(), check_edge(from, to, context)});
  explain_spaces(assembly.seams.back().report, seam);
  const CheckReport& report = assembly.seams.back().report;
  std::vector<std::string> ports, values, outputs, made;
  for (const Binding& binding : report.bindings) {
    ports.push_back(to.ports[binding.to].name);
    values.push_back(value_of(before_slot, from.ports[binding.from].name));
  }
  for (const Port& port : to.ports)
    if (port.direction == Direction::kOutput) {
      outputs.push_back(port.name);
      made.push_back(value_of(slot, port.name));
    }
  assembly.graph.nodes.push_back(module_node(slot, std::move(ports), std::move(values), std::move(outputs), std::move(made)));
}

/// --accept, then the verdict on every seam. What was accepted is said, listed in the document and recorded on the card.
Status judge_seams(Invocation& invocation, Assembly& assembly, std::vector<const Finding*>& accepted, Card& card) {
  MODNET_ASSIGN(const std::vector<Acceptance> entries, load_acceptances(invocation));
  MODNET_ASSIGN(const std::string today, judging_day(invocation));
  if (!entries.empty()) {
    std::vector<CheckReport*> reports;
    for (Assembly::Seam& seam : assembly.seams) reports.push_back(&seam.report);
    const std::vector<Error> errors = accept_findings(invocation, entries, today, reports);
    for (size_t i = 1; i < errors.size(); ++i) invocation.console.warn(error_line(errors[i]).substr(std::string_view("modnet: ").size()));
    if (!errors.empty()) return errors.front();
  }
  for (Assembly::Seam& seam : assembly.seams) {
    for (Finding& finding : seam.report.findings) {
      if (!finding.accepted) continue;
      if (finding.rule == find_rule("REQUIRED_PORT_ADDED")) {  // a graph without that value cannot be written
        finding.accepted = false;
        settle(seam.report);
        continue;
      }
      accepted.push_back(&finding);
      const Acceptance& entry = *acceptance_of(entries, finding);
      card.accepted.push_back({std::string(finding.rule->id), finding.path, finding.old_text, finding.new_text, entry.reason, entry.owner, entry.expires});
      invocation.console.note("accepted on " + today + ": " + std::string(finding.rule->id) + " at " + escape_text(finding.path) + ": " + escape_text(finding.what));
    }
    MODNET_TRY(check_status(seam.report, seam.from, seam.to));
  }
  return ok();
}

/// The first module takes the composite's own inputs.
void add_first(Assembly& assembly, const std::string& slot, const ModuleFile& module) {
  std::vector<std::string> ports, values, outputs, made;
  for (const Port& port : module.view.index().contract.ports) {
    if (port.direction == Direction::kInput) {
      if (port.optional) continue;
      assembly.add_input(port);
      ports.push_back(port.name);
      values.push_back(port.name);
    } else {
      outputs.push_back(port.name);
      made.push_back(value_of(slot, port.name));
    }
  }
  assembly.graph.nodes.push_back(module_node(slot, std::move(ports), std::move(values), std::move(outputs), std::move(made)));
}

Status check_kind(const ModuleFile& module, Kind kind) {
  const Kind found = module.view.index().identity.kind;
  if (found == kind) return ok();
  return usage("is a module of kind " + std::string(name_of(found)) + (kind == Kind::kEncoder ? "; expected an " : "; expected a ") + std::string(name_of(kind))).in_file(module.file.path());
}

Result<int> run(Invocation& invocation) {
  const Arguments& args = invocation.args;
  MODNET_TRY(invocation.check_output(Invocation::Content::kBinary));
  if (args.has("replace") && args.has("accept")) return usage("--accept is not for --replace: what replaces a module must be able to");
  if (args.has("replace")) return run_replace(invocation);
  if (const auto version = parse_version(args.text("version")); !version.ok()) return usage(version.error().what);
  const std::vector<std::string>& heads = args.words("HEAD");
  MODNET_ASSIGN(const ModuleFile backbone, ModuleFile::open_checked(args.word("BACKBONE"), invocation));
  MODNET_TRY(check_kind(backbone, Kind::kBackbone));
  std::vector<ModuleFile> opened;
  for (const std::string& path : heads) {
    MODNET_ASSIGN(ModuleFile head, ModuleFile::open_checked(path, invocation));
    MODNET_TRY(check_kind(head, Kind::kHead));
    opened.push_back(std::move(head));
  }
  std::optional<ModuleFile> encoder;
  if (args.has("encoder")) {
    MODNET_ASSIGN(encoder, ModuleFile::open_checked(args.text("encoder"), invocation));
    MODNET_TRY(check_kind(*encoder, Kind::kEncoder));
  }

  Assembly assembly;
  ModuleWriter writer(compression_of(invocation));
  std::vector<const MappedFile*> inputs;
  std::vector<EvidenceRecord> evidence;
  const double tolerance = args.real("space-tolerance");
  MODNET_ASSIGN(const Engine engine, make_engine(invocation));
  Identity identity;
  const auto component = [&](const std::string& slot, const ModuleFile& module) {
    inputs.push_back(&module.file);
    identity.lineage.push_back(lineage_entry("component", module.view.index().identity, module.view.digests().content));
    return writer.add_component(slot, module.file, 0, static_cast<int64_t>(module.file.bytes().size()));
  };
  if (encoder) {
    add_first(assembly, "encoder", *encoder);
    MODNET_TRY(component("encoder", *encoder));
    add_module(assembly, "backbone", backbone, "encoder", *encoder, {}, tolerance);
  } else {
    add_first(assembly, "backbone", backbone);
  }
  MODNET_TRY(component("backbone", backbone));
  std::set<std::string> names;
  std::string chain = encoder ? "encoder → backbone" : "backbone";
  for (const ModuleFile& head : opened) {
    const std::string& name = head.view.index().identity.name;
    if (Status status = check_head_name(name); !status.ok()) return std::move(status).error().in_file(head.file.path());
    if (!names.insert(name).second) return usage("two heads are called '" + name + "'", "train one of them with another --name").in_file(head.file.path());
    auto seam = measure_seam(backbone.view, head.view, "backbone", "attach-head", tolerance, engine.options);
    if (!seam.ok()) return std::move(seam).error().in_file(head.file.path());
    add_module(assembly, name, head, "backbone", backbone, *seam, tolerance);
    merge_evidence(evidence, seam->records);
    MODNET_TRY(component(name, head));
    chain += (names.size() == 1 ? " → " : ", ") + name;
  }
  std::vector<const Finding*> accepted;
  Card card;
  MODNET_TRY(judge_seams(invocation, assembly, accepted, card));
  std::vector<Finding> said;  // what neither stops nor had to be accepted
  for (const auto& seam : assembly.seams)
    std::copy_if(seam.report.findings.begin(), seam.report.findings.end(), std::back_inserter(said), [](const Finding& one) { return !one.accepted; });
  if (!card.accepted.empty()) {
    MODNET_ASSIGN(std::string text, card_to_json(card));
    writer.set_trailer(TrailerKind::kCard, std::move(text));
  }
  for (const ModuleFile& head : opened)
    for (const Port& port : head.view.index().contract.ports)
      if (port.direction == Direction::kOutput) assembly.add_output(port, value_of(head.view.index().identity.name, port.name));
  for (const Port& port : backbone.view.index().contract.ports)  // the embedding stays in reach, with its space
    if (port.direction == Direction::kOutput && port.semantic == Semantic::kEmbedding) assembly.add_output(port, value_of("backbone", port.name));

  std::string stem = invocation.output() == "-" ? "composite" : invocation.output().substr(invocation.output().rfind('/') + 1);
  if (stem.ends_with(".mnet")) stem.resize(stem.size() - 5);
  identity.name = args.has("name") ? args.text("name") : stem;
  MODNET_TRY(check_name(identity.name, "a module"));
  identity.kind = Kind::kComposite;
  identity.version = args.text("version");
  assembly.contract.requirements.ops = ops_of(assembly.graph);
  writer.set_identity(identity);
  writer.set_graph(assembly.graph);
  writer.set_contract(assembly.contract);
  MODNET_TRY(writer.set_evidence(evidence));
  ModuleDigests digests;
  int64_t bytes = 0;
  if (!invocation.dry_run()) MODNET_TRY(write_module(invocation, writer, inputs, &digests, &bytes));
  // A module on standard output leaves no room for words there.
  if (invocation.output() != "-") {
    std::string text = escape_text(identity.name) + ": " + escape_text(chain) + "\n";
    for (const Finding& one : said) text += std::string(one.rule->id) + ": " + escape_text(one.path) + ": " + escape_text(one.what) + "\n";
    text += invocation.dry_run() ? "would write " + invocation.output() + "\n"
                                 : invocation.output() + "  " + bytes_text(bytes) + "  content sha256:" + short_digest(digests.content) + "\n";
    invocation.console.print(text);
  }
  Json document{{"name", identity.name}, {"chain", chain}, {"heads", std::vector<std::string>(names.begin(), names.end())}, {"dry_run", invocation.dry_run()}};
  if (!accepted.empty()) {
    Json list = Json::array();
    for (const Finding* finding : accepted) list.push_back({{"rule", finding->rule->id}, {"path", finding->path}, {"key", finding_key(*finding)}, {"what", finding->what}});
    document["accepted"] = std::move(list);
  }
  document["findings"] = Json::array();
  for (const Finding& one : said) document["findings"].push_back({{"id", one.rule->id}, {"path", one.path}, {"what", one.what}});
  document["evidence"] = Json::array();
  for (const EvidenceRecord& one : evidence)
    document["evidence"].push_back({{"port", one.port}, {"fingerprint", hex(one.fingerprint)}, {"root", hex(one.root)}, {"measure", figures_json(one.measure)}});
  if (!invocation.dry_run()) {
    document["output"] = invocation.output();
    document["bytes"] = bytes;
    document["content"] = hex(digests.content);
    document["file_digest"] = hex(digests.file);
  }
  invocation.console.emit_json(document);
  return kExitOk;
}

}  // namespace

CommandSpec attach_head_command() {
  std::vector<OptionSpec> options = {
      {.name = "replace", .type = OptionType::kTextList, .metavar = "SLOT", .help = "put the HEAD at this place into SLOT of a composite; one for each HEAD"},
      {.name = "encoder", .type = OptionType::kPath, .metavar = "FILE", .help = "encoder, so that the composite takes raw data"},
      {.name = "name", .type = OptionType::kText, .metavar = "NAME", .help = "name of the composite (default: that of the file)"},
      {.name = "version", .type = OptionType::kText, .metavar = "SEMVER", .help = "version of the composite", .default_text = "1.0.0"},
      space_tolerance_option(),
  };
  for (OptionSpec& option : acceptance_options()) options.push_back(std::move(option));
  return {
      .name = "attach-head",
      .group = "make modules",
      .summary = "join a backbone and heads into one module",
      .description =
          "Makes a composite of a backbone and one or more heads, with the encoder where --encoder gives it. Every module goes in "
          "whole and unchanged, in the slots 'encoder', 'backbone' and each head's name. The backbone runs once for all heads.\n\n"
          "A head says which embedding space it was trained on. Where the backbone's fingerprint is another, the backbone is run on the "
          "probes that the head carries: close to the stored outputs it is accepted, with the figures as evidence in the composite; "
          "beyond the tolerance it is refused with exit 1, also when the dimensions agree; --accept names the breaks that somebody answers for.\n\n"
          "With --replace a composite gets other modules: BACKBONE is the composite, and each HEAD (of whatever kind) takes the slot of the "
          "--replace at its place. It must be able to replace what stood there (an evolution check), and what feeds it and what it "
          "feeds must fit (edge checks); else exit 1. All other components stay byte for byte. The composite's version rises by what "
          "its ports need; a --version that says less is refused.",
      .positionals = {{.name = "BACKBONE", .help = "a backbone module; with --replace a composite"}, {.name = "HEAD", .help = "head modules; with --replace the new modules", .maximum = PositionalSpec::kMany}},
      .options = std::move(options),
      .writes = Writes::kModule,
      .examples = "modnet attach-head minilm/backbone.mnet sections.mnet --encoder minilm/encoder.mnet -o sections-model.mnet\n"
                  "modnet attach-head sections-model.mnet sections-1.1.mnet --replace sections -o sections-model-1.1.mnet",
      .run = run,
  };
}

}  // namespace modnet
