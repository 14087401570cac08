// Models for the tests of this folder: text in, token ids in, pictures in.
#pragma once

#include <string>
#include <vector>

#include "tests/support/small_transformer.h"
#include "tests/unit/prepare/text/samples.h"

namespace modnet::test {

/// The small transformer behind a WordPiece encoder: text in; tokens, hidden and embedding out. 0: no length limit.
[[nodiscard]] inline SmallModel text_model(int64_t max_length, const std::string& prefix = "") {
  SmallModel model = small_transformer(small_spec());
  model.assets["tokenizer.json"] = std::string(kBertSample);
  Node tokenize{"modnet", "Tokenize", 1, "", {"text"}, {"tokens"}, {{"asset", std::string("tokenizer.json")}, {"max_length", max_length}}};
  if (!prefix.empty()) tokenize.attributes.push_back({"prefix", prefix});
  model.graph.nodes.insert(model.graph.nodes.begin(), tokenize);
  model.graph.inputs[0] = "text";
  Port& in = model.contract.ports[0];
  Port tokens = in;
  tokens.direction = Direction::kOutput;
  in = small_port(1, Direction::kInput, "text", DType::kUtf8, Semantic::kText);
  tokens.number = 9;
  model.contract.ports.push_back(tokens);
  return model;
}

/// u8 pictures [height, width] → Cast → Flatten → Gemm → "features"; the input is also a plain f32 port when `dtype` says so.
[[nodiscard]] inline SmallModel picture_model(DType dtype, std::vector<int64_t> shape, int64_t features) {
  SmallModel model;
  int64_t pixels = 1;
  for (const int64_t size : shape) pixels *= size;
  Numbers numbers(4);
  model.tensors["w"] = {{features, pixels}, numbers.make<float>(features * pixels, 0.1)};
  model.tensors["b"] = {{features}, numbers.make<float>(features, 0.1)};
  GraphBuilder builder;
  const std::string x = builder.node("", "Cast", 1, {builder.input("image")}, {{"to", int64_t{1}}}, "numbers");
  const std::string flat = builder.node("", "Flatten", 1, {x}, {}, "flat");
  builder.tap("pixels", flat);
  builder.output(builder.node("", "Gemm", 1, {flat, "w", "b"}, {{"transB", int64_t{1}}}, "features"));
  model.graph = builder.take();
  Port image = small_port(1, Direction::kInput, "image", dtype, Semantic::kImage);
  for (const int64_t size : shape) image.dims.push_back({"", static_cast<uint64_t>(size), 1, 0, 1});
  Port out = small_port(2, Direction::kOutput, "features", DType::kF32, Semantic::kEmbedding);
  out.dims.push_back({"", static_cast<uint64_t>(features), 1, 0, 1});
  model.contract.ports = {image, out};
  return model;
}

[[nodiscard]] inline Runner runner_of(const SmallModel& model, const std::vector<std::string>& outputs, const RunnerOptions& options) {
  Result<Runner> runner = Runner::make(model.flat(), outputs, options);
  if (!runner.ok()) FAIL(runner.error().where, ": ", runner.error().what);
  return std::move(runner).value();
}

}  // namespace modnet::test
