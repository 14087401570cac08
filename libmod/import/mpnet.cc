// MPNet (Song et al. 2020): BERT without token types, positions counted as in RoBERTa, and a table of relative
// distances that all layers share.
#include "libmod/import/transformer.h"

namespace modnet {

Result<TransformerSpec> read_mpnet(StrictObject& config) {
  TransformerSpec spec;
  spec.family = "mpnet";
  spec.names = {
      "mpnet.",
      "embeddings.word_embeddings",
      "embeddings.position_embeddings",
      "",
      "embeddings.LayerNorm",
      "encoder.layer.{}.attention.attn.q",
      "encoder.layer.{}.attention.attn.k",
      "encoder.layer.{}.attention.attn.v",
      "encoder.layer.{}.attention.attn.o",
      "encoder.layer.{}.attention.LayerNorm",
      "encoder.layer.{}.intermediate.dense",
      "encoder.layer.{}.output.dense",
      "encoder.layer.{}.output.LayerNorm",
      "encoder.relative_attention_bias",
  };
  MODNET_ASSIGN(spec.vocabulary, config.integer("vocab_size", 1, 1 << 24));
  MODNET_ASSIGN(spec.hidden, config.integer("hidden_size", 1, 1 << 16));
  MODNET_ASSIGN(spec.layers, config.integer("num_hidden_layers", 0, 1024));
  MODNET_ASSIGN(spec.heads, config.integer("num_attention_heads", 1, 4096));
  MODNET_ASSIGN(spec.ffn, config.integer("intermediate_size", 1, 1 << 20));
  MODNET_ASSIGN(spec.positions, config.integer("max_position_embeddings", 1, 1 << 20));
  MODNET_ASSIGN(spec.pad_id, config.integer_or("pad_token_id", 0, 1 << 24, 1));
  MODNET_ASSIGN(spec.epsilon, config.real_or("layer_norm_eps", 1e-12));
  if (!(spec.epsilon > 0 && spec.epsilon < 1)) return config.unknown("layer_norm_eps", "a number between 0 and 1");
  MODNET_ASSIGN(spec.relative_buckets, config.integer_or("relative_attention_num_buckets", 4, 1 << 12, 32));
  MODNET_ASSIGN(spec.activation, read_activation(config, "hidden_act"));
  if (spec.hidden % spec.heads != 0) return config.unknown("num_attention_heads", "a divisor of hidden_size");
  if (spec.relative_buckets % 2 != 0) return config.unknown("relative_attention_num_buckets", "an even number");
  spec.position_mode = PositionMode::kAfterPadding;
  spec.pad_id = 1;  // MPNetEmbeddings fixes padding_idx to 1 whatever pad_token_id says
  if (spec.max_length() < 1) return config.unknown("max_position_embeddings", "more than 2");
  MODNET_TRY(config.must_be("is_decoder", false));
  MODNET_TRY(config.must_be("is_encoder_decoder", false));
  MODNET_TRY(config.must_be("pruned_heads", nlohmann::json::object()));
  config.ignore(bookkeeping_keys());
  return spec;
}

}  // namespace modnet
