// modnet.LinearU8S8 in plans: what it computes, alone and fused, and what it refuses. The products: int8_test.cc.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "libmod/compute/int8.h"
#include "libmod/compute/plan.h"
#include "libmod/compute/reference/int8.h"
#include "tests/support/small_transformer.h"

namespace modnet::test {
namespace {

struct Stored {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::string bytes;
};
template <typename T>
Stored stored(DType dtype, std::vector<int64_t> shape, const std::vector<T>& values) {
  return {dtype, std::move(shape), {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)}};
}

/// A graph with tensors of any dtype.
struct Model {
  Graph graph;
  Contract contract;
  std::map<std::string, Stored, std::less<>> tensors;
  [[nodiscard]] FlatGraph flat() const {
    return flat_from_parts(
        graph, contract,
        [this](std::string_view name) -> Result<ConstTensor> {
          const Stored& one = tensors.find(name)->second;
          return ConstTensor{std::string(name), one.dtype, one.shape, as_bytes(one.bytes)};
        },
        [this](std::string_view name) { return tensors.find(name) != tensors.end(); }, [](std::string_view) -> Result<Bytes> { return invalid("no assets"); });
  }
};

/// A small transformer with 66 columns whose linear layers are in 8 bits, those that read 66 numbers with factors.
Model quantised(const SmallModel& from) {
  Model out;
  out.contract = from.contract;
  for (const auto& [name, one] : from.tensors) out.tensors[name] = stored(DType::kF32, one.shape, one.values);
  out.graph = from.graph;
  Numbers numbers(4);
  for (Node& node : out.graph.nodes) {
    if (node.op != "Gemm") continue;
    const std::string name = node.inputs[1];
    const SmallTensor& weights = from.tensors.at(name);
    const int64_t n = weights.shape[0], k = weights.shape[1];
    std::vector<int8_t> whole(static_cast<size_t>(n * k));
    std::vector<float> scales(static_cast<size_t>(n)), factors = numbers.make<float>(k);
    for (float& factor : factors) factor = 1.5F + factor;
    const std::string shared = node.inputs[0] + ".factors";
    std::vector<float> divided = weights.values;
    if (k == 66) {
      const auto at = out.tensors.try_emplace(shared, stored(DType::kF32, {k}, factors)).first;
      const auto* used = reinterpret_cast<const float*>(at->second.bytes.data());
      for (int64_t i = 0; i < n * k; ++i) divided[static_cast<size_t>(i)] /= used[i % k];
    }
    quantise_weights(divided.data(), k, n, whole.data(), scales.data());
    out.tensors[name] = stored(DType::kI8, {n, k}, whole);
    out.tensors[name + ".scale"] = stored(DType::kF32, {n}, scales);
    node.domain = kOurDomain;
    node.op = "LinearU8S8";
    node.attributes.clear();
    node.inputs.insert(node.inputs.begin() + 2, name + ".scale");
    if (out.tensors.contains(shared)) node.inputs.push_back(shared);
  }
  return out;
}

std::vector<float> values(const Model& model, const SmallBatch& batch, ThreadPool& pool, Fusion fusion, const std::string& wanted, size_t* steps = nullptr) {
  Result<Plan> plan = Plan::make(model.flat(), {wanted}, ComputeContext{&pool}, fusion);
  if (!plan.ok()) FAIL(plan.error().where, ": ", plan.error().what);
  std::vector<PlanInput> given;
  for (const Plan::Input& input : plan->inputs())
    given.push_back({input.value, input.value == "tokens" ? batch.ids.data() : batch.types.data(), batch.offsets.back()});
  const Status status = plan->run(given, batch.offsets, 0);
  if (!status.ok()) FAIL(status.error().what);
  const PlanOutput out = plan->output(0);
  if (steps != nullptr) *steps = plan->steps();
  return {out.data, out.data + out.rows * out.width};
}

TEST_CASE("a transformer in 8 bits gives the same bits fused and plain, on any threads and instruction set, near those in f32") {
  ThreadPool one(1), three(3);
  for (const UnaryOp activation : {UnaryOp::kGelu, UnaryOp::kRelu}) {
    TransformerSpec spec = small_spec();
    spec.hidden = 66;
    spec.activation = activation;
    const SmallModel plain = small_transformer(spec);
    const Model model = quantised(plain);
    Model wide;
    wide.graph = plain.graph;
    wide.contract = plain.contract;
    for (const auto& [name, tensor] : plain.tensors) wide.tensors[name] = stored(DType::kF32, tensor.shape, tensor.values);
    const SmallBatch batch = small_batch({5, 0, 1, 20, 7, 1, 13, 0, 2});
    const std::string& wanted = model.graph.outputs[1];
    size_t plain_steps = 0, fused_steps = 0, wide_steps = 0;
    const std::vector<float> expected = values(model, batch, one, Fusion::kOff, wanted, &plain_steps);
    CHECK(first_difference(values(model, batch, three, Fusion::kOn, wanted, &fused_steps), expected) == -1);
    const std::vector<float> f32 = values(wide, batch, three, Fusion::kOn, wanted, &wide_steps);
    CHECK(fused_steps == wide_steps);
    CHECK(fused_steps + 6 * static_cast<size_t>(spec.layers) <= plain_steps);
    double difference = 0, size = 0;
    for (size_t i = 0; i < f32.size(); ++i) {
      difference += (f32[i] - expected[i]) * (f32[i] - expected[i]);
      size += f32[i] * f32[i];
    }
    CHECK(difference > 0);
    CHECK(difference < 0.01 * size);
    for (const std::string& target : cpu_targets()) {
      const ForcedTarget forced(target);
      CAPTURE(target);
      CHECK(first_difference(values(model, batch, three, Fusion::kOn, wanted), expected) == -1);
    }
  }
}

TEST_CASE("layers of one input with other factors are not joined") {
  TransformerSpec spec = small_spec();
  spec.hidden = 66;
  Model model = quantised(small_transformer(spec));
  const SmallBatch batch = small_batch({5, 3});
  const std::string& wanted = model.graph.outputs[1];
  ThreadPool pool(1);
  size_t joined = 0, apart = 0;
  (void)values(model, batch, pool, Fusion::kOn, wanted, &joined);
  for (Node& node : model.graph.nodes)
    if (node.op == "LinearU8S8" && node.inputs[1].find(".k.") != std::string::npos && node.inputs.size() == 5) node.inputs.pop_back();
  const std::vector<float> fused = values(model, batch, pool, Fusion::kOn, wanted, &apart);
  CHECK(apart > joined);
  CHECK(first_difference(fused, values(model, batch, pool, Fusion::kOff, wanted)) == -1);
}

TEST_CASE("query, key and value of different widths are refused, joined or not") {
  Model model = quantised(small_transformer(small_spec()));
  for (Node& node : model.graph.nodes) {
    if (node.op != "LinearU8S8" || node.inputs[1] != "l0.k.weight") continue;
    for (const char* name : {"l0.k.weight", "l0.k.weight.scale", "l0.k.bias"}) {
      Stored& one = model.tensors.at(name);
      one.bytes.resize(one.bytes.size() / 2);
      one.shape[0] /= 2;
    }
  }
  for (const Fusion fusion : {Fusion::kOff, Fusion::kOn}) {
    const Result<Plan> plan = Plan::make(model.flat(), {model.graph.outputs[1]}, ComputeContext{}, fusion);
    REQUIRE_FALSE(plan.ok());
    CHECK(plan.error().code == Code::kMalformed);
  }
}

/// One node on rows [3]; input "x", output "y".
struct OneLayer {
  Node node{std::string(kOurDomain), "LinearU8S8", 1, "the node", {"x", "w", "s"}, {"y"}, {}};
  std::map<std::string, Stored, std::less<>> tensors = {{"w", stored(DType::kI8, {2, 3}, std::vector<int8_t>{1, 2, 3, -4, -5, -6})},
                                                        {"s", stored(DType::kF32, {2}, std::vector<float>{0.5F, 2})},
                                                        {"b", stored(DType::kF32, {2}, std::vector<float>{1, -1})},
                                                        {"f", stored(DType::kF32, {3}, std::vector<float>{1, 2, 4})}};
  [[nodiscard]] Result<std::vector<float>> run(const std::vector<float>& x, int64_t width = 3) const {
    Model model;
    model.graph.nodes = {node};
    model.tensors = tensors;
    Port port = small_port(1, Direction::kInput, "x", DType::kF32, Semantic::kEmbedding);
    port.dims.push_back({"", static_cast<uint64_t>(width), 1, 0, 1});
    model.contract.ports = {port};
    MODNET_ASSIGN(Plan plan, Plan::make(model.flat(), {"y"}, ComputeContext{}));
    const auto rows = static_cast<int64_t>(x.size()) / width;
    const PlanInput input{"x", x.data(), rows};
    MODNET_TRY(plan.run({&input, 1}, {}, rows));
    const PlanOutput out = plan.output(0);
    return std::vector<float>(out.data, out.data + out.rows * out.width);
  }
};

TEST_CASE("LinearU8S8 computes what its formula says, with and without bias and factors") {
  const std::vector<float> x = {1, -0.5F, 0.25F, 3, 2, 1};
  for (const bool bias : {false, true})
    for (const bool factors : {false, true}) {
      OneLayer layer;
      if (bias || factors) layer.node.inputs.push_back(bias ? "b" : "");
      if (factors) layer.node.inputs.push_back("f");
      const Result<std::vector<float>> got = layer.run(x);
      REQUIRE(got.ok());
      const auto of = [&](const char* name) { return reinterpret_cast<const float*>(layer.tensors.at(name).bytes.data()); };
      std::vector<float> expected(4);
      reference::linear_int8(2, 2, 3, x.data(), 3, factors ? of("f") : nullptr, reinterpret_cast<const int8_t*>(layer.tensors.at("w").bytes.data()), of("s"),
                             bias ? of("b") : nullptr, nullptr, expected.data(), 2);
      CHECK(first_difference(*got, expected) == -1);
    }
}

TEST_CASE("LinearU8S8 refuses weights, scales and factors that do not fit, attributes, and rows that are too long") {
  const std::vector<float> x = {1, 2, 3};
  const auto error = [&](const std::function<void(OneLayer&)>& change) {
    OneLayer layer;
    layer.node.inputs = {"x", "w", "s", "b", "f"};
    change(layer);
    const Result<std::vector<float>> got = layer.run(x);
    REQUIRE_FALSE(got.ok());
    return got.error().what;
  };
  const auto says = [](const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; };
  CHECK(says(error([](OneLayer& l) { l.tensors["w"].shape = {3, 2}; }), "expected i8 of shape [any,3]"));
  CHECK(says(error([](OneLayer& l) { l.tensors["w"] = stored(DType::kF32, {2, 3}, std::vector<float>(6)); }), "expected i8"));
  CHECK(says(error([](OneLayer& l) { l.tensors["s"] = stored(DType::kF32, {3}, std::vector<float>(3)); }), "expected shape [2]"));
  CHECK(says(error([](OneLayer& l) { l.tensors["s"] = stored(DType::kF32, {2}, std::vector<float>{1, std::numeric_limits<float>::infinity()}); }), "scales hold a number"));
  CHECK(says(error([](OneLayer& l) { l.tensors["f"] = stored(DType::kF32, {3}, std::vector<float>{1, std::nanf(""), 1}); }), "factors hold a number"));
  CHECK(says(error([](OneLayer& l) { l.tensors["f"].shape = {1}; }), "expected shape [3]"));
  CHECK(says(error([](OneLayer& l) { l.tensors["b"] = stored(DType::kF32, {1}, std::vector<float>(1)); }), "expected shape [2]"));
  CHECK(says(error([](OneLayer& l) { l.node.attributes.push_back({"alpha", 1.0}); }), "attribute 'alpha'"));
  CHECK(says(error([](OneLayer& l) { l.node.inputs = {"x", "w"}; }), "expected 3 to 5 inputs"));
  CHECK(says(error([](OneLayer& l) { l.node.version = 2; }), "version 2"));
  OneLayer layer;
  const int64_t k = kInt8MostDepth + 1;
  layer.tensors["w"] = stored(DType::kI8, {1, k}, std::vector<int8_t>(static_cast<size_t>(k)));
  layer.tensors["s"] = stored(DType::kF32, {1}, std::vector<float>(1));
  const Result<std::vector<float>> got = layer.run(std::vector<float>(static_cast<size_t>(k)), k);
  REQUIRE_FALSE(got.ok());
  CHECK(says(got.error().what, "exact up to 65536"));
}

}  // namespace
}  // namespace modnet::test
