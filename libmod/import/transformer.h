// What the BERT family shares: a post-norm transformer encoder described by sizes and tensor names, turned into a
// graph. One file a family (bert.cc, distilbert.cc, mpnet.cc) reads its configuration into this description. Tested by
// tests/parity/import_test.cc against transformers' outputs, and tests/unit/import/.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/records.h"
#include "libmod/compute/elementwise.h"
#include "libmod/graph/graph.h"
#include "libmod/import/strict_json.h"

namespace modnet {

/// Names of one linear layer or norm are NAME.weight and NAME.bias; "{}" stands for the layer's number.
struct TransformerNames {
  std::string_view prefix;  // "bert.": what checkpoints of task models put before every name
  std::string_view word, position, token_type, embedding_norm;  // token_type empty: the family has none
  std::string_view query, key, value, attention_out, attention_norm, ffn_in, ffn_out, ffn_norm;
  std::string_view relative;  // distance table shared by all layers; empty: none
};

enum class PositionMode : uint8_t { kAbsolute, kAfterPadding };

struct TransformerSpec {
  std::string family;  // "bert"
  TransformerNames names;
  int64_t vocabulary = 0, hidden = 0, layers = 0, heads = 0, ffn = 0;
  int64_t positions = 0;    // rows of the position table
  int64_t token_types = 0;  // rows of the token type table, 0: none
  int64_t pad_id = 0;
  double epsilon = 1e-12;
  UnaryOp activation = UnaryOp::kGelu;
  PositionMode position_mode = PositionMode::kAbsolute;
  int64_t relative_buckets = 0;  // 0: no relative positions

  /// The longest sequence that the position table allows.
  [[nodiscard]] int64_t max_length() const {
    return position_mode == PositionMode::kAbsolute ? positions : positions - pad_id - 1;
  }
};

/// config.json → description. kMalformed (IMPORT_UNKNOWN) names the key that is not understood.
using FamilyReader = Result<TransformerSpec> (*)(StrictObject& config);
struct Family {
  std::string_view model_type;
  FamilyReader read;
};
/// Every family, by the model_type of its config.json.
[[nodiscard]] std::span<const Family> families();
[[nodiscard]] Result<TransformerSpec> read_bert(StrictObject& config);        // bert.cc
[[nodiscard]] Result<TransformerSpec> read_roberta(StrictObject& config);     // bert.cc
[[nodiscard]] Result<TransformerSpec> read_distilbert(StrictObject& config);  // distilbert.cc
[[nodiscard]] Result<TransformerSpec> read_mpnet(StrictObject& config);       // mpnet.cc
/// hidden_act of transformers' configurations.
[[nodiscard]] Result<UnaryOp> read_activation(StrictObject& config, std::string_view key);
/// Keys of every transformers configuration that do not change what an encoder computes.
[[nodiscard]] std::span<const std::string_view> bookkeeping_keys();

/// The expected tensors with their shapes, in no order: what an import demands of the checkpoint.
struct ExpectedTensor {
  std::string name;
  std::vector<int64_t> shape;
};
[[nodiscard]] std::vector<ExpectedTensor> expected_tensors(const TransformerSpec& spec);

/// Adds the encoder to a graph whose inputs it declares ("tokens", and "token_types" where there are several): taps
/// hidden.0 (embeddings) … hidden.N (after layer N). Returns the value of the last one.
[[nodiscard]] std::string build_transformer(const TransformerSpec& spec, GraphBuilder& graph);

/// The node that applies an activation.
[[nodiscard]] std::string add_activation(GraphBuilder& graph, UnaryOp op, std::string input, std::string_view output);

}  // namespace modnet
