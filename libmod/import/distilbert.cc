// DistilBERT (Sanh et al. 2019): BERT without token types and pooler, half the layers, other names.
#include <array>

#include "libmod/import/transformer.h"

namespace modnet {

Result<TransformerSpec> read_distilbert(StrictObject& config) {
  TransformerSpec spec;
  spec.family = "distilbert";
  spec.names = {
      "distilbert.",
      "embeddings.word_embeddings",
      "embeddings.position_embeddings",
      "",
      "embeddings.LayerNorm",
      "transformer.layer.{}.attention.q_lin",
      "transformer.layer.{}.attention.k_lin",
      "transformer.layer.{}.attention.v_lin",
      "transformer.layer.{}.attention.out_lin",
      "transformer.layer.{}.sa_layer_norm",
      "transformer.layer.{}.ffn.lin1",
      "transformer.layer.{}.ffn.lin2",
      "transformer.layer.{}.output_layer_norm",
      "",
  };
  MODNET_ASSIGN(spec.vocabulary, config.integer("vocab_size", 1, 1 << 24));
  MODNET_ASSIGN(spec.hidden, config.integer("dim", 1, 1 << 16));
  MODNET_ASSIGN(spec.layers, config.integer("n_layers", 0, 1024));
  MODNET_ASSIGN(spec.heads, config.integer("n_heads", 1, 4096));
  MODNET_ASSIGN(spec.ffn, config.integer("hidden_dim", 1, 1 << 20));
  MODNET_ASSIGN(spec.positions, config.integer("max_position_embeddings", 1, 1 << 20));
  MODNET_ASSIGN(spec.pad_id, config.integer_or("pad_token_id", 0, 1 << 24, 0));
  MODNET_ASSIGN(spec.activation, read_activation(config, "activation"));
  if (spec.hidden % spec.heads != 0) return config.unknown("n_heads", "a divisor of dim");
  spec.epsilon = 1e-12;  // fixed in transformers' code
  MODNET_TRY(config.must_be("is_decoder", false));
  MODNET_TRY(config.must_be("is_encoder_decoder", false));
  MODNET_TRY(config.must_be("pruned_heads", nlohmann::json::object()));
  // sinusoidal_pos_embds only says how the position table, which is stored, was filled.
  constexpr std::array<std::string_view, 6> kNoEffect = {
      "attention_dropout", "dropout", "qa_dropout", "seq_classif_dropout", "sinusoidal_pos_embds", "tie_weights_"};
  config.ignore(kNoEffect);
  config.ignore(bookkeeping_keys());
  return spec;
}

}  // namespace modnet
