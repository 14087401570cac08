// The new module keeps root and probes of the old one; its bodies differ, so its fingerprints do, and what bridges them is the
// measurement that is made here before anything is written. Tested by tests/cli/convert-*.
#include "commands/convert.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

#include <nlohmann/json.hpp>

#include "commands/chain.h"
#include "commands/convert_data.h"
#include "commands/convert_int8.h"
#include "commands/evidence.h"
#include "commands/label.h"
#include "formats/base/text.h"
#include "formats/module/digests.h"
#include "formats/module/evidence.h"
#include "formats/module/write.h"
#include "libmod/contract/names.h"
#include "libmod/contract/versions.h"
#include "libmod/graph/flat.h"
#include "libmod/graph/graph.h"
#include "libmod/module/card.h"
#include "libmod/module/lineage.h"

namespace modnet {
namespace {

/// Vectors (biases, gains of norms) stay as they are: on MiniLM they are 0.2 % of the bytes and would make up a third of the error.
bool is_converted(const TensorRecord& tensor) { return tensor.dtype == DType::kF32 && tensor.shape.size() >= 2; }

struct Weights {
  ChangedGraph changed;
  std::vector<std::string> kept;  // f32 matrices that stay: they hold a number that the new dtype cannot, or hurt too much in 8 bits
  std::optional<Quantised> int8;
  int64_t before = 0, after = 0;  // bytes of all tensors
};

/// False when a finite number becomes infinite.
bool narrow(Bytes f32, DType dtype, std::string& out) {
  const size_t n = f32.size() / sizeof(float);
  out.resize(n * sizeof(uint16_t));
  for (size_t i = 0; i < n; ++i) {
    float value = 0;
    std::memcpy(&value, f32.data() + i * sizeof value, sizeof value);
    const uint16_t bits = dtype == DType::kF16 ? f32_to_f16(value) : f32_to_bf16(value);
    const uint16_t infinite = dtype == DType::kF16 ? 0x7c00 : 0x7f80;
    if ((bits & 0x7fff) == infinite && std::isfinite(value)) return false;
    std::memcpy(out.data() + i * sizeof bits, &bits, sizeof bits);
  }
  return true;
}

Result<Weights> round_weights(const ModuleView& view, DType dtype) {
  Weights out;
  out.changed.nodes = view.index().graph.nodes;
  const std::vector<TensorRecord>& tensors = view.index().tensors;
  for (size_t i = 0; i < tensors.size(); ++i) {
    int64_t bytes = static_cast<int64_t>(tensors[i].raw_length);
    out.before += bytes;
    if (is_converted(tensors[i])) {
      MODNET_ASSIGN(const Bytes raw, view.tensor_bytes(i));
      std::string converted;
      if (narrow(raw, dtype, converted)) {
        bytes = static_cast<int64_t>(converted.size());
        out.changed.tensors[tensors[i].name] = {dtype, {tensors[i].shape.begin(), tensors[i].shape.end()}, std::move(converted)};
      } else {
        out.kept.push_back(tensors[i].name);
      }
    }
    out.after += bytes;
  }
  return out;
}

Result<Weights> quantise_layers(const ModuleView& view, const std::vector<Probes>& calibration, double limit, const RunnerOptions& options) {
  Weights out;
  MODNET_ASSIGN(const FlatGraph graph, flatten(view));
  MODNET_ASSIGN(const std::vector<std::string> ports, space_ports(view));
  MODNET_ASSIGN(out.int8, quantise_int8(graph, calibration, ports, limit, options));
  out.changed = std::move(out.int8->graph);
  for (const Int8Choice& one : out.int8->groups)
    if (one.kept) out.kept.insert(out.kept.end(), one.names.begin(), one.names.end());
  for (const TensorRecord& tensor : view.index().tensors) {
    out.before += static_cast<int64_t>(tensor.raw_length);
    if (!out.changed.tensors.contains(tensor.name)) out.after += static_cast<int64_t>(tensor.raw_length);
  }
  for (const auto& [name, tensor] : out.changed.tensors) out.after += static_cast<int64_t>(tensor.bytes.size());
  return out;
}

Status check_source(const ModuleFile& module, std::string_view dtype) {
  const ModuleIndex& index = module.view.index();
  const auto refuse = [&](std::string what, std::string fix) { return usage(std::move(what), std::move(fix)).in_file(module.file.path()); };
  if (index.identity.kind == Kind::kComposite || !index.components.empty())
    return refuse("holds other modules; convert takes a backbone by itself", "convert the backbone and put it in with attach-head or compose");
  if (index.identity.kind != Kind::kBackbone)
    return refuse("is a module of kind " + std::string(name_of(index.identity.kind)) + "; expected a backbone", "heads and encoders stay as they are: they are small");
  if (dtype == "int8" && std::any_of(index.graph.nodes.begin(), index.graph.nodes.end(), [](const Node& node) { return node.op == "LinearU8S8"; }))
    return refuse("is in 8 bits already", "convert the module that it was converted from");
  if (std::none_of(index.tensors.begin(), index.tensors.end(), is_converted))
    return refuse("has no f32 matrices to store as " + std::string(dtype), "convert the module that it was converted from");
  if (module.view.find_trailer(TrailerKind::kProbes) == nullptr)
    return Error{Code::kInvalid, "SPACE_UNVERIFIED", "carries no probes, so nothing can be measured", {}, module.file.path(), "import or compose it again"};
  return ok();
}

/// --version, else the next patch.
Result<std::string> new_version(const Invocation& invocation, const std::string& old) {
  MODNET_ASSIGN(const Version before, parse_version(old));
  if (!invocation.args.has("version")) return std::to_string(before.major) + "." + std::to_string(before.minor) + "." + std::to_string(before.patch + 1);
  const std::string text = invocation.args.text("version");
  const Result<Version> after = parse_version(text);
  if (!after.ok()) return usage(after.error().what);
  if (compare(*after, before) <= 0) return usage("version " + escape_text(text) + " is not above " + escape_text(old) + ", whose weights are others");
  return text;
}

struct Measured {
  const Port* port = nullptr;
  MeasuredSpace space;
  SpaceVerdict verdict = SpaceVerdict::kUndecidable;
};

/// Every port with a space, run with the new weights against the root's probes.
Result<std::vector<Measured>> measure(const ModuleView& view, const Probes& probes, const Weights& weights, double tolerance, const Engine& engine) {
  std::vector<Measured> out;
  MODNET_ASSIGN(const std::vector<std::string> names, space_ports(view));
  for (const Port& port : view.index().contract.ports)
    if (port.direction == Direction::kOutput && port.space) out.push_back({&port, {}, SpaceVerdict::kUndecidable});
  MODNET_ASSIGN(const FlatGraph graph, flatten(view));
  MODNET_ASSIGN(Runner runner, Runner::make(with_changes(graph, weights.changed), names, engine.options));
  for (Measured& one : out) {
    MODNET_ASSIGN(one.space, measure_space(runner, probes, one.port->name, one.port->name));
    one.verdict = judge_space(one.space.figures, tolerance);
  }
  return out;
}

/// The answer is no when a port's space is not the root's, or nobody can tell.
Status judge(const std::vector<Measured>& measured, const std::string& dtype, double tolerance) {
  for (const Measured& one : measured) {
    if (one.verdict == SpaceVerdict::kSame) continue;
    char limit[32];
    std::snprintf(limit, sizeof limit, "%g", tolerance);
    const std::string what = "as " + dtype + ", '" + one.port->name + "': " + figures_text(one.space.figures);
    if (one.verdict == SpaceVerdict::kUndecidable) return Error{Code::kNo, "SPACE_UNVERIFIED", what, {}, {}, "probes of more and other inputs would tell"};
    return Error{Code::kNo, "SPACE_FINGERPRINT_MISMATCH", what + "; expected at most " + limit + (one.space.witness ? "; " + witness_text(*one.space.witness) : ""), {}, {},
                 "use the other dtype, or train heads on the new space"};
  }
  return ok();
}

/// The old module's card, with what the conversion adds under `extra` and without what was measured on data of the old weights. A card that
/// is none of ours stays as it is.
Result<std::string> card_with(const ModuleView& view, Json extra) {
  MODNET_ASSIGN(const Bytes bytes, view.trailer(TrailerKind::kCard));
  const std::string old(as_text(bytes));
  if (!old.empty() && !is_card(old)) return old;
  MODNET_ASSIGN(const Card card, card_from_json(old));
  if (!extra.contains("on_data") && !card.extra.empty() && Json::parse(card.extra).contains("on_data")) extra["on_data"] = nullptr;
  if (extra.empty()) return old;
  MODNET_ASSIGN(const Card merged, merge_card(card, Json{{"extra", extra}}.dump()));
  return card_to_json(merged);
}

Result<int> convert(Invocation& invocation, const ModuleFile& module) {
  const Arguments& args = invocation.args;
  const std::string dtype_text = args.text("dtype"), how = "convert " + dtype_text;
  const double tolerance = args.real("space-tolerance"), limit = args.has("int8-error") ? args.real("int8-error") : 0.8 * tolerance;
  if (args.has("int8-error") && dtype_text != "int8") return usage("--int8-error goes with --dtype int8");
  const ModuleIndex& index = module.view.index();
  MODNET_ASSIGN(const Engine engine, make_engine(invocation));
  MODNET_ASSIGN(const std::string version, new_version(invocation, index.identity.version));
  MODNET_ASSIGN(const Probes probes, module.view.probes());
  MODNET_ASSIGN(std::optional<OnData> data, read_on_data(invocation, module, engine));
  Weights weights;
  if (dtype_text == "int8") {
    std::vector<Probes> sets{probes};
    if (data) sets.push_back(data->items.chosen_on);
    auto made = quantise_layers(module.view, sets, limit, engine.options);
    if (!made.ok()) return data ? data->items.place(std::move(made).error(), data->items.chosen_rows) : std::move(made).error();
    weights = std::move(*made);
  } else {
    MODNET_ASSIGN(weights, round_weights(module.view, dtype_text == "f16" ? DType::kF16 : DType::kBF16));
    if (weights.changed.tensors.empty()) return invalid("every f32 matrix holds a number that is infinite as " + dtype_text, dtype_text == "f16" ? "use --dtype bf16" : "");
  }
  MODNET_ASSIGN(const std::vector<Measured> measured, measure(module.view, probes, weights, tolerance, engine));
  MODNET_TRY(judge(measured, dtype_text, tolerance));
  if (data) {
    MODNET_ASSIGN(const FlatGraph graph, flatten(module.view));
    MODNET_TRY(measure_on_data(graph, weights.changed, engine, *data));
  }

  ModuleWriter writer(compression_of(invocation));
  Identity identity = index.identity;
  identity.version = version;
  identity.lineage.push_back(lineage_entry("converted-from", index.identity, module.view.digests().content));
  writer.set_identity(identity);
  Graph graph = index.graph;
  graph.nodes = weights.changed.nodes;
  writer.set_graph(graph);
  writer.set_features(index.required_features, index.optional_features);
  for (size_t i = 0; i < index.tensors.size(); ++i) {
    const TensorRecord& tensor = index.tensors[i];
    if (weights.changed.tensors.contains(tensor.name)) continue;
    MODNET_ASSIGN(const Bytes raw, module.view.tensor_bytes(i));
    MODNET_TRY(writer.add_tensor(tensor.name, tensor.dtype, tensor.shape, raw));
  }
  for (const auto& [name, tensor] : weights.changed.tensors)
    MODNET_TRY(writer.add_tensor(name, tensor.dtype, {tensor.shape.begin(), tensor.shape.end()}, as_bytes(tensor.bytes)));
  for (const AssetRecord& asset : index.assets) {
    MODNET_ASSIGN(const Bytes raw, module.view.asset(asset.name));
    MODNET_TRY(writer.add_asset(asset.name, asset.mediatype, raw));
  }
  Contract contract = index.contract;
  if (weights.int8) contract.requirements.ops = ops_of(graph);
  const Digest body = writer.body();
  std::vector<EvidenceRecord> evidence, on_data;
  for (Port& port : contract.ports) {
    if (port.direction != Direction::kOutput || !port.space) continue;
    const Digest before = port.space->fingerprint;
    port.space->fingerprint = port_fingerprint(body, contract, port);
    if (data) on_data.push_back({port.name, port.space->fingerprint, before, data->judged, "portable", how + std::string(kOnData), tolerance, data->figures.at(port.name)});
    const auto found = std::find_if(measured.begin(), measured.end(), [&](const Measured& one) { return one.port->number == port.number; });
    evidence.push_back({port.name, port.space->fingerprint, port.space->root, probes_digest(probes), "portable", how, tolerance, found->space.figures});
  }
  writer.set_contract(contract);
  for (const TrailerEntry& trailer : module.view.trailers()) {  // probes and what later builds add; not what was said of the old bytes
    if (trailer.kind == TrailerKind::kCard || trailer.kind == TrailerKind::kEvidence || trailer.kind == TrailerKind::kSignatures) continue;
    MODNET_ASSIGN(const Bytes bytes, module.view.trailer(trailer.kind));
    writer.set_trailer(trailer.kind, std::string(as_text(bytes)));
  }
  Json extra = Json::object();
  if (data) extra["on_data"] = data_card(*data);
  if (weights.int8) extra["quantisation"] = int8_card(*weights.int8, limit);
  MODNET_ASSIGN(std::string card, card_with(module.view, std::move(extra)));
  if (!card.empty()) writer.set_trailer(TrailerKind::kCard, std::move(card));
  std::vector<EvidenceRecord> all = evidence;
  all.insert(all.end(), on_data.begin(), on_data.end());
  MODNET_TRY(writer.set_evidence(all));
  if (module.view.find_trailer(TrailerKind::kSignatures) != nullptr) invocation.console.note("the signatures are of the old weights: left out");

  ModuleDigests digests;
  int64_t bytes = 0;
  std::vector<const MappedFile*> inputs{&module.file};
  if (data && data->items.source->mapped() != nullptr) inputs.push_back(data->items.source->mapped());
  if (data && data->head) inputs.push_back(&data->head->file().file);
  if (!invocation.dry_run()) MODNET_TRY(write_module(invocation, writer, inputs, &digests, &bytes));
  if (invocation.output() != "-") {
    std::string text = escape_text(identity.name) + " " + escape_text(index.identity.version) + " → " + escape_text(version) + ", weights " + bytes_text(weights.before) + " → " +
                       bytes_text(weights.after) + "\n";
    for (const Measured& one : measured) text += dtype_text + " " + escape_text(one.port->name) + ": " + figures_text(one.space.figures) + "\n";
    if (weights.int8) text += int8_text(*weights.int8);
    if (data) text += data_text(*data, dtype_text);
    for (const std::string& name : weights.int8 ? std::vector<std::string>() : weights.kept) text += "stays f32, because " + dtype_text + " would be infinite: " + escape_text(name) + "\n";
    if (!invocation.dry_run()) text += invocation.output() + "  " + bytes_text(bytes) + "  content sha256:" + short_digest(digests.content) + "\n";
    invocation.console.print(text);
  }
  const auto converted = std::count_if(index.tensors.begin(), index.tensors.end(), [&](const TensorRecord& tensor) {
    const auto it = weights.changed.tensors.find(tensor.name);
    return it != weights.changed.tensors.end() && it->second.dtype != tensor.dtype;
  });
  Json document{{"name", identity.name}, {"version", version}, {"dtype", dtype_text}, {"converted", converted}, {"kept_f32", weights.kept},
                {"weight_bytes_before", weights.before}, {"weight_bytes", weights.after}, {"space_tolerance", tolerance}};
  document["spaces"] = Json::array();
  for (size_t i = 0; i < measured.size(); ++i)
    document["spaces"].push_back({{"port", evidence[i].port}, {"fingerprint", hex(evidence[i].fingerprint)}, {"root", hex(evidence[i].root)}, {"measure", figures_json(measured[i].space.figures)}});
  if (weights.int8) add_int8_json(document, *weights.int8, limit);
  if (data) {
    document["data"] = data_json(*data);
    if (!weights.int8) document["data"]["chosen_on"] = 0;
  }
  document["dry_run"] = invocation.dry_run();
  if (!invocation.dry_run()) {
    document["bytes"] = bytes;
    add_written(document, invocation.output(), digests);
  }
  invocation.console.emit_json(document);
  return kExitOk;
}

Result<int> run(Invocation& invocation) {
  MODNET_TRY(invocation.check_output(Invocation::Content::kBinary));
  MODNET_ASSIGN(const ModuleFile module, ModuleFile::open_checked(invocation.args.word("BACKBONE"), invocation));
  MODNET_TRY(check_source(module, invocation.args.text("dtype")));
  Result<int> result = convert(invocation, module);
  if (!result.ok() && result.error().code != Code::kUsage && result.error().code != Code::kUnavailable) return std::move(result).error().in_file(module.file.path());
  return result;
}

}  // namespace

CommandSpec convert_command() {
  return {
      .name = "convert",
      .group = "make modules",
      .summary = "store a backbone's weights in fewer bytes, in the same space",
      .description =
          "Writes a backbone whose f32 matrices are stored as f16 or bf16, rounded to nearest even; they are widened when it is loaded, "
          "so it computes in f32 as before. Vectors (biases, gains of norms) stay f32. A matrix with a number that would become infinite "
          "stays f32 and is listed.\n\n"
          "As int8, linear layers compute in 8 bits: weights with a scale an output channel, rows with a scale of their own, exact sums, the "
          "same bits on every CPU. Large columns of a layer's input are moved into its weights first. Layers whose rounding moves the outputs "
          "most stay f32 until the largest difference on the probes is within --int8-error; they are listed. Embedding tables stay f32.\n\n"
          "With --calibrate up to 640 items are drawn from a stream of the backbone's input, as modnet encode writes it. 128 of them join the "
          "probes in that choice; on the others the new module is compared with the old one, and the figures are printed and kept as "
          "evidence. With --head so is the change in a head's accuracy, or R².\n\n"
          "Before anything is written, the new weights are run on the backbone's probes and compared with the outputs of the space that "
          "heads were trained on. Beyond the tolerance the answer is no (exit 1). Otherwise the figures become evidence in the new module, "
          "which keeps root and probes, so that heads of the old one attach to it. The version goes up by a patch.",
      .positionals = {{.name = "BACKBONE", .help = "a backbone module"}},
      .options = {{.name = "dtype", .type = OptionType::kChoice, .help = "how f32 matrices are stored", .choices = {"f16", "bf16", "int8"}, .required = true},
                  {.name = "version", .type = OptionType::kText, .metavar = "SEMVER", .help = "version of the new module (default: the next patch)"},
                  {.name = "int8-error", .type = OptionType::kReal, .metavar = "SHARE", .help = "int8: largest difference from f32 before layers stay f32 (default: 0.8 of --space-tolerance)",
                   .minimum = 0, .maximum = kSpaceTolerance},
                  space_tolerance_option(),
                  {.name = "calibrate", .type = OptionType::kPath, .metavar = "DATA", .help = "a stream of the backbone's input: some items choose beside the probes, the others judge"},
                  {.name = "head", .type = OptionType::kPath, .metavar = "FILE", .help = "with --calibrate: say what this head loses on the items that judge"},
                  {.name = "label", .type = OptionType::kText, .metavar = "COLUMN", .help = "column of DATA with the label that the head should answer (default: label)"}},
      .writes = Writes::kModule,
      .examples = "modnet convert minilm/backbone.mnet --dtype bf16 -o minilm/backbone-bf16.mnet\n"
                  "modnet convert minilm/backbone.mnet --dtype int8 --calibrate train.tokens.arrow --head sections.mnet -o minilm/backbone-int8.mnet",
      .run = run,
  };
}

}  // namespace modnet
