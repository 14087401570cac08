#include "commands/attach_head.h"

#include <algorithm>
#include <set>

#include <nlohmann/json.hpp>

#include "commands/chain.h"
#include "commands/label.h"
#include "commands/replace.h"
#include "formats/base/text.h"
#include "formats/module/write.h"
#include "libmod/contract/edge.h"
#include "libmod/contract/names.h"
#include "libmod/contract/versions.h"
#include "libmod/graph/flat.h"
#include "libmod/graph/graph.h"
#include "libmod/module/lineage.h"
#include "libmod/module/semantics.h"

namespace modnet {
namespace {

/// The composite while it is put together: a graph of modnet.Module nodes and the ports it shows.
struct Assembly {
  Graph graph;
  Contract contract;

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

/// Adds a module behind another; its inputs are the bindings of the edge check. Returns the error of the check.
Status add_module(Assembly& assembly, const std::string& slot, const ModuleFile& module, const std::string& before_slot, const ModuleFile& before) {
  const Contract &from = before.view.index().contract, &to = module.view.index().contract;
  const CheckReport report = check_edge(from, to);
  MODNET_TRY(check_status(report, before.file.path(), module.file.path()));
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
  if (args.has("replace")) return run_replace(invocation);
  if (const auto version = parse_version(args.text("version")); !version.ok()) return usage(version.error().what);
  const std::vector<std::string>& heads = args.words("HEAD");
  MODNET_ASSIGN(const ModuleFile backbone, ModuleFile::open_checked(args.word("BACKBONE")));
  MODNET_TRY(check_kind(backbone, Kind::kBackbone));
  std::vector<ModuleFile> opened;
  for (const std::string& path : heads) {
    MODNET_ASSIGN(ModuleFile head, ModuleFile::open_checked(path));
    MODNET_TRY(check_kind(head, Kind::kHead));
    opened.push_back(std::move(head));
  }
  std::optional<ModuleFile> encoder;
  if (args.has("encoder")) {
    MODNET_ASSIGN(encoder, ModuleFile::open_checked(args.text("encoder")));
    MODNET_TRY(check_kind(*encoder, Kind::kEncoder));
  }

  Assembly assembly;
  ModuleWriter writer(compression_of(invocation));
  std::vector<const MappedFile*> inputs;
  Identity identity;
  const auto component = [&](const std::string& slot, const ModuleFile& module) {
    inputs.push_back(&module.file);
    identity.lineage.push_back(lineage_entry("component", module.view.index().identity, module.view.digests().content));
    return writer.add_component(slot, module.file, 0, static_cast<int64_t>(module.file.bytes().size()));
  };
  if (encoder) {
    add_first(assembly, "encoder", *encoder);
    MODNET_TRY(component("encoder", *encoder));
    MODNET_TRY(add_module(assembly, "backbone", backbone, "encoder", *encoder));
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
    MODNET_TRY(add_module(assembly, name, head, "backbone", backbone));
    MODNET_TRY(component(name, head));
    chain += (names.size() == 1 ? " → " : ", ") + name;
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
  ModuleDigests digests;
  int64_t bytes = 0;
  if (!invocation.dry_run()) {
    MODNET_ASSIGN(const std::unique_ptr<Output> output, invocation.open_output(Invocation::Content::kBinary));
    MODNET_ASSIGN(digests, writer.write(*output));
    bytes = output->position();
    MODNET_TRY(output->commit(inputs));
  }
  // A module on standard output leaves no room for words there.
  if (invocation.output() != "-") {
    std::string text = escape_text(identity.name) + ": " + escape_text(chain) + "\n";
    text += invocation.dry_run() ? "would write " + invocation.output() + "\n"
                                 : invocation.output() + "  " + bytes_text(bytes) + "  content sha256:" + short_digest(digests.content) + "\n";
    invocation.console.print(text);
  }
  Json document{{"name", identity.name}, {"chain", chain}, {"heads", std::vector<std::string>(names.begin(), names.end())}, {"dry_run", invocation.dry_run()}};
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
  return {
      .name = "attach-head",
      .group = "make modules",
      .summary = "join a backbone and heads into one module",
      .description =
          "Makes a composite of a backbone and one or more heads, with the encoder where --encoder gives it. Every module goes in "
          "whole and unchanged, in the slots 'encoder', 'backbone' and each head's name. The backbone runs once for all heads.\n\n"
          "A head says which embedding space it was trained on. On a backbone with another space it is refused with exit 1, also "
          "when the dimensions agree.\n\n"
          "With --replace a composite gets other modules: BACKBONE is the composite, and each HEAD (of whatever kind) takes the slot of the "
          "--replace at its place. It must be able to replace what stood there (an evolution check), and what feeds it and what it "
          "feeds must fit (edge checks); else exit 1. All other components stay byte for byte. The composite's version rises by what "
          "its ports need; a --version that says less is refused.",
      .positionals = {{.name = "BACKBONE", .help = "a backbone module; with --replace a composite"}, {.name = "HEAD", .help = "head modules; with --replace the new modules", .maximum = PositionalSpec::kMany}},
      .options = {{.name = "replace", .type = OptionType::kTextList, .metavar = "SLOT", .help = "put the HEAD at this place into SLOT of a composite; one for each HEAD"},
                  {.name = "encoder", .type = OptionType::kPath, .metavar = "FILE", .help = "encoder, so that the composite takes raw data"},
                  {.name = "name", .type = OptionType::kText, .metavar = "NAME", .help = "name of the composite (default: that of the file)"},
                  {.name = "version", .type = OptionType::kText, .metavar = "SEMVER", .help = "version of the composite", .default_text = "1.0.0"}},
      .writes = Writes::kModule,
      .examples = "modnet attach-head minilm/backbone.mnet sections.mnet --encoder minilm/encoder.mnet -o sections-model.mnet\n"
                  "modnet attach-head sections-model.mnet sections-1.1.mnet --replace sections -o sections-model-1.1.mnet",
      .run = run,
  };
}

}  // namespace modnet
