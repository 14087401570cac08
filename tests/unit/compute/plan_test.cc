// Plans: fused and plain, split and whole, one thread and several give the same bits; values that are asked for survive the
// sharing of memory; what cannot be run is refused when the plan is made.
#include "libmod/compute/plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>

#include "tests/support/small_transformer.h"

namespace modnet {
namespace {

using test::first_difference;
using test::small_batch;
using test::small_spec;
using test::small_transformer;
using test::SmallBatch;
using test::SmallModel;

const std::vector<int64_t> kLengths = {5, 0, 1, 20, 7, 1, 13, 0, 2};

std::vector<TransformerSpec> variants() {
  std::vector<TransformerSpec> out(4, small_spec());
  out[1].token_types = 1;
  out[1].activation = UnaryOp::kGeluTanh;
  out[2].token_types = 0;
  out[2].activation = UnaryOp::kRelu;
  out[2].relative_buckets = 8;
  out[2].position_mode = PositionMode::kAfterPadding;
  out[2].pad_id = 0;
  out[2].positions = 21;
  out[3].activation = UnaryOp::kSilu;
  out[3].hidden = 66;  // more than one panel of columns, heads of 22
  out[3].ffn = 33;
  return out;
}

Plan make(const SmallModel& model, const std::vector<std::string>& wanted, ThreadPool& pool, Fusion fusion = Fusion::kOn) {
  Result<Plan> plan = Plan::make(model.flat(), wanted, ComputeContext{&pool}, fusion);
  if (!plan.ok()) FAIL(plan.error().where, ": ", plan.error().what);
  return std::move(plan).value();
}
Status run(Plan& plan, const SmallBatch& batch, int lane = 0) {
  const int64_t tokens = batch.offsets.back();
  std::vector<PlanInput> given;
  for (const Plan::Input& input : plan.inputs())
    given.push_back({input.value, input.value == "tokens" ? batch.ids.data() : batch.types.data(), tokens});
  return plan.run(given, batch.offsets, 0, lane);
}
std::vector<float> output(const Plan& plan, size_t wanted, int lane = 0) {
  const PlanOutput out = plan.output(wanted, lane);
  return {out.data, out.data + out.rows * out.width};
}
std::vector<float> values(Plan& plan, const SmallBatch& batch, size_t wanted = 0) {
  const Status status = run(plan, batch);
  if (!status.ok()) FAIL(status.error().what);
  return output(plan, wanted);
}
std::vector<std::string> outputs_of(const SmallModel& model) { return model.graph.outputs; }

/// The same sequences, in another order.
SmallBatch reordered(const SmallBatch& batch, const std::vector<size_t>& order) {
  SmallBatch out;
  for (const size_t s : order) {
    for (int64_t i = batch.offsets[s]; i < batch.offsets[s + 1]; ++i) {
      out.ids.push_back(batch.ids[static_cast<size_t>(i)]);
      out.types.push_back(batch.types[static_cast<size_t>(i)]);
    }
    out.offsets.push_back(static_cast<int64_t>(out.ids.size()));
  }
  return out;
}

TEST_CASE("with and without fusion every bit is equal, and fusion saves steps") {
  ThreadPool pool(2);
  for (const TransformerSpec& spec : variants()) {
    CAPTURE(spec.hidden);
    CAPTURE(spec.token_types);
    const SmallModel model = small_transformer(spec);
    const SmallBatch batch = small_batch(kLengths);
    std::vector<std::string> taps;
    for (const Tap& tap : model.graph.taps) taps.push_back(tap.value);
    CHECK(taps.size() == 3);
    for (const std::vector<std::string>& wanted : {outputs_of(model), taps}) {
      Plan plain = make(model, wanted, pool, Fusion::kOff), fused = make(model, wanted, pool, Fusion::kOn);
      CHECK(fused.steps() + 6 * static_cast<size_t>(spec.layers) <= plain.steps());
      CHECK(fused.weight_bytes() == plain.weight_bytes());
      for (size_t w = 0; w < wanted.size(); ++w) {
        const std::vector<float> a = values(plain, batch, w), b = values(fused, batch, w);
        CHECK(!a.empty());
        CHECK(first_difference(a, b) == -1);
        CHECK(std::none_of(a.begin(), a.end(), [](float x) { return std::isnan(x); }));
        CHECK(std::any_of(a.begin(), a.end(), [](float x) { return x != 0; }));
      }
    }
  }
}

TEST_CASE("a sequence's bits do not depend on its batch, its place in it, or the number of threads") {
  const SmallModel model = small_transformer(small_spec());
  const SmallBatch whole = small_batch(kLengths);
  ThreadPool one(1);
  Plan reference = make(model, outputs_of(model), one);
  const std::vector<float> hidden = values(reference, whole, 0), embedding = values(reference, whole, 1);
  const int64_t width = reference.output(1).width;
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    CAPTURE(threads);
    Plan plan = make(model, outputs_of(model), pool);
    CHECK(first_difference(values(plan, whole, 0), hidden) == -1);
    CHECK(first_difference(output(plan, 1), embedding) == -1);
    for (const size_t split : {size_t{1}, size_t{2}, size_t{4}}) {
      CAPTURE(split);
      std::vector<size_t> order(kLengths.size());
      for (size_t i = 0; i < order.size(); ++i) order[i] = (i * 7 + split) % order.size();  // 7 and 9 share no factor
      for (size_t begin = 0; begin < order.size(); begin += split) {
        const std::vector<size_t> part(order.begin() + static_cast<int64_t>(begin),
                                       order.begin() + static_cast<int64_t>(std::min(order.size(), begin + split)));
        const SmallBatch batch = reordered(whole, part);
        const std::vector<float> rows = values(plan, batch, 1), tokens = output(plan, 0);
        for (size_t i = 0; i < part.size(); ++i) {
          CAPTURE(part[i]);
          const auto slice = [&](const std::vector<float>& from, int64_t first, int64_t last) {
            return std::vector<float>(from.begin() + first * width, from.begin() + last * width);
          };
          const auto at = static_cast<int64_t>(i), was = static_cast<int64_t>(part[i]);
          CHECK(first_difference(slice(rows, at, at + 1), slice(embedding, was, was + 1)) == -1);
          CHECK(first_difference(slice(tokens, batch.offsets[i], batch.offsets[i + 1]),
                                 slice(hidden, whole.offsets[part[i]], whole.offsets[part[i] + 1])) == -1);
        }
      }
    }
  }
}

TEST_CASE("every value asked for at once is what it is when asked for alone") {
  ThreadPool pool(1);
  for (const TransformerSpec& spec : variants()) {
    const SmallModel model = small_transformer(spec);
    const SmallBatch batch = small_batch(kLengths);
    std::vector<std::string> all;
    for (const Node& node : model.graph.nodes)
      if (node.op != "Positions") all.push_back(node.outputs[0]);
    Plan together = make(model, all, pool);
    for (size_t w = 0; w < all.size(); w += 3) {
      CAPTURE(all[w]);
      Plan alone = make(model, {all[w]}, pool);
      CHECK(first_difference(values(together, batch, w), values(alone, batch)) == -1);
    }
    Plan some = make(model, {all[2], all[all.size() / 2], all.back()}, pool);
    CHECK(first_difference(values(some, batch, 0), values(together, batch, 2)) == -1);
    CHECK(first_difference(values(some, batch, 1), values(together, batch, all.size() / 2)) == -1);
    CHECK(first_difference(values(some, batch, 2), values(together, batch, all.size() - 1)) == -1);
  }
}

/// Items of `width` numbers through random nodes; aliases among them.
SmallModel random_graph(uint64_t seed, int64_t width) {
  test::Numbers numbers(seed);
  const auto pick = [&](size_t n) { return static_cast<size_t>((numbers.next() + 1) / 2 * static_cast<double>(n)) % n; };
  SmallModel model;
  model.tensors["w"] = {{width, width}, numbers.make<float>(width * width, 0.4)};
  model.tensors["b"] = {{width}, numbers.make<float>(width, 0.4)};
  model.tensors["g"] = {{width}, numbers.make<float>(width, 2.0)};
  GraphBuilder builder;
  std::vector<std::string> made = {builder.input("x"), builder.input("z")};
  for (int i = 0; i < 24; ++i) {
    const std::string a = made[made.size() - 1 - pick(std::min<size_t>(made.size(), 4))], b = made[pick(made.size())];
    switch (pick(7)) {
      case 0: made.push_back(builder.node("", "Add", 1, {a, b}, {}, "add")); break;
      case 1: made.push_back(builder.node("", "Tanh", 1, {a}, {}, "tanh")); break;
      case 2: made.push_back(builder.node("", "Identity", 1, {a}, {}, "same")); break;
      case 3: made.push_back(builder.node("", "Gemm", 1, {a, "w", "b"}, {{"transB", int64_t{1}}}, "gemm")); break;
      case 4: made.push_back(builder.node("", "LayerNormalization", 1, {a, "g", "b"}, {}, "norm")); break;
      case 5: made.push_back(builder.node("", "Flatten", 1, {a}, {}, "flat")); break;
      default: made.push_back(builder.node("", "Mul", 1, {a, "g"}, {}, "mul")); break;
    }
  }
  builder.output(made.back());
  model.graph = builder.take();
  for (const char* name : {"x", "z"}) {
    Port port = test::small_port(name[0] == 'x' ? 1 : 2, Direction::kInput, name, DType::kF32, Semantic::kFeatures);
    port.dims.push_back({"", static_cast<uint64_t>(width), 1, 0, 1});
    model.contract.ports.push_back(port);
  }
  return model;
}

TEST_CASE("memory shared by values of random graphs, aliases among them, never spoils one that is wanted") {
  ThreadPool pool(1);
  constexpr int64_t kWidth = 9, kItems = 3;
  const std::vector<float> x = test::Numbers(5).make<float>(kWidth * kItems), z = test::Numbers(6).make<float>(kWidth * kItems);
  const std::vector<PlanInput> given = {{"x", x.data(), kItems}, {"z", z.data(), kItems}};
  const auto run_items = [&](Plan& plan) {
    std::vector<PlanInput> part;
    for (const PlanInput& one : given)
      if (std::any_of(plan.inputs().begin(), plan.inputs().end(), [&](const Plan::Input& input) { return input.value == one.value; })) part.push_back(one);
    const Status status = plan.run(part, {}, kItems);
    if (!status.ok()) FAIL(status.error().what);
  };
  for (uint64_t seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const SmallModel model = random_graph(seed, kWidth);
    std::vector<std::string> wanted;
    for (size_t i = 0; i < model.graph.nodes.size(); ++i)
      if ((i * 5 + seed) % 7 < 2) wanted.push_back(model.graph.nodes[i].outputs[0]);
    wanted.push_back(model.graph.outputs[0]);
    wanted.push_back("x");  // an input that is asked for
    Plan together = make(model, wanted, pool);
    run_items(together);
    for (size_t w = 0; w < wanted.size(); ++w) {
      CAPTURE(wanted[w]);
      Plan alone = make(model, {wanted[w]}, pool, Fusion::kOff);
      run_items(alone);
      CHECK(first_difference(output(together, w), output(alone, 0)) == -1);
    }
  }
}

TEST_CASE("a plan runs again on smaller, larger and empty batches") {
  ThreadPool pool(2);
  const SmallModel model = small_transformer(small_spec());
  Plan plan = make(model, outputs_of(model), pool);
  const SmallBatch batch = small_batch(kLengths);
  const std::vector<float> first = values(plan, batch, 1);
  for (const std::vector<int64_t>& lengths : {std::vector<int64_t>{}, {0}, {0, 0}, {1}, std::vector<int64_t>(40, 3)}) {
    const SmallBatch other = small_batch(lengths);
    CHECK(static_cast<int64_t>(values(plan, other, 1).size()) == other.items() * plan.output(1).width);
    CHECK(plan.output(0).rows == other.offsets.back());
  }
  CHECK(first_difference(values(plan, batch, 1), first) == -1);
  const std::vector<float> empty = values(plan, small_batch({0, 0}), 1);
  CHECK(std::all_of(empty.begin(), empty.end(), [](float x) { return std::bit_cast<uint32_t>(x) == 0; }));
}

TEST_CASE("workers run one plan at once, each in a lane of its own, with the bits of a run of all") {
  ThreadPool pool(3);
  const SmallModel model = small_transformer(small_spec());
  Plan plan = make(model, outputs_of(model), pool);
  std::vector<SmallBatch> batches;
  std::vector<std::vector<float>> expected;
  for (int64_t i = 0; i < 60; ++i) {
    batches.push_back(small_batch({1 + i % 20, 3, 1 + i * 7 % 20}));
    expected.push_back(values(plan, batches.back(), 1));
  }
  std::vector<std::vector<float>> got(batches.size());
  pool.parallel_for(static_cast<int64_t>(batches.size()), [&](int64_t i, int worker) {
    if (run(plan, batches[static_cast<size_t>(i)], worker).ok()) got[static_cast<size_t>(i)] = output(plan, 1, worker);
  });
  for (size_t i = 0; i < batches.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i].size() == expected[i].size());
    CHECK(first_difference(got[i], expected[i]) == -1);
  }
}

TEST_CASE("a profile counts every step's calls and operations, and its times add up to the clock's") {
  ThreadPool pool(std::min(2, usable_cores()));
  const SmallModel model = small_transformer(small_spec());
  const SmallBatch batch = small_batch(std::vector<int64_t>(200, 20));
  Profile profile;
  Result<Plan> plan = Plan::make(model.flat(), outputs_of(model), ComputeContext{&pool, Policy::kPortable, &profile});
  REQUIRE(plan.ok());
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  REQUIRE(run(*plan, batch).ok());
  const std::vector<Profile::Row> together = profile.rows();
  std::atomic<int> failed{0};
  pool.parallel_for(6, [&](int64_t, int worker) { failed += run(*plan, batch, worker).ok() ? 0 : 1; });
  CHECK(failed == 0);
  const double clock = seconds();
  const std::vector<Profile::Row> rows = profile.rows();
  CHECK(rows.size() == together.size());
  double sum = 0;
  for (const Profile::Row& row : rows) {
    CAPTURE(row.what);
    const auto once = std::find_if(together.begin(), together.end(), [&](const Profile::Row& one) { return one.what == row.what; });
    REQUIRE(once != together.end());
    CHECK(row.calls == 7 * once->calls);
    CHECK(row.operations == doctest::Approx(7 * once->operations));
    sum += row.seconds;
  }
  CHECK(sum > 0);
  CHECK(sum <= clock);
  CHECK(std::any_of(rows.begin(), rows.end(), [](const Profile::Row& row) { return row.what.starts_with("fused.Linear ") && row.operations > 0; }));
  CHECK(std::is_sorted(rows.begin(), rows.end(), [](const Profile::Row& a, const Profile::Row& b) { return a.seconds > b.seconds; }));
}

TEST_CASE("an optional input that is not given reads as zeros; one that is needed is missed") {
  ThreadPool pool(1);
  const SmallModel model = small_transformer(small_spec());
  Plan plan = make(model, outputs_of(model), pool);
  SmallBatch batch = small_batch(kLengths);
  std::fill(batch.types.begin(), batch.types.end(), 0);
  const std::vector<float> zeros = values(plan, batch, 1);
  const PlanInput tokens{"tokens", batch.ids.data(), batch.offsets.back()};
  REQUIRE(plan.run({&tokens, 1}, batch.offsets, 0).ok());
  CHECK(first_difference(output(plan, 1), zeros) == -1);
  const PlanInput types{"token_types", batch.types.data(), batch.offsets.back()};
  CHECK_FALSE(plan.run({&types, 1}, batch.offsets, 0).ok());
  const PlanInput too_few{"tokens", batch.ids.data(), batch.offsets.back() - 1};
  CHECK_FALSE(plan.run({&too_few, 1}, batch.offsets, 0).ok());
}

TEST_CASE("a token id that the table does not have is an error of the data, and the plan runs on") {
  ThreadPool pool(2);
  const SmallModel model = small_transformer(small_spec());
  Plan plan = make(model, outputs_of(model), pool);
  SmallBatch batch = small_batch(kLengths);
  const std::vector<float> good = values(plan, batch, 1);
  for (const int32_t bad : {30, -1}) {
    SmallBatch broken = batch;
    broken.ids[11] = bad;
    const Status status = run(plan, broken);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == Code::kInvalid);
    CHECK(status.error().what.find(std::to_string(bad)) != std::string::npos);
  }
  CHECK(first_difference(values(plan, batch, 1), good) == -1);
  CHECK_FALSE(run(plan, small_batch({21})).ok());  // one more token than there are positions
}

Error error_of(const SmallModel& model, const std::vector<std::string>& wanted, Fusion fusion) {
  ThreadPool pool(1);
  const Result<Plan> plan = Plan::make(model.flat(), wanted, ComputeContext{&pool}, fusion);
  REQUIRE_FALSE(plan.ok());
  return plan.error();
}

TEST_CASE("operations, versions and attributes that this build does not know are refused, fused or not") {
  const SmallModel good = small_transformer(small_spec());
  for (const Fusion fusion : {Fusion::kOff, Fusion::kOn}) {
    std::set<std::string> tried;
    for (size_t i = 0; i < good.graph.nodes.size(); ++i) {
      if (!tried.insert(good.graph.nodes[i].op).second) continue;
      CAPTURE(good.graph.nodes[i].op);
      SmallModel model = good;
      model.graph.nodes[i].version = 99;
      Error error = error_of(model, outputs_of(model), fusion);
      CHECK(error.id == "OP_UNSUPPORTED");
      CHECK(error.code == Code::kUnavailable);
      CHECK(error.what.find("version 99") != std::string::npos);
      model.graph.nodes[i].version = 0;
      CHECK(error_of(model, outputs_of(model), fusion).id == "OP_UNSUPPORTED");
      model = good;
      model.graph.nodes[i].op += "X";
      CHECK(error_of(model, outputs_of(model), fusion).what.find(model.graph.nodes[i].op) != std::string::npos);
      model = good;
      model.graph.nodes[i].attributes.push_back({"zeta", int64_t{1}});
      error = error_of(model, outputs_of(model), fusion);
      CHECK(error.id == "OP_UNSUPPORTED");
      CHECK(error.what.find("'zeta'") != std::string::npos);
    }
    CHECK(tried.size() == 9);
  }
}

TEST_CASE("operations that only plans make are refused in a file") {
  SmallModel model = small_transformer(small_spec());
  for (Node& node : model.graph.nodes)
    if (node.op == "Gemm") {
      node.domain = "fused";
      node.op = "Linear";
      break;
    }
  CHECK(error_of(model, outputs_of(model), Fusion::kOn).id == "OP_UNSUPPORTED");
}

TEST_CASE("an unknown operation that no wanted value needs does not matter") {
  ThreadPool pool(1);
  SmallModel model = small_transformer(small_spec());
  model.graph.nodes.push_back({"other", "Unknown", 7, "", {"embedding"}, {"more"}, {}});
  Plan plan = make(model, outputs_of(model), pool);
  CHECK(values(plan, small_batch({3}), 1).size() == 24);
  CHECK(error_of(model, {"more"}, Fusion::kOn).what.find("other.Unknown") != std::string::npos);
}

TEST_CASE("weights of another shape are refused, naming the tensor, fused or not") {
  for (const Fusion fusion : {Fusion::kOff, Fusion::kOn})
    for (const char* name : {"l0.q.weight", "l1.k.bias", "l0.in.weight", "l1.n2.weight", "embedding_norm.bias"}) {
      CAPTURE(name);
      SmallModel model = small_transformer(small_spec());
      test::SmallTensor& tensor = model.tensors.at(name);
      tensor.shape.back() += 1;
      int64_t n = 1;
      for (const int64_t size : tensor.shape) n *= size;
      tensor.values.resize(static_cast<size_t>(n));
      const Error error = error_of(model, outputs_of(model), fusion);
      CHECK(error.code == Code::kMalformed);
      CHECK(error.what.find(name) != std::string::npos);
    }
}

TEST_CASE("query, key and value of different widths are refused, fused or not") {
  for (const Fusion fusion : {Fusion::kOff, Fusion::kOn}) {
    SmallModel model = small_transformer(small_spec());
    const auto resize = [&](const std::string& name, int64_t width) {
      model.tensors.at(name + ".weight") = {{width, 24}, std::vector<float>(static_cast<size_t>(width * 24))};
      model.tensors.at(name + ".bias") = {{width}, std::vector<float>(static_cast<size_t>(width))};
    };
    resize("l0.k", 12);
    resize("l0.v", 36);  // three times 24 in all
    const Error error = error_of(model, outputs_of(model), fusion);
    CHECK(error.code == Code::kMalformed);
    CHECK(error.what.find("different shapes") != std::string::npos);
  }
}

TEST_CASE("only f32 values of the graph can be asked for") {
  const SmallModel model = small_transformer(small_spec());
  CHECK(error_of(model, {"nowhere"}, Fusion::kOn).what.find("'nowhere'") != std::string::npos);
  CHECK(error_of(model, {"positions"}, Fusion::kOn).what.find("i32") != std::string::npos);
  CHECK_FALSE(Plan::make(model.flat(), {"tokens"}, ComputeContext{}, Fusion::kOn).ok());
}

TEST_CASE("a port's rows have fixed sizes that can be held") {
  Port port = test::small_port(1, Direction::kInput, "x", DType::kF32, Semantic::kFeatures);
  port.dims = {{"B", 0, 1, 0, 1}, {"", 3, 1, 0, 1}, {"", 5, 1, 0, 1}};
  CHECK(port_type(port)->width() == 15);
  CHECK(port_type(port)->row_bytes() == 60);
  CHECK(port_type(port)->rows == RowKind::kItems);
  port.layout = Layout::kRagged;
  CHECK(port_type(port)->width() == 5);
  CHECK(port_type(port)->rows == RowKind::kTokens);
  port.dims[2] = {"D", 0, 1, 0, 1};
  CHECK(port_type(port).error().code == Code::kUnavailable);
  port.dims.resize(1);
  CHECK(port_type(port).error().code == Code::kMalformed);
  port.layout = Layout::kRowMajor;
  CHECK(port_type(port)->width() == 1);
  for (int i = 0; i < 5; ++i) port.dims.push_back({"", uint64_t{1} << 31, 1, 0, 1});
  CHECK(port_type(port).error().code == Code::kUnavailable);
  port.dims.clear();
  CHECK_FALSE(port_type(port).ok());
}

}  // namespace
}  // namespace modnet
