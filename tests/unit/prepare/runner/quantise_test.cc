// Layers in 8 bits: which are found, that migration helps where a column is large, where factors are folded, what stays f32 under a limit.
#include "libmod/prepare/quantise.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "libmod/prepare/probes.h"
#include "libmod/prepare/quantise_fold.h"
#include "tests/unit/prepare/runner/models.h"

namespace modnet {
namespace {

using test::Numbers;
using test::runner_of;
using test::small_port;
using test::small_spec;
using test::small_transformer;
using test::SmallModel;
using test::text_model;

Probes calibration() {
  ThreadPool pool(1);
  const SmallModel text = text_model(20);
  Runner encoder = runner_of(text, {"tokens"}, {.context = {&pool}});
  Result<Probes> probes = text_probes(encoder, "tokens");
  REQUIRE(probes.ok());
  return std::move(probes).value();
}

Quantised quantised(const SmallModel& model, double limit, int threads = 1, const Probes& set = calibration()) {
  ThreadPool pool(threads);
  Result<Quantised> made = quantise_int8(model.flat(), {set}, {"embedding", "hidden"}, limit, {.context = {&pool}});
  if (!made.ok()) FAIL(made.error().what);
  return std::move(made).value();
}

int64_t count_int8(const Quantised& made) {
  return std::count_if(made.graph.nodes.begin(), made.graph.nodes.end(), [](const Node& node) { return node.op == "LinearU8S8"; });
}

TEST_CASE("layers that read the same value are one group; tables and weights that others read are none") {
  SmallModel model = small_transformer(small_spec());
  Result<std::vector<LayerGroup>> groups = layer_groups(model.flat());
  REQUIRE(groups.ok());
  REQUIRE(groups->size() == 8);  // two layers of query + key + value, out, in, back
  CHECK((*groups)[0].names == std::vector<std::string>{"l0.q.weight", "l0.k.weight", "l0.v.weight"});
  CHECK((*groups)[0].numbers == 3 * 24 * 24);
  CHECK((*groups)[3].names == std::vector<std::string>{"l0.back.weight"});
  CHECK((*groups)[3].k == 40);
  for (Node& node : model.graph.nodes)
    if (node.op == "Gemm" && node.inputs[1] == "l0.k.weight") node.inputs[1] = "l0.q.weight";  // tied
  groups = layer_groups(model.flat());
  REQUIRE(groups.ok());
  CHECK((*groups)[0].names == std::vector<std::string>{"l0.v.weight"});
}

TEST_CASE("a whole backbone goes to 8 bits within a wide limit, the same on any number of threads, and its graph runs") {
  const SmallModel model = small_transformer(small_spec());
  const Quantised made = quantised(model, 0.1), again = quantised(model, 0.1, 3);
  CHECK(count_int8(made) == 12);
  CHECK(std::none_of(made.groups.begin(), made.groups.end(), [](const Int8Choice& one) { return one.kept; }));
  CHECK(made.all.largest > 0);
  CHECK(made.all.largest <= 0.1);
  CHECK(made.chosen == made.all);
  CHECK(made.graph.nodes == again.graph.nodes);
  REQUIRE(made.graph.tensors.size() == again.graph.tensors.size());
  for (const auto& [name, tensor] : made.graph.tensors) CHECK(tensor.bytes == again.graph.tensors.at(name).bytes);
  ThreadPool pool(1);
  const FlatGraph flat = model.flat();
  Result<Runner> runner = Runner::make(with_changes(flat, made.graph), {"embedding"}, {.context = {&pool}});
  REQUIRE(runner.ok());
  Probes set = calibration();
  REQUIRE(fill_probe_outputs(*runner, set).ok());
  Runner wide = runner_of(model, {"embedding"}, {.context = {&pool}});
  const Result<MeasuredSpace> measured = measure_space(wide, set, "embedding", "embedding");
  REQUIRE(measured.ok());
  CHECK(measured->figures.largest > 0);
  CHECK(measured->figures.largest < 0.12);
}

TEST_CASE("under a limit the layers that hurt most stay f32, as few as are enough; under none, the answer is no") {
  const SmallModel model = small_transformer(small_spec());
  const Quantised all = quantised(model, 0.1);
  const Quantised some = quantised(model, all.all.largest * 0.7);
  const auto kept = std::count_if(some.groups.begin(), some.groups.end(), [](const Int8Choice& one) { return one.kept; });
  CHECK(kept > 0);
  CHECK(kept < 8);
  CHECK(some.all == all.all);
  CHECK(some.chosen.largest <= all.all.largest * 0.7);
  double least_kept = HUGE_VAL, most_left = 0;
  const Result<std::vector<LayerGroup>> groups = layer_groups(model.flat());
  for (size_t g = 0; g < 8; ++g) {
    const double harm = some.groups[g].alone * some.groups[g].alone / static_cast<double>((*groups)[g].numbers);
    CHECK(some.groups[g].alone > 0);
    if (some.groups[g].kept) least_kept = std::min(least_kept, harm);
    if (!some.groups[g].kept) most_left = std::max(most_left, harm);
  }
  CHECK(least_kept >= most_left);
  for (const Node& node : some.graph.nodes)
    for (const Int8Choice& one : some.groups)
      if (node.inputs.size() > 1 && std::find(one.names.begin(), one.names.end(), node.inputs[1]) != one.names.end()) CHECK((node.op == "LinearU8S8") == !one.kept);
  ThreadPool pool(1);
  const Result<Quantised> none = quantise_int8(model.flat(), {calibration()}, {"embedding"}, 0, {.context = {&pool}});
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().code == Code::kNo);
}

TEST_CASE("a larger set chooses by all of its items, on any number of threads") {
  const SmallModel model = small_transformer(small_spec());
  Probes set = calibration();
  const ProbeArray once = set.inputs[0];
  for (uint64_t t = 1; t < 4; ++t) {
    set.inputs[0].data += once.data;
    for (size_t i = 1; i < once.offsets.size(); ++i) set.inputs[0].offsets.push_back(once.offsets.back() * t + once.offsets[i]);
  }
  set.count *= 4;
  const double limit = quantised(model, 0.1, 1, set).all.largest * 0.7;
  const Quantised made = quantised(model, limit, 1, set), again = quantised(model, limit, 3, set);
  CHECK(made.all.probes == static_cast<int64_t>(set.count));
  CHECK(made.chosen.probes == static_cast<int64_t>(set.count));
  CHECK(made.chosen.largest <= limit);
  CHECK(count_int8(made) > 0);
  CHECK(count_int8(made) < 12);
  CHECK(made.graph.nodes == again.graph.nodes);
  for (size_t g = 0; g < made.groups.size(); ++g) {
    CHECK(made.groups[g].alone > 0);
    CHECK(made.groups[g].alone == again.groups[g].alone);
  }
}

TEST_CASE("of several sets all decide: the limit holds on each") {
  const SmallModel model = small_transformer(small_spec());
  const Probes all = calibration();
  std::vector<Probes> halves(2);
  for (uint64_t i = 0; i < all.count; ++i) {
    const ProbeArray& from = all.inputs[0];
    Probes& half = halves[i % 2];
    if (half.inputs.empty()) half.inputs.push_back({from.port, from.dtype, from.item_shape, {0}, {}});
    ProbeArray& to = half.inputs[0];
    to.data.append(from.data, from.offsets[i] * 4, (from.offsets[i + 1] - from.offsets[i]) * 4);
    to.offsets.push_back(to.offsets.back() + from.offsets[i + 1] - from.offsets[i]);
    ++half.count;
  }
  ThreadPool pool(1);
  const FlatGraph flat = model.flat();
  const double limit = 0.7 * quantised(model, 0.1).all.largest;
  const Result<Quantised> made = quantise_int8(flat, halves, {"embedding", "hidden"}, limit, {.context = {&pool}});
  REQUIRE(made.ok());
  CHECK(made->all.probes == static_cast<int64_t>(all.count) / 2);
  CHECK(count_int8(*made) > 0);
  CHECK(count_int8(*made) < 12);
  double largest = 0;
  for (Probes& half : halves) {
    Runner before = runner_of(model, {"embedding", "hidden"}, {.context = {&pool}});
    REQUIRE(fill_probe_outputs(before, half).ok());
    Result<Runner> after = Runner::make(with_changes(flat, made->graph), {"embedding", "hidden"}, {.context = {&pool}});
    REQUIRE(after.ok());
    for (const char* port : {"embedding", "hidden"}) {
      const Result<MeasuredSpace> measured = measure_space(*after, half, port, port);
      REQUIRE(measured.ok());
      largest = std::max(largest, measured->figures.largest);
    }
  }
  CHECK(largest == made->chosen.largest);
  CHECK(largest <= limit);
}

TEST_CASE("a large column is moved into the weights, and the layer's error falls") {
  SmallModel model = small_transformer(small_spec());
  for (const char* name : {"l0.n1.weight", "embedding_norm.weight"}) model.tensors.at(name).values[5] *= 40.0f;
  const FlatGraph graph = model.flat();
  const Result<std::vector<LayerGroup>> groups = layer_groups(graph);
  REQUIRE(groups.ok());
  Numbers numbers(8);
  LayerRows rows;
  rows.count = 50;
  rows.rows = numbers.make<float>(50 * 24);
  rows.most.assign(24, 0.0f);
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    if (i % 24 == 5) rows.rows[i] *= 40.0f;
    rows.most[i % 24] = std::max(rows.most[i % 24], std::abs(rows.rows[i]));
  }
  for (size_t i = 5; i < model.tensors.at("l0.in.weight").values.size(); i += 24) model.tensors.at("l0.in.weight").values[i] /= 40.0f;
  const Result<Int8Group> form = fit_group(graph, (*groups)[2], rows, {});
  REQUIRE(form.ok());
  CHECK(form->exponent > 0);
  REQUIRE(form->factors.size() == 24);
  CHECK(form->factors[5] == *std::min_element(form->factors.begin(), form->factors.end()));
  CHECK(form->error < 0.015);
}

/// LayerNormalization → Gemm → Relu → Gemm on rows of 6.
SmallModel chain() {
  SmallModel model;
  Numbers numbers(12);
  const auto add = [&](const std::string& name, std::vector<int64_t> shape, int64_t n) { model.tensors[name] = {std::move(shape), numbers.make<float>(n)}; };
  add("gain", {6}, 6);
  add("shift", {6}, 6);
  add("w1", {8, 6}, 48);
  add("b1", {8}, 8);
  add("w2", {4, 8}, 32);
  GraphBuilder builder;
  const std::string norm = builder.node("", "LayerNormalization", 1, {builder.input("x"), "gain", "shift"}, {}, "norm");
  const std::string hidden = builder.node("", "Relu", 1, {builder.node("", "Gemm", 1, {norm, "w1", "b1"}, {{"transB", int64_t{1}}}, "up")}, {}, "hidden");
  builder.output(builder.node("", "Gemm", 1, {hidden, "w2"}, {{"transB", int64_t{1}}}, "y"));
  model.graph = builder.take();
  Port in = small_port(1, Direction::kInput, "x", DType::kF32, Semantic::kEmbedding), out = small_port(2, Direction::kOutput, "y", DType::kF32, Semantic::kEmbedding);
  in.dims.push_back({"", 6, 1, 0, 1});
  out.dims.push_back({"", 4, 1, 0, 1});
  model.contract.ports = {in, out};
  return model;
}

std::vector<float> outputs(const FlatGraph& graph) {
  ThreadPool pool(1);
  Result<Runner> runner = Runner::make(graph, {"y"}, {.context = {&pool}});
  if (!runner.ok()) FAIL(runner.error().what);
  const std::vector<float> x = Numbers(3).make<float>(5 * 6);
  const PortColumn column{"x", DType::kF32, x.data(), {}, {}};
  std::vector<OutputColumn> out;
  REQUIRE(runner->run({&column, 1}, 5, &out).ok());
  return out[0].values;
}

TEST_CASE("factors fold into a norm, and through Relu into a linear layer, without changing the outputs") {
  const SmallModel model = chain();
  const FlatGraph graph = model.flat();
  const std::vector<float> before = outputs(graph);
  struct Fold {
    std::string value, weights;
    size_t reader;
    std::vector<std::string> changed;
  };
  for (const Fold& one : {Fold{"norm", "w1", 1, {"gain", "shift"}}, Fold{"hidden", "w2", 3, {"b1", "w1"}}}) {
    CAPTURE(one.value);
    ChangedGraph changed{graph.nodes, {}};
    std::vector<float> factors, weights = model.tensors.at(one.weights).values;
    const auto k = static_cast<size_t>(model.tensors.at(one.weights).shape[1]);
    for (size_t i = 0; i < k; ++i) factors.push_back(0.3f + 0.4f * static_cast<float>(i));
    for (size_t i = 0; i < weights.size(); ++i) weights[i] /= factors[i % k];
    changed.tensors[one.weights] = {DType::kF32, model.tensors.at(one.weights).shape, {reinterpret_cast<const char*>(weights.data()), weights.size() * 4}};
    const Result<std::vector<std::string>> folded = fold_factors(graph, changed, one.value, factors, {one.reader}, {});
    REQUIRE(folded.ok());
    CHECK(*folded == one.changed);
    const std::vector<float> after = outputs(with_changes(graph, changed));
    REQUIRE(after.size() == before.size());
    for (size_t i = 0; i < after.size(); ++i) CHECK(after[i] == doctest::Approx(before[i]).epsilon(1e-4));
    // Where somebody else needs the value, nothing changes.
    ChangedGraph other{graph.nodes, {}};
    const Result<std::vector<std::string>> not_folded = fold_factors(graph, other, one.value, factors, {one.reader}, {one.value});
    REQUIRE(not_folded.ok());
    CHECK(not_folded->empty());
    CHECK(other.tensors.empty());
    CHECK(fold_factors(graph, other, one.value, factors, {one.reader, 0}, {})->empty());
  }
}

TEST_CASE("in a post-norm transformer factors fold into the value projection, and are inputs after norms that go on into a sum") {
  const SmallModel model = small_transformer(small_spec());
  const FlatGraph graph = model.flat();
  const Result<std::vector<LayerGroup>> groups = layer_groups(graph);
  REQUIRE(groups.ok());
  std::vector<Int8Group> forms(2);
  for (size_t g = 0; g < 2; ++g) {
    forms[g].factors.assign(24, 2.0f);
    for (size_t i = 0; i < (*groups)[g].names.size(); ++i) forms[g].parts.push_back({std::string(24 * 24, '\1'), std::vector<float>(24, 0.5f)});
  }
  std::vector<const Int8Group*> chosen(8, nullptr);
  chosen[0] = &forms[0];
  chosen[1] = &forms[1];
  const Result<Int8Graph> made = int8_graph(graph, *groups, chosen);
  REQUIRE(made.ok());
  CHECK(made->folded[0].empty());
  CHECK(made->changed.tensors.contains("l0.q.weight.factors"));
  CHECK(made->folded[1] == std::vector<std::string>{"l0.v.bias", "l0.v.weight.scale"});
  CHECK_FALSE(made->changed.tensors.contains("l0.out.weight.factors"));
}

}  // namespace
}  // namespace modnet
