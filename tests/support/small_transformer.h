// A tiny post-norm transformer with made-up weights, as graph, contract and tensors: for tests of plans and runners.
#pragma once

#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libmod/graph/graph.h"
#include "libmod/import/transformer.h"
#include "libmod/prepare/runner.h"
#include "tests/unit/compute/product_cases.h"

namespace modnet::test {

struct SmallTensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

/// Graph, contract, tensors and assets of one model; flat() borrows them.
struct SmallModel {
  Graph graph;
  Contract contract;
  std::map<std::string, SmallTensor, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> assets;

  [[nodiscard]] FlatGraph flat() const {
    return flat_from_parts(
        graph, contract,
        [this](std::string_view name) -> Result<ConstTensor> {
          const auto it = tensors.find(name);
          if (it == tensors.end()) return malformed("there is no tensor '" + std::string(name) + "'");
          return ConstTensor{std::string(name), DType::kF32, it->second.shape, std::as_bytes(std::span(it->second.values))};
        },
        [this](std::string_view name) { return tensors.find(name) != tensors.end(); },
        [this](std::string_view name) -> Result<Bytes> {
          const auto it = assets.find(name);
          if (it == assets.end()) return malformed("there is no asset '" + std::string(name) + "'");
          return as_bytes(it->second);
        });
  }
};

[[nodiscard]] inline TransformerSpec small_spec() {
  TransformerSpec spec;
  spec.family = "bert";
  spec.names = {"",        "word",       "place",   "type",     "embedding_norm", "l{}.q",       "l{}.k",
                "l{}.v",   "l{}.out",    "l{}.n1",  "l{}.in",   "l{}.back",       "l{}.n2",      "distances"};
  spec.vocabulary = 30;
  spec.hidden = 24;
  spec.layers = 2;
  spec.heads = 3;
  spec.ffn = 40;
  spec.positions = 20;
  spec.token_types = 2;
  return spec;
}

[[nodiscard]] inline Port small_port(uint32_t number, Direction direction, std::string name, DType dtype, Semantic semantic) {
  Port port;
  port.number = number;
  port.direction = direction;
  port.name = std::move(name);
  port.value = port.name;
  port.dtype = dtype;
  port.dims = {{"B", 0, 1, 0, 1}};
  port.semantic = semantic;
  return port;
}

/// Inputs "tokens" and, with two types or more, "token_types" (optional); outputs "hidden" (ragged) and "embedding".
[[nodiscard]] inline SmallModel small_transformer(const TransformerSpec& spec, uint64_t seed = 1) {
  SmallModel model;
  Numbers numbers(seed);
  for (const ExpectedTensor& one : expected_tensors(spec)) {
    int64_t n = 1;
    for (const int64_t size : one.shape) n *= size;
    SmallTensor& tensor = model.tensors[one.name];
    tensor.shape = one.shape;
    tensor.values = numbers.make<float>(n, 0.5);
    if (one.name.find("n1.weight") != std::string::npos || one.name.find("n2.weight") != std::string::npos)
      for (float& value : tensor.values) value += 1.0f;
  }
  GraphBuilder builder;
  const std::string hidden = build_transformer(spec, builder);
  const std::string pooled = builder.node(kOurDomain, "Pool", 1, {hidden}, {{"mode", std::string("mean")}}, "pooled");
  const std::string embedding = builder.node(kOurDomain, "L2Normalize", 1, {pooled}, {}, "embedding");
  builder.output(hidden);
  builder.output(embedding);
  model.graph = builder.take();
  const auto most = static_cast<uint64_t>(spec.max_length());
  Port tokens = small_port(1, Direction::kInput, "tokens", DType::kI32, Semantic::kTokens);
  tokens.layout = Layout::kRagged;
  tokens.dims.push_back({"T", 0, 1, most, 1});
  tokens.sequence.emplace();
  tokens.sequence->max_length = most;
  model.contract.ports.push_back(tokens);
  if (spec.token_types > 1) {
    Port types = tokens;
    types.number = 2;
    types.name = types.value = "token_types";
    types.semantic = Semantic::kTokenTypes;
    types.optional = true;
    model.contract.ports.push_back(types);
  }
  Port out = tokens;
  out.number = 3;
  out.direction = Direction::kOutput;
  out.name = "hidden";
  out.value = hidden;
  out.dtype = DType::kF32;
  out.dims.push_back({"", static_cast<uint64_t>(spec.hidden), 1, 0, 1});
  out.semantic = Semantic::kTokenEmbedding;
  model.contract.ports.push_back(out);
  Port vector = small_port(4, Direction::kOutput, "embedding", DType::kF32, Semantic::kEmbedding);
  vector.value = embedding;
  vector.dims.push_back(out.dims.back());
  model.contract.ports.push_back(vector);
  return model;
}

/// Sequences of these lengths with ids below `vocabulary`, none of them `pad`.
struct SmallBatch {
  std::vector<int32_t> ids, types;
  std::vector<int64_t> offsets = {0};
  [[nodiscard]] int64_t items() const { return static_cast<int64_t>(offsets.size()) - 1; }
};
[[nodiscard]] inline SmallBatch small_batch(const std::vector<int64_t>& lengths, int64_t vocabulary = 30, uint64_t seed = 9) {
  SmallBatch batch;
  Numbers numbers(seed);
  for (const int64_t length : lengths) {
    for (int64_t i = 0; i < length; ++i) {
      batch.ids.push_back(static_cast<int32_t>(1 + static_cast<int64_t>((numbers.next() + 1) / 2 * static_cast<double>(vocabulary - 1))));
      batch.types.push_back(numbers.next() > 0 ? 1 : 0);
    }
    batch.offsets.push_back(batch.offsets.back() + length);
  }
  return batch;
}

}  // namespace modnet::test
