#include "libmod/import/transformer.h"

#include <array>

namespace modnet {
namespace {

std::string at_layer(std::string_view name, int64_t layer) {
  std::string out(name);
  if (const size_t at = out.find("{}"); at != std::string::npos) out.replace(at, 2, std::to_string(layer));
  return out;
}

std::string linear(GraphBuilder& graph, const std::string& name, const std::string& input) {
  return graph.node("", "Gemm", 1, {input, name + ".weight", name + ".bias"}, {{"transB", int64_t{1}}}, name);
}

std::string norm(GraphBuilder& graph, const std::string& name, const std::string& input, double epsilon) {
  return graph.node("", "LayerNormalization", 1, {input, name + ".weight", name + ".bias"}, {{"epsilon", epsilon}},
                    name);
}

}  // namespace

std::span<const Family> families() {
  static constexpr std::array kFamilies = {Family{"bert", read_bert},           Family{"distilbert", read_distilbert},
                                           Family{"mpnet", read_mpnet},         Family{"roberta", read_roberta},
                                           Family{"xlm-roberta", read_roberta}, Family{"camembert", read_roberta}};
  return kFamilies;
}

Result<UnaryOp> read_activation(StrictObject& config, std::string_view key) {
  MODNET_ASSIGN(const std::string name, config.text_or(key, "gelu"));
  struct Row {
    std::string_view name;
    UnaryOp op;
  };
  constexpr Row kRows[] = {
      {"gelu", UnaryOp::kGelu},        {"gelu_new", UnaryOp::kGeluTanh}, {"gelu_pytorch_tanh", UnaryOp::kGeluTanh},
      {"gelu_python", UnaryOp::kGelu}, {"relu", UnaryOp::kRelu},         {"silu", UnaryOp::kSilu},
      {"swish", UnaryOp::kSilu},       {"tanh", UnaryOp::kTanh}};
  for (const Row& row : kRows)
    if (row.name == name) return row.op;
  return config.unknown(key, "gelu, gelu_new, relu, silu or tanh");
}

std::span<const std::string_view> bookkeeping_keys() {
  static constexpr std::array<std::string_view, 33> kKeys = {"_attn_implementation_autoset",
                                                             "_name_or_path",
                                                             "_num_labels",
                                                             "architectures",
                                                             "attention_probs_dropout_prob",
                                                             "bos_token_id",
                                                             "chunk_size_feed_forward",
                                                             "classifier_dropout",
                                                             "decoder_start_token_id",
                                                             "dtype",
                                                             "eos_token_id",
                                                             "finetuning_task",
                                                             "gradient_checkpointing",
                                                             "hidden_dropout_prob",
                                                             "id2label",
                                                             "initializer_range",
                                                             "label2id",
                                                             "model_type",
                                                             "num_labels",
                                                             "output_attentions",
                                                             "output_hidden_states",
                                                             "output_past",
                                                             "problem_type",
                                                             "return_dict",
                                                             "sep_token_id",
                                                             "task_specific_params",
                                                             "tie_word_embeddings",
                                                             "tokenizer_class",
                                                             "torch_dtype",
                                                             "torchscript",
                                                             "transformers_version",
                                                             "use_bfloat16",
                                                             "use_cache"};
  return kKeys;
}

std::string add_activation(GraphBuilder& graph, UnaryOp op, std::string input, std::string_view output) {
  switch (op) {
    case UnaryOp::kGelu:
      return graph.node("", "Gelu", 1, {std::move(input)}, {{"approximate", std::string("none")}}, output);
    case UnaryOp::kGeluTanh:
      return graph.node("", "Gelu", 1, {std::move(input)}, {{"approximate", std::string("tanh")}}, output);
    case UnaryOp::kRelu:
      return graph.node("", "Relu", 1, {std::move(input)}, {}, output);
    case UnaryOp::kSilu:
      return graph.node(kOurDomain, "Silu", 1, {std::move(input)}, {}, output);
    case UnaryOp::kSigmoid:
      return graph.node("", "Sigmoid", 1, {std::move(input)}, {}, output);
    default:
      return graph.node("", "Tanh", 1, {std::move(input)}, {}, output);
  }
}

std::vector<ExpectedTensor> expected_tensors(const TransformerSpec& spec) {
  const TransformerNames& names = spec.names;
  const int64_t d = spec.hidden;
  std::vector<ExpectedTensor> out;
  const auto pair = [&](std::string name, std::vector<int64_t> shape) {
    const int64_t width = shape[0];
    out.push_back({name + ".weight", std::move(shape)});
    out.push_back({name + ".bias", {width}});
  };
  out.push_back({std::string(names.word) + ".weight", {spec.vocabulary, d}});
  out.push_back({std::string(names.position) + ".weight", {spec.positions, d}});
  if (spec.token_types > 0) out.push_back({std::string(names.token_type) + ".weight", {spec.token_types, d}});
  if (spec.relative_buckets > 0)
    out.push_back({std::string(names.relative) + ".weight", {spec.relative_buckets, spec.heads}});
  pair(std::string(names.embedding_norm), {d});
  for (int64_t i = 0; i < spec.layers; ++i) {
    for (const std::string_view name : {names.query, names.key, names.value, names.attention_out})
      pair(at_layer(name, i), {d, d});
    pair(at_layer(names.attention_norm, i), {d});
    pair(at_layer(names.ffn_in, i), {spec.ffn, d});
    pair(at_layer(names.ffn_out, i), {d, spec.ffn});
    pair(at_layer(names.ffn_norm, i), {d});
  }
  return out;
}

std::string build_transformer(const TransformerSpec& spec, GraphBuilder& graph) {
  const TransformerNames& names = spec.names;
  const std::string tokens = graph.input("tokens");
  const std::string types = spec.token_types > 1 ? graph.input("token_types") : "";
  std::vector<Attribute> position_attributes = {{"mode", std::string("absolute")}};
  if (spec.position_mode == PositionMode::kAfterPadding)
    position_attributes = {{"mode", std::string("after_padding")}, {"pad_id", spec.pad_id}};
  const std::string positions =
      graph.node(kOurDomain, "Positions", 1, {tokens}, std::move(position_attributes), "positions");

  // The order of the sums is transformers': words + types, then + positions.
  std::string x = graph.node("", "Gather", 1, {std::string(names.word) + ".weight", tokens}, {}, "embeddings.word");
  if (!types.empty()) {
    const std::string rows =
        graph.node("", "Gather", 1, {std::string(names.token_type) + ".weight", types}, {}, "embeddings.type");
    x = graph.node("", "Add", 1, {x, rows}, {}, "embeddings.word_type");
  } else if (spec.token_types == 1) {
    x = graph.node("", "Add", 1, {x, std::string(names.token_type) + ".weight"}, {}, "embeddings.word_type");
  }
  const std::string places =
      graph.node("", "Gather", 1, {std::string(names.position) + ".weight", positions}, {}, "embeddings.place");
  x = graph.node("", "Add", 1, {x, places}, {}, "embeddings.sum");
  x = norm(graph, std::string(names.embedding_norm), x, spec.epsilon);
  graph.tap("hidden.0", x);

  for (int64_t i = 0; i < spec.layers; ++i) {
    std::vector<std::string> inputs = {linear(graph, at_layer(names.query, i), x),
                                       linear(graph, at_layer(names.key, i), x),
                                       linear(graph, at_layer(names.value, i), x)};
    std::vector<Attribute> attributes = {{"heads", spec.heads}};
    if (spec.relative_buckets > 0) {
      inputs.push_back(std::string(names.relative) + ".weight");
      attributes.push_back({"buckets", spec.relative_buckets});
      attributes.push_back({"max_distance", int64_t{128}});
      attributes.push_back({"max_length", spec.max_length()});
    }
    const std::string label = "layer." + std::to_string(i);
    const std::string context =
        graph.node(kOurDomain, "Attention", 1, std::move(inputs), std::move(attributes), label + ".attention");
    const std::string mixed = linear(graph, at_layer(names.attention_out, i), context);
    const std::string sum = graph.node("", "Add", 1, {mixed, x}, {}, label + ".attention_sum");
    x = norm(graph, at_layer(names.attention_norm, i), sum, spec.epsilon);
    const std::string inner = linear(graph, at_layer(names.ffn_in, i), x);
    const std::string active = add_activation(graph, spec.activation, inner, label + ".activation");
    const std::string outer = linear(graph, at_layer(names.ffn_out, i), active);
    const std::string ffn_sum = graph.node("", "Add", 1, {outer, x}, {}, label + ".ffn_sum");
    x = norm(graph, at_layer(names.ffn_norm, i), ffn_sum, spec.epsilon);
    graph.tap("hidden." + std::to_string(i + 1), x);
  }
  return x;
}

}  // namespace modnet
