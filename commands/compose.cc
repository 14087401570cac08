#include "commands/compose.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "commands/chain.h"
#include "commands/compose_layers.h"
#include "commands/label.h"
#include "commands/module_file.h"
#include "formats/base/text.h"
#include "formats/module/digests.h"
#include "formats/module/write.h"
#include "libmod/contract/edge.h"
#include "libmod/contract/names.h"
#include "libmod/contract/versions.h"
#include "libmod/module/lineage.h"
#include "libmod/module/semantics.h"
#include "libmod/prepare/probes.h"

namespace modnet {
namespace {

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

/// What a recipe became; modules that it names stay open until it is written.
struct Composed {
  Identity identity;
  Graph graph;
  Contract contract;
  std::map<std::string, Composition::Tensor> tensors;
  std::vector<std::pair<std::string, std::unique_ptr<ModuleFile>>> modules;  // slot, file
};

class Composer {
 public:
  Composer(const Invocation& invocation, int depth) : invocation_(invocation), depth_(depth) {}

  Result<Composed> run(const RecipeValue& recipe, const std::string& file) {
    file_ = file;
    RecipeReader top(recipe, file);
    MODNET_TRY(read_identity(top));
    MODNET_ASSIGN(const RecipeValue* input, top.table_or_null("input"));
    MODNET_ASSIGN(const RecipeValue* layers, top.tables_or_null("layer"));
    MODNET_ASSIGN(const RecipeValue* space, top.table_or_null("space"));
    MODNET_ASSIGN(const RecipeValue* output, top.table_or_null("output"));
    MODNET_TRY(top.finish());
    if (input != nullptr) MODNET_TRY(start(*input));
    if (layers == nullptr || layers->items.empty()) return top.error_at("", "the recipe has no [[layer]]");
    for (size_t i = 0; i < layers->items.size(); ++i) MODNET_TRY(add(layers->items[i], i));
    MODNET_TRY(finish(top, output, space));
    return std::move(made_);
  }

 private:
  Status read_identity(RecipeReader& top) {
    MODNET_ASSIGN(made_.identity.name, top.text("name"));
    MODNET_TRY(check_recipe_name(top, "name", made_.identity.name, "a module"));
    MODNET_ASSIGN(const std::string kind, top.text_or("kind", ""));
    if (!kind.empty()) {
      const auto known = from_name<Kind>(kind);
      if (!known) return top.error_at("kind", "expected encoder, backbone, adapter or composite, got '" + kind + "'");
      if (*known == Kind::kHead) return top.error_at("kind", "a head is trained, not composed", "use modnet train-head");
      made_.identity.kind = *known;
    }
    MODNET_ASSIGN(made_.identity.version, top.text_or("version", "1.0.0"));
    if (const auto version = parse_version(made_.identity.version); !version.ok()) return top.error_at("version", version.error().what);
    MODNET_ASSIGN(made_.identity.licence, top.text_or("licence", ""));
    return ok();
  }

  /// [input]: a port in full, or `encoder`: that of an encoder module or recipe, with its preparation.
  Status start(const RecipeValue& table) {
    RecipeReader input(table, file_);
    Port port;
    if (input.has("encoder")) {
      MODNET_ASSIGN(const std::string named, input.text("encoder"));
      MODNET_TRY(input.finish());
      MODNET_ASSIGN(port, encoder_port(input, folder_of(file_) + named));
      port.number = 1;
      port.direction = Direction::kInput;
      port.value = port.name;
    } else {
      MODNET_ASSIGN(port, read_input(input));
    }
    made_.contract.ports.push_back(port);
    building_.graph.input(port.value);
    building_.current = port;
    building_.current.direction = Direction::kOutput;
    building_.current.preparation.reset();
    return ok();
  }

  Result<Port> encoder_port(RecipeReader& input, const std::string& path) {
    const auto pick = [&](const Contract& contract) -> Result<Port> {
      const Port* port = find_port(contract, Direction::kOutput, "");
      if (port == nullptr) return input.error_at("encoder", "'" + path + "' has no output");
      return *port;
    };
    if (!path.ends_with(".toml")) {
      MODNET_ASSIGN(const ModuleFile module, ModuleFile::open_checked(path, invocation_));
      return pick(module.view.index().contract);
    }
    if (depth_ >= 8) return input.error_at("encoder", "recipes name one another more than 8 deep");
    MODNET_ASSIGN(const RecipeValue recipe, invocation_.load_recipe(path));
    MODNET_ASSIGN(const Composed composed, Composer(invocation_, depth_ + 1).run(recipe, path));
    return pick(composed.contract);
  }

  Status add(const RecipeValue& table, size_t index) {
    RecipeReader layer(table, file_);
    if (layer.has("module")) return add_module(layer);
    if (building_.current.value.empty()) return layer.error_at("op", "an inline layer needs an [input] before it");
    if (building_.current.layout == Layout::kRagged || building_.current.semantic == Semantic::kText)
      return layer.error_at("op", "inline layers take items of fixed shape, got " + type_text(building_.current));
    return add_layer(layer, index, building_);
  }

  /// A module by file: checked as an edge, then a node; its slot is its name or `slot`.
  Status add_module(RecipeReader& layer) {
    MODNET_ASSIGN(const std::string named, layer.text("module"));
    const std::string path = folder_of(file_) + named;
    MODNET_ASSIGN(ModuleFile opened, ModuleFile::open_checked(path, invocation_));
    auto module = std::make_unique<ModuleFile>(std::move(opened));
    const ModuleIndex& index = module->view.index();
    MODNET_ASSIGN(const std::string slot, layer.text_or("slot", index.identity.name));
    MODNET_ASSIGN(const std::string wanted, layer.text_or("port", ""));
    MODNET_TRY(layer.finish());
    MODNET_TRY(check_recipe_name(layer, "slot", slot, "a slot"));
    for (const auto& [name, file] : made_.modules)
      if (name == slot) return layer.error_at("slot", "two modules stand in the slot '" + slot + "'", "give one of them another slot");
    std::vector<std::string> ports, values, outputs, made;
    if (building_.current.value.empty()) {  // the first layer: its inputs are those of the whole
      for (const Port& port : index.contract.ports) {
        if (port.direction != Direction::kInput || port.optional) continue;
        Port outer = port;
        outer.number = static_cast<uint32_t>(made_.contract.ports.size()) + 1;
        outer.value = building_.graph.input(port.name);
        made_.contract.ports.push_back(outer);
        ports.push_back(port.name);
        values.push_back(outer.value);
      }
    } else {
      Contract before;
      before.ports = {building_.current};
      const CheckReport report = check_edge(before, index.contract);
      MODNET_TRY(check_status(report, "the layers before it", path));
      for (const Binding& binding : report.bindings) {
        ports.push_back(index.contract.ports[binding.to].name);
        values.push_back(building_.current.value);
      }
    }
    const Port* chosen = nullptr;
    for (const Port& port : index.contract.ports) {
      if (port.direction != Direction::kOutput) continue;
      outputs.push_back(port.name);
      made.push_back(slot + "/" + port.name);
      if (chosen == nullptr && (wanted.empty() || port.name == wanted)) chosen = &port;
    }
    if (chosen == nullptr) return layer.error_at("port", "'" + path + "' has no output '" + wanted + "'");
    building_.current = *chosen;
    building_.current.value = slot + "/" + chosen->name;
    from_module_ = true;
    building_.graph.module(module_node(slot, std::move(ports), std::move(values), std::move(outputs), std::move(made)));
    made_.identity.lineage.push_back(lineage_entry("component", index.identity, module->view.digests().content));
    made_.modules.emplace_back(slot, std::move(module));
    return ok();
  }

  Status finish(RecipeReader& top, const RecipeValue* output, const RecipeValue* space) {
    if (!made_.modules.empty() && made_.identity.kind == Kind::kInvalid) made_.identity.kind = Kind::kComposite;
    if (!made_.modules.empty() && made_.identity.kind != Kind::kComposite) return top.error_at("kind", "a recipe with modules makes a composite");
    if (made_.identity.kind == Kind::kInvalid) return top.error_at("kind", "the recipe does not say its kind", "add kind = \"encoder\" or \"backbone\"");
    Port port = building_.current;
    port.number = static_cast<uint32_t>(made_.contract.ports.size()) + 1;
    port.direction = Direction::kOutput;
    if (output != nullptr) {
      RecipeReader reader(*output, file_);
      MODNET_ASSIGN(port.name, reader.text_or("name", port.name));
      MODNET_TRY(check_recipe_name(reader, "name", port.name, "a port"));
      MODNET_ASSIGN(const std::string semantic, reader.text_or("semantic", std::string(name_of(port.semantic))));
      MODNET_TRY(reader.finish());
      const auto meaning = from_name<Semantic>(semantic);
      if (!meaning) return reader.error_at("semantic", "'" + semantic + "' is not a semantic type");
      port.semantic = *meaning;
    }
    building_.graph.output(port.value);
    made_.graph = building_.graph.take();
    made_.tensors = std::move(building_.tensors);
    made_.contract.requirements.ops = ops_of(made_.graph);
    if (space != nullptr) {
      if (from_module_) return top.error_at("space", "the space of a composite is that of its modules");
      MODNET_ASSIGN(port.space, read_space(*space));
      port.space->normalized = building_.normalized;
    }
    if (made_.identity.kind == Kind::kBackbone && !port.space) return top.error_at("space", "a backbone needs a [space] with an id");
    if (made_.identity.kind == Kind::kEncoder) port.preparation = PreparationRecord{"layers", body_digest(), {}, {}, {}, {}};
    made_.contract.ports.push_back(port);
    if (port.space && space != nullptr) {
      Port& last = made_.contract.ports.back();
      last.space->fingerprint = last.space->root = port_fingerprint(body_digest(), made_.contract, last);
    }
    return ok();
  }

  Result<std::optional<SpaceRecord>> read_space(const RecipeValue& table) {
    RecipeReader reader(table, file_);
    SpaceRecord space;
    MODNET_ASSIGN(space.id, reader.text("id"));
    MODNET_ASSIGN(space.version, reader.text_or("version", "1"));
    MODNET_ASSIGN(const std::string metric, reader.text_or("metric", "cosine"));
    const auto known = from_name<Metric>(metric);
    if (!known) return reader.error_at("metric", "expected cosine, dot or l2, got '" + metric + "'");
    space.metric = *known;
    space.pooling = Pooling::kNone;
    MODNET_TRY(reader.finish());
    return std::optional<SpaceRecord>(space);
  }

  /// The body's digest, from the writer that will write it.
  Digest body_digest() const {
    ModuleWriter writer;
    writer.set_identity(made_.identity);
    writer.set_graph(made_.graph);
    for (const auto& [name, tensor] : made_.tensors)
      if (const Status added = writer.add_tensor(name, DType::kF32, tensor.shape, std::as_bytes(std::span(tensor.values))); !added.ok()) return {};
    return writer.body();
  }

  const Invocation& invocation_;
  int depth_;
  std::string file_;
  Composition building_;
  Composed made_;
  bool from_module_ = false;
};

/// Probes of a module made of inline layers: its inputs drawn, its outputs computed; none where it has no space.
Result<Probes> make_probes(const Composed& composed, const Engine& engine) {
  FlatGraph flat = flat_from_parts(
      composed.graph, composed.contract,
      [&](std::string_view name) -> Result<ConstTensor> {
        const Composition::Tensor& tensor = composed.tensors.at(std::string(name));
        ConstTensor out{std::string(name), DType::kF32, {}, std::as_bytes(std::span(tensor.values))};
        for (const uint64_t dim : tensor.shape) out.shape.push_back(static_cast<int64_t>(dim));
        return out;
      },
      [&](std::string_view name) { return composed.tensors.contains(std::string(name)); }, [](std::string_view) -> Result<Bytes> { return internal("no asset"); });
  std::vector<std::string> ports;
  std::vector<Port> inputs;
  for (const Port& port : composed.contract.ports) {
    if (port.direction == Direction::kInput) inputs.push_back(port);
    else if (port.space) ports.push_back(port.name);
  }
  const bool has_space = !ports.empty();
  if (!has_space)
    for (const Port& port : composed.contract.ports)
      if (port.direction == Direction::kOutput) ports.push_back(port.name);
  MODNET_ASSIGN(Runner runner, Runner::make(std::move(flat), ports, engine.options));
  if (!has_space) return Probes{};
  MODNET_ASSIGN(Probes probes, drawn_probes(inputs, 0));
  MODNET_TRY(fill_probe_outputs(runner, probes));
  return probes;
}

Result<int> run(Invocation& invocation) {
  MODNET_TRY(invocation.check_output(Invocation::Content::kBinary));
  MODNET_ASSIGN(const Engine engine, make_engine(invocation));
  if (!invocation.recipe) return usage("there is no recipe", "modnet compose RECIPE -o MODULE");
  MODNET_ASSIGN(const Composed composed, Composer(invocation, 0).run(*invocation.recipe, invocation.args.word("RECIPE")));
  ModuleWriter writer(compression_of(invocation));
  writer.set_identity(composed.identity);
  writer.set_graph(composed.graph);
  writer.set_contract(composed.contract);
  int64_t parameters = 0;
  for (const auto& [name, tensor] : composed.tensors) {
    parameters += static_cast<int64_t>(tensor.values.size());
    MODNET_TRY(writer.add_tensor(name, DType::kF32, tensor.shape, std::as_bytes(std::span(tensor.values))));
  }
  std::vector<const MappedFile*> inputs;
  for (const auto& [slot, module] : composed.modules) {
    MODNET_TRY(writer.add_component(slot, module->file, 0, static_cast<int64_t>(module->file.bytes().size())));
    inputs.push_back(&module->file);
  }
  // A plan is made in any case, so that a recipe that cannot run is refused here and not at its first use.
  if (composed.modules.empty()) {
    MODNET_ASSIGN(const Probes probes, make_probes(composed, engine));
    if (!probes.outputs.empty()) MODNET_TRY(writer.set_probes(probes));
  }
  ModuleDigests digests;
  if (!invocation.dry_run()) {
    MODNET_ASSIGN(const std::unique_ptr<Output> output, invocation.open_output(Invocation::Content::kBinary));
    MODNET_ASSIGN(digests, writer.write(*output));
    MODNET_TRY(output->commit(inputs));
  }
  const Port& out = composed.contract.ports.back();
  if (invocation.output() != "-") {
    std::string text = escape_text(composed.identity.name) + ": " + std::string(name_of(composed.identity.kind)) + ", " + count_text(parameters) + " parameters, gives " + out.name + " " +
                       type_text(out) + (out.space ? ", space " + space_text(*out.space) : "") + "\n";
    text += invocation.dry_run() ? "would write " + invocation.output() + "\n" : invocation.output() + "  content sha256:" + short_digest(digests.content) + "\n";
    invocation.console.print(text);
  }
  Json document{{"name", composed.identity.name}, {"kind", name_of(composed.identity.kind)}, {"parameters", parameters}, {"dry_run", invocation.dry_run()}};
  if (out.space) document["space"] = space_text(*out.space);
  if (!invocation.dry_run()) add_written(document, invocation.output(), digests);
  invocation.console.emit_json(document);
  return kExitOk;
}

}  // namespace

CommandSpec compose_command() {
  return {
      .name = "compose",
      .group = "make modules",
      .summary = "make a module from a recipe of layers and modules",
      .description =
          "Reads a recipe (TOML): name, kind (encoder, backbone, adapter, composite), version, licence; [input] with name, dtype, dims "
          "and semantic, or encoder = FILE to take another recipe's or module's output; [[layer]] in sequence; [output] with name and "
          "semantic; [space] with id, version and metric for a backbone.\n\n"
          "A layer has an op: scale (scale, offset), flatten, linear (out, init, std, bias, seed), l2_normalize, or an activation: abs, cos, "
          "exp, gelu, relu, sigmoid, silu, sin, softmax, tanh. Or it has module = FILE (slot, port). Random weights are drawn from the "
          "seed alone, so a recipe gives the same bytes everywhere. Paths are relative to the recipe.",
      .positionals = {{.name = "RECIPE", .help = "TOML recipe"}},
      .writes = Writes::kModule,
      .computes = Computes::kPolicy,
      .recipe = RecipeUse::kTree,
      .examples = "modnet compose examples/fashion/pixels.toml -o pixels.mnet\nmodnet compose examples/fashion/features.toml -o features.mnet",
      .run = run,
  };
}

}  // namespace modnet
