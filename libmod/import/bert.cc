// BERT (Devlin et al. 2018) and RoBERTa (Liu et al. 2019), which differ in how positions are counted.
#include <array>

#include "libmod/import/transformer.h"

namespace modnet {
namespace {

constexpr TransformerNames kNames = {
    "bert.",
    "embeddings.word_embeddings",
    "embeddings.position_embeddings",
    "embeddings.token_type_embeddings",
    "embeddings.LayerNorm",
    "encoder.layer.{}.attention.self.query",
    "encoder.layer.{}.attention.self.key",
    "encoder.layer.{}.attention.self.value",
    "encoder.layer.{}.attention.output.dense",
    "encoder.layer.{}.attention.output.LayerNorm",
    "encoder.layer.{}.intermediate.dense",
    "encoder.layer.{}.output.dense",
    "encoder.layer.{}.output.LayerNorm",
    "",
};

Result<TransformerSpec> read_shared(StrictObject& config) {
  TransformerSpec spec;
  spec.names = kNames;
  MODNET_ASSIGN(spec.vocabulary, config.integer("vocab_size", 1, 1 << 24));
  MODNET_ASSIGN(spec.hidden, config.integer("hidden_size", 1, 1 << 16));
  MODNET_ASSIGN(spec.layers, config.integer("num_hidden_layers", 0, 1024));
  MODNET_ASSIGN(spec.heads, config.integer("num_attention_heads", 1, 4096));
  MODNET_ASSIGN(spec.ffn, config.integer("intermediate_size", 1, 1 << 20));
  MODNET_ASSIGN(spec.positions, config.integer("max_position_embeddings", 1, 1 << 20));
  MODNET_ASSIGN(spec.token_types, config.integer_or("type_vocab_size", 1, 1 << 16, 2));
  MODNET_ASSIGN(spec.pad_id, config.integer_or("pad_token_id", 0, 1 << 24, 0));
  MODNET_ASSIGN(spec.epsilon, config.real_or("layer_norm_eps", 1e-12));
  if (!(spec.epsilon > 0 && spec.epsilon < 1)) return config.unknown("layer_norm_eps", "a number between 0 and 1");
  MODNET_ASSIGN(spec.activation, read_activation(config, "hidden_act"));
  if (spec.hidden % spec.heads != 0) return config.unknown("num_attention_heads", "a divisor of hidden_size");
  MODNET_TRY(config.must_be("is_decoder", false));
  MODNET_TRY(config.must_be("add_cross_attention", false));
  MODNET_TRY(config.must_be("position_embedding_type", "absolute"));
  MODNET_TRY(config.must_be("directionality", "bidi"));
  MODNET_TRY(config.must_be("pruned_heads", nlohmann::json::object()));
  MODNET_TRY(config.must_be("is_encoder_decoder", false));
  constexpr std::array<std::string_view, 5> kPooler = {"pooler_fc_size", "pooler_num_attention_heads",
                                                       "pooler_num_fc_layers", "pooler_size_per_head", "pooler_type"};
  config.ignore(kPooler);
  config.ignore(bookkeeping_keys());
  return spec;
}

}  // namespace

Result<TransformerSpec> read_bert(StrictObject& config) {
  MODNET_ASSIGN(TransformerSpec spec, read_shared(config));
  spec.family = "bert";
  return spec;
}

Result<TransformerSpec> read_roberta(StrictObject& config) {
  MODNET_ASSIGN(TransformerSpec spec, read_shared(config));
  spec.family = "roberta";
  spec.names.prefix = "roberta.";
  spec.position_mode = PositionMode::kAfterPadding;
  if (!config.has("pad_token_id")) spec.pad_id = 1;  // transformers' default for this family
  if (spec.max_length() < 1) return config.unknown("max_position_embeddings", "more than pad_token_id + 1");
  return spec;
}

}  // namespace modnet
