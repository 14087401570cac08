#include "libmod/import/hf_folder.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

#include "formats/module/digests.h"
#include "libmod/import/checkpoint.h"
#include "libmod/import/sentence_transformers.h"
#include "libmod/import/strict_json.h"
#include "libmod/import/tokenizer_config.h"
#include "libmod/import/transformer.h"
#include "libmod/prepare/probes.h"
#include "libmod/prepare/runner.h"
#include "libmod/prepare/text/tokenizer.h"

namespace modnet {
namespace {

constexpr int64_t kMaxConfig = int64_t{16} << 20;
constexpr int64_t kMaxTokenizer = int64_t{1} << 30;

std::string join(const std::string& folder, std::string_view name) { return folder + "/" + std::string(name); }

template <typename T>
Result<T> in_file(Result<T> result, const std::string& path) {
  if (!result.ok()) return std::move(result).error().in_file(path);
  return result;
}

Result<TransformerSpec> read_spec(const std::string& path) {
  MODNET_ASSIGN(const std::string text, read_file(path, kMaxConfig));
  MODNET_ASSIGN(const nlohmann::json parsed, parse_config(text, path));
  if (!parsed.is_object()) return malformed("expected an object").in_file(path);
  StrictObject config(parsed, path);
  MODNET_ASSIGN(const std::string type, config.text("model_type"));
  for (const Family& family : families()) {
    if (family.model_type != type) continue;
    MODNET_ASSIGN(TransformerSpec spec, family.read(config));
    MODNET_TRY(config.finish());
    return spec;
  }
  return config.unknown("model_type", "bert, distilbert, mpnet, roberta, xlm-roberta or camembert");
}

Port text_port(const PreparationRecord& preparation, const SequenceRecord& sequence) {
  Port port;
  port.number = 1;
  port.direction = Direction::kInput;
  port.name = port.value = "text";
  port.dtype = DType::kUtf8;
  port.dims = {{"B", 0, 1, 0, 1}};
  port.semantic = Semantic::kText;
  port.preparation = preparation;
  port.sequence = sequence;
  return port;
}

Port tokens_port(uint32_t number, Direction direction, const PreparationRecord& preparation,
                 const SequenceRecord& sequence) {
  Port port;
  port.number = number;
  port.direction = direction;
  port.name = port.value = "tokens";
  port.dtype = DType::kI32;
  port.layout = Layout::kRagged;
  port.dims = {{"B", 0, 1, 0, 1}, {"T", 0, 1, sequence.max_length, 1}};
  port.semantic = Semantic::kTokens;
  port.sequence = sequence;
  port.preparation = preparation;
  return port;
}

/// Builds both modules; a class because the steps share so much.
/// Whether an array of floating-point numbers holds NaN or Inf: all bits of an exponent are set.
bool not_finite(DType dtype, Bytes data) {
  const auto any = [&]<typename T>(T exponent) {
    for (size_t at = 0; at + sizeof(T) <= data.size(); at += sizeof(T)) {
      T bits;
      std::memcpy(&bits, data.data() + at, sizeof bits);
      if ((bits & exponent) == exponent) return true;
    }
    return false;
  };
  switch (dtype) {
    case DType::kF32: return any(uint32_t{0x7F800000});
    case DType::kF16: return any(uint16_t{0x7C00});
    case DType::kBF16: return any(uint16_t{0x7F80});
    case DType::kF64: return any(uint64_t{0x7FF0000000000000});
    default: return false;
  }
}

class Importer {
 public:
  Importer(std::string folder, const ImportOptions& options)
      : folder_(std::move(folder)), options_(options), model_(std::make_unique<ImportedModel>()) {}

  Result<std::unique_ptr<ImportedModel>> run() {
    MODNET_ASSIGN(sentence_, read_sentence_config(folder_));
    const std::string inner =
        sentence_.transformer_folder.empty() ? folder_ : join(folder_, sentence_.transformer_folder);
    MODNET_ASSIGN(spec_, read_spec(join(inner, "config.json")));
    MODNET_TRY(decide_pooling());
    MODNET_TRY(read_tokenizer(inner));
    MODNET_TRY(read_weights(inner));
    MODNET_TRY(build_encoder());
    MODNET_TRY(build_backbone());
    model_->family = spec_.family;
    return std::move(model_);
  }

 private:
  Status decide_pooling() {
    pooling_ = options_.pooling ? *options_.pooling : sentence_.pooling;
    if (!sentence_.present && !options_.pooling)
      return usage("the folder has no modules.json that says how token embeddings become one embedding",
                   "give --pooling mean, cls, max or none")
          .in_file(folder_);
    int64_t width = spec_.hidden;
    for (const DenseLayer& layer : sentence_.dense) {
      if (layer.inputs != width)
        return malformed("expected in_features " + std::to_string(width) + ", got " + std::to_string(layer.inputs),
                         "in_features")
            .in_file(join(join(folder_, layer.folder), "config.json"));
      width = layer.outputs;
    }
    if (sentence_.pooled_width > 0 && sentence_.pooled_width != spec_.hidden)
      return malformed("the pooling expects a width of " + std::to_string(sentence_.pooled_width) +
                       "; the transformer's is " + std::to_string(spec_.hidden))
          .in_file(folder_);
    // --pooling none leaves token embeddings only: what comes after pooling has nothing to work on.
    if (pooling_ == Pooling::kNone) {
      sentence_.dense.clear();
      sentence_.normalize = false;
    }
    return ok();
  }

  Status read_tokenizer(const std::string& inner) {
    const std::string path = join(inner, "tokenizer.json");
    MODNET_ASSIGN(const std::string text, read_file(path, kMaxTokenizer));
    MODNET_ASSIGN(Tokenizer tokenizer, in_file(Tokenizer::from_json(text), path));
    const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
    MODNET_ASSIGN(const std::optional<int64_t> configured,
                  read_tokenizer_config(join(inner, "tokenizer_config.json"), parsed));
    if (tokenizer.vocab_size() > spec_.vocabulary)
      return malformed("has " + std::to_string(tokenizer.vocab_size()) + " token ids; the model's table has " +
                       std::to_string(spec_.vocabulary) + " rows")
          .in_file(path);
    int64_t length = spec_.max_length();
    const std::optional<int64_t> said = sentence_.max_length ? sentence_.max_length
                                        : configured         ? configured
                                                             : tokenizer.file_max_length();
    if (said) length = std::min(length, *said);
    if (options_.max_length) {
      if (*options_.max_length > length)
        return usage("--max-length " + std::to_string(*options_.max_length) + " is more than the " +
                     std::to_string(length) + " tokens that the model takes");
      length = *options_.max_length;
    }
    if (length <= tokenizer.special_count())
      return usage("a length of " + std::to_string(length) + " tokens does not even hold the " +
                   std::to_string(tokenizer.special_count()) + " special ones");
    model_->max_length = length;
    model_->tokenizer = tokenizer.canonical_json();

    preparation_.method = tokenizer.method();
    const SpecialIds& ids = tokenizer.special_ids();
    const std::pair<const char*, std::optional<int32_t>> roles[] = {
        {"bos", ids.bos}, {"cls", ids.cls}, {"eos", ids.eos}, {"mask", ids.mask},
        {"pad", ids.pad}, {"sep", ids.sep}, {"unk", ids.unk}};
    for (const auto& [role, id] : roles)
      if (id) preparation_.special_ids.push_back({role, *id});
    preparation_.unicode_norm = tokenizer.unicode_norm();
    if (!sentence_.prompt.empty()) preparation_.prefixes = {sentence_.prompt};
    preparation_.digest = DomainHash("modnet.preparation.v1")
                              .text(preparation_.method)
                              .text(model_->tokenizer)
                              .text(sentence_.prompt)
                              .finish();
    sequence_.pad_id = ids.pad ? *ids.pad : spec_.pad_id;
    return ok();
  }

  /// Maps the graph's tensor names to the checkpoint's, checks shapes, lists what is left over.
  Status read_weights(const std::string& inner) {
    MODNET_ASSIGN(checkpoint_, read_checkpoint(inner, model_->files));
    const std::string prefix(spec_.names.prefix);
    const bool prefixed = checkpoint_.find(prefix + std::string(spec_.names.word) + ".weight") != nullptr;
    std::map<std::string, bool> used;
    for (const ExpectedTensor& expected : expected_tensors(spec_)) {
      const std::string stored = (prefixed ? prefix : "") + expected.name;
      const ForeignTensor* tensor = checkpoint_.find_any_age(stored);
      if (tensor == nullptr)
        return malformed("the checkpoint has no tensor '" + stored + "', which config.json calls for").in_file(inner);
      MODNET_TRY(check_weights(*tensor, expected.shape, inner));
      used[tensor->name] = true;
      tensors_[expected.name] = *tensor;
    }
    for (const ForeignTensor& tensor : checkpoint_.tensors) {
      if (used.contains(tensor.name)) continue;
      const std::string name =
          prefixed && tensor.name.starts_with(prefix) ? tensor.name.substr(prefix.size()) : tensor.name;
      // A tensor among the encoder's own that the configuration does not call for would be a model of another kind.
      const bool buffer = name == "embeddings.position_ids" || name == "embeddings.token_type_ids";
      if ((name.starts_with("encoder.") || name.starts_with("transformer.") || name.starts_with("embeddings.")) &&
          !buffer)
        return Error{
            Code::kMalformed,
            "IMPORT_UNKNOWN",
            "tensor '" + tensor.name + "' is not part of a " + spec_.family + " encoder as config.json describes it",
            {},
            inner,
            {}};
      model_->dropped.push_back(tensor.name);
    }
    for (size_t i = 0; i < sentence_.dense.size(); ++i) {
      const DenseLayer& layer = sentence_.dense[i];
      const std::string folder = join(folder_, layer.folder);
      MODNET_ASSIGN(const Checkpoint dense, read_checkpoint(folder, model_->files));
      for (const ForeignTensor& tensor : dense.tensors) {
        const bool weight = tensor.name == "linear.weight";
        if (!weight && (tensor.name != "linear.bias" || !layer.bias))
          return Error{Code::kMalformed,
                       "IMPORT_UNKNOWN",
                       "tensor '" + tensor.name + "' is not part of a dense layer",
                       {},
                       folder,
                       {}};
        MODNET_TRY(check_weights(
            tensor, weight ? std::vector<int64_t>{layer.outputs, layer.inputs} : std::vector<int64_t>{layer.outputs},
            folder));
        tensors_["dense." + std::to_string(i) + (weight ? ".weight" : ".bias")] = tensor;
      }
      if (dense.tensors.size() != (layer.bias ? 2u : 1u))
        return malformed("the dense layer's weights are not complete").in_file(folder);
    }
    return ok();
  }

  Status build_encoder() {
    sequence_.max_length = static_cast<uint64_t>(model_->max_length);
    GraphBuilder graph;
    const std::string text = graph.input("text");
    std::vector<Attribute> attributes = {{"asset", std::string("tokenizer.json")}, {"max_length", model_->max_length}};
    if (!sentence_.prompt.empty()) attributes.push_back({"prefix", sentence_.prompt});
    graph.output(graph.node(kOurDomain, "Tokenize", 1, {text}, std::move(attributes), "tokens"));
    encoder_graph_ = graph.take();
    encoder_contract_.ports = {text_port(preparation_, sequence_),
                               tokens_port(2, Direction::kOutput, preparation_, sequence_)};
    encoder_contract_.requirements.ops = ops_of(encoder_graph_);
    ModuleWriter& writer = model_->encoder;
    writer = ModuleWriter(options_.compression);
    writer.set_identity(identity(options_.name + "-encoder", Kind::kEncoder));
    writer.set_graph(encoder_graph_);
    writer.set_contract(encoder_contract_);
    return writer.add_asset("tokenizer.json", "application/json", as_bytes(model_->tokenizer));
  }

  Identity identity(std::string name, Kind kind) const {
    Identity id;
    id.name = std::move(name);
    id.kind = kind;
    id.version = options_.version;
    id.licence = options_.licence;
    return id;
  }

  /// Pooling, dense layers and normalisation behind the transformer; returns the embedding's value.
  std::string build_sentence(GraphBuilder& graph, std::string x) {
    x = graph.node(kOurDomain, "Pool", 1, {x},
                   {{"mode", std::string(pooling_ == Pooling::kMean  ? "mean"
                                         : pooling_ == Pooling::kCls ? "cls"
                                                                     : "max")}},
                   "pooled");
    width_ = spec_.hidden;
    for (size_t i = 0; i < sentence_.dense.size(); ++i) {
      const std::string name = "dense." + std::to_string(i);
      std::vector<std::string> inputs = {x, name + ".weight"};
      if (sentence_.dense[i].bias) inputs.push_back(name + ".bias");
      x = graph.node("", "Gemm", 1, std::move(inputs), {{"transB", int64_t{1}}}, name);
      if (sentence_.dense[i].activation)
        x = add_activation(graph, *sentence_.dense[i].activation, x, name + ".activation");
      width_ = sentence_.dense[i].outputs;
    }
    if (sentence_.normalize) x = graph.node(kOurDomain, "L2Normalize", 1, {x}, {}, "normalized");
    return x;
  }

  Status build_backbone() {
    GraphBuilder builder;
    std::string last = build_transformer(spec_, builder);
    if (!options_.tap.empty()) {
      const Graph& peek = builder.peek();
      const auto tap =
          std::find_if(peek.taps.begin(), peek.taps.end(), [&](const Tap& one) { return one.name == options_.tap; });
      if (tap == peek.taps.end())
        return usage("there is no tap '" + options_.tap + "'",
                     "use hidden.0 (embeddings) to hidden." + std::to_string(spec_.layers) + " (the last layer)");
      last = tap->value;
    }
    const bool pooled = pooling_ != Pooling::kNone;
    const std::string embedding = pooled ? build_sentence(builder, last) : "";
    if (pooled) builder.output(embedding);
    builder.output(last);
    Graph graph = builder.take();
    std::set<std::string, std::less<>> names;
    for (const auto& [name, tensor] : tensors_) names.insert(name);
    const std::set<std::string, std::less<>> reached = prune(graph, names);
    for (const auto& [name, tensor] : tensors_)
      if (!reached.contains(name)) model_->dropped.push_back(tensor.name);
    std::sort(model_->dropped.begin(), model_->dropped.end());

    ModuleWriter& writer = model_->backbone;
    writer = ModuleWriter(options_.compression);
    writer.set_identity(identity(options_.name, Kind::kBackbone));
    writer.set_graph(graph);
    for (const std::string& name : reached) {
      const ForeignTensor& tensor = tensors_.at(name);
      std::vector<uint64_t> shape;
      uint64_t count = 1;
      for (const int64_t dim : tensor.shape) {
        shape.push_back(static_cast<uint64_t>(dim));
        count *= static_cast<uint64_t>(dim);
      }
      model_->parameters += static_cast<int64_t>(count);
      MODNET_TRY(writer.add_tensor(name, tensor.dtype, std::move(shape), tensor.data));
    }
    Contract contract = backbone_contract(graph, embedding, last, writer.body());
    writer.set_contract(contract);
    return add_probes(graph, contract, writer);
  }

  Contract backbone_contract(const Graph& graph, const std::string& embedding, const std::string& last,
                             const Digest& body) {
    Contract contract;
    SequenceRecord sequence = sequence_;
    sequence.max_length = static_cast<uint64_t>(spec_.max_length());
    contract.ports.push_back(tokens_port(1, Direction::kInput, preparation_, sequence));
    if (spec_.token_types > 1) {
      Port types = tokens_port(2, Direction::kInput, {}, sequence);
      types.name = types.value = "token_types";
      types.semantic = Semantic::kTokenTypes;
      types.preparation.reset();
      types.optional = true;
      contract.ports.push_back(types);
    }
    const std::string tapped = options_.tap.empty() ? "" : "-" + options_.tap;
    if (!embedding.empty()) {
      Port port;
      port.number = 3;
      port.direction = Direction::kOutput;
      port.name = "embedding";
      port.value = embedding;
      port.dtype = DType::kF32;
      port.dims = {{"B", 0, 1, 0, 1}, {"", static_cast<uint64_t>(width_), 1, 0, 1}};
      port.semantic = Semantic::kEmbedding;
      port.values.emplace();
      port.values->norm = sentence_.normalize ? NormKind::kL2 : NormKind::kNone;
      if (sentence_.normalize) {
        port.values->low = -1.0;
        port.values->high = 1.0;
      }
      SpaceRecord space;
      space.id = options_.name + "/" +
                 (pooling_ == Pooling::kMean  ? "mean"
                  : pooling_ == Pooling::kCls ? "cls"
                                              : "max") +
                 (sentence_.dense.empty() ? "" : "-dense") + (sentence_.normalize ? "-l2" : "") + tapped;
      space.version = "1";
      space.metric = sentence_.metric;
      space.pooling = pooling_;
      space.normalized = sentence_.normalize;
      port.space = space;
      model_->space = space.id + "@" + space.version;
      contract.ports.push_back(std::move(port));
    }
    Port tokens;
    tokens.number = 4;
    tokens.direction = Direction::kOutput;
    tokens.name = "token_embeddings";
    tokens.value = last;
    tokens.dtype = DType::kF32;
    tokens.layout = Layout::kRagged;
    tokens.dims = {
        {"B", 0, 1, 0, 1}, {"T", 0, 1, sequence.max_length, 1}, {"", static_cast<uint64_t>(spec_.hidden), 1, 0, 1}};
    tokens.semantic = Semantic::kTokenEmbedding;
    tokens.sequence = sequence;
    SpaceRecord space;
    space.id = options_.name + "/tokens" + tapped;
    space.version = "1";
    space.metric = Metric::kCosine;
    space.pooling = Pooling::kNone;
    tokens.space = space;
    contract.ports.push_back(std::move(tokens));
    for (Port& port : contract.ports)
      if (port.space) port.space->fingerprint = port.space->root = port_fingerprint(body, contract, port);
    contract.requirements.ops = ops_of(graph);
    if (model_->space.empty()) model_->space = options_.name + "/tokens@1";
    return contract;
  }

  Status add_probes(const Graph& graph, const Contract& contract, ModuleWriter& writer) {
    const auto no_tensor = [](std::string_view name) -> Result<ConstTensor> {
      return internal("no tensor " + std::string(name));
    };
    RunnerOptions run_options;
    run_options.context = options_.context;
    FlatGraph flat_encoder = flat_from_parts(
        encoder_graph_, encoder_contract_, no_tensor, [](std::string_view) { return false; },
        [this](std::string_view) -> Result<Bytes> { return as_bytes(model_->tokenizer); });
    MODNET_ASSIGN(Runner encoder, Runner::make(std::move(flat_encoder), {"tokens"}, run_options));
    MODNET_ASSIGN(Probes probes, text_probes(encoder, "tokens"));
    FlatGraph flat = flat_from_parts(
        graph, contract,
        [this](std::string_view name) -> Result<ConstTensor> {
          const ForeignTensor& tensor = tensors_.at(std::string(name));
          return ConstTensor{std::string(name), tensor.dtype, tensor.shape, tensor.data};
        },
        [this](std::string_view name) { return tensors_.contains(std::string(name)); },
        [](std::string_view) -> Result<Bytes> { return internal("no asset"); });
    std::vector<std::string> ports;
    for (const Port& port : contract.ports)
      if (port.direction == Direction::kOutput) ports.push_back(port.name);
    MODNET_ASSIGN(Runner backbone, Runner::make(std::move(flat), ports, run_options));
    MODNET_TRY(fill_probe_outputs(backbone, probes));
    for (const ProbeArray& output : probes.outputs)
      if (not_finite(DType::kF32, as_bytes(output.data))) return refuse_not_finite(output.port);
    return writer.set_probes(probes);
  }

  /// Names the weight to blame, where it is one.
  Error refuse_not_finite(const std::string& port) const {
    for (const auto& [name, tensor] : tensors_)
      if (not_finite(tensor.dtype, tensor.data))
        return malformed("tensor '" + name + "' holds values that are not finite").in_file(folder_);
    return malformed("the model gives '" + port + "' values that are not finite on ordinary inputs").in_file(folder_);
  }

  std::string folder_;
  const ImportOptions& options_;
  std::unique_ptr<ImportedModel> model_;
  SentenceConfig sentence_;
  TransformerSpec spec_;
  Pooling pooling_ = Pooling::kNone;
  PreparationRecord preparation_;
  SequenceRecord sequence_;
  Checkpoint checkpoint_;
  std::map<std::string, ForeignTensor> tensors_;
  Graph encoder_graph_;
  Contract encoder_contract_;
  int64_t width_ = 0;
};

}  // namespace

Result<std::unique_ptr<ImportedModel>> import_hf_folder(const std::string& folder, const ImportOptions& options) {
  std::string trimmed = folder;
  while (trimmed.size() > 1 && trimmed.back() == '/') trimmed.pop_back();
  std::error_code failed;
  if (!std::filesystem::is_directory(trimmed, failed))
    return Error{Code::kUnreadable,
                 "CANNOT_READ",
                 "is not a folder",
                 {},
                 folder,
                 "give a folder with config.json, tokenizer.json and model.safetensors"};
  return Importer(trimmed, options).run();
}

}  // namespace modnet
