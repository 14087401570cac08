// Every operation of the table against an obvious loop, and what it refuses (modnet.LinearU8S8: linear_int8_test.cc).
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <set>

#include "libmod/compute/plan.h"
#include "libmod/prepare/runner.h"
#include "tests/unit/compute/product_cases.h"

namespace modnet {
namespace {

using test::Numbers;

struct Tensor {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::string bytes;
};
template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}
Tensor tensor(std::vector<int64_t> shape, const std::vector<float>& values) { return {DType::kF32, std::move(shape), bytes_of(values)}; }

/// One operation with its inputs; the node's output is "y".
struct OpCase {
  Node node;
  std::map<std::string, std::pair<ValueType, std::string>> values;  // inputs with their bytes
  std::map<std::string, Tensor> tensors;
  std::vector<int64_t> offsets;
  int64_t items = 0;
  bool to_float = false;  // cast y to f32 before it is read

  OpCase(std::string domain, std::string op, std::vector<std::string> inputs) {
    node = {std::move(domain), std::move(op), 1, "the node", std::move(inputs), {"y"}, {}};
  }
  OpCase& rows(const std::string& name, std::vector<int64_t> item, const std::vector<float>& data) {
    values[name] = {{DType::kF32, item, RowKind::kItems}, bytes_of(data)};
    items = static_cast<int64_t>(data.size()) / std::max<int64_t>(1, values[name].first.width());
    return *this;
  }
  OpCase& sequences(const std::string& name, std::vector<int64_t> item, const std::vector<float>& data, std::vector<int64_t> at) {
    values[name] = {{DType::kF32, std::move(item), RowKind::kTokens}, bytes_of(data)};
    offsets = std::move(at);
    items = static_cast<int64_t>(offsets.size()) - 1;
    return *this;
  }
  OpCase& ids(const std::string& name, const std::vector<int32_t>& data, std::vector<int64_t> at) {
    values[name] = {{DType::kI32, {}, RowKind::kTokens}, bytes_of(data)};
    offsets = std::move(at);
    items = static_cast<int64_t>(offsets.size()) - 1;
    return *this;
  }
  OpCase& with(const std::string& name, Tensor one) {
    tensors[name] = std::move(one);
    return *this;
  }
  OpCase& set(const std::string& name, AttributeValue value) {
    node.attributes.push_back({name, std::move(value)});
    return *this;
  }

  [[nodiscard]] Result<std::vector<float>> run() const {
    Graph graph;
    graph.nodes = {node};
    if (to_float) graph.nodes.push_back({"", "Cast", 1, "", {"y"}, {"as_float"}, {{"to", int64_t{1}}}});
    Contract contract;
    for (const auto& [name, value] : values) {
      Port port;
      port.direction = Direction::kInput;
      port.name = port.value = name;
      port.dtype = value.first.dtype;
      port.dims = {{"B", 0, 1, 0, 1}};
      if (value.first.rows == RowKind::kTokens) {
        port.layout = Layout::kRagged;
        port.dims.push_back({"T", 0, 1, 0, 1});
      }
      for (const int64_t size : value.first.item) port.dims.push_back({"", static_cast<uint64_t>(size), 1, 0, 1});
      contract.ports.push_back(port);
    }
    const FlatGraph flat = flat_from_parts(
        graph, contract,
        [this](std::string_view name) -> Result<ConstTensor> {
          const Tensor& one = tensors.at(std::string(name));
          return ConstTensor{std::string(name), one.dtype, one.shape, as_bytes(one.bytes)};
        },
        [this](std::string_view name) { return tensors.contains(std::string(name)); }, [](std::string_view) -> Result<Bytes> { return Bytes{}; });
    MODNET_ASSIGN(Plan plan, Plan::make(flat, {to_float ? "as_float" : "y"}, ComputeContext{&pool()}));
    std::vector<PlanInput> given;
    for (const auto& [name, value] : values)
      given.push_back({name, value.second.data(), value.first.rows == RowKind::kTokens ? offsets.back() : items});
    MODNET_TRY(plan.run(given, offsets, items));
    const PlanOutput out = plan.output(0);
    return std::vector<float>(out.data, out.data + out.rows * out.width);
  }
  static ThreadPool& pool() {
    static ThreadPool team(2);
    return team;
  }
};

std::vector<float> values_of(const OpCase& one) {
  Result<std::vector<float>> got = one.run();
  if (!got.ok()) FAIL(one.node.op, ": ", got.error().what);
  return std::move(got).value();
}
Error error_of(const OpCase& one) {
  const Result<std::vector<float>> got = one.run();
  REQUIRE_FALSE(got.ok());
  return got.error();
}
void check_near(const std::vector<float>& got, const std::vector<double>& want, double tolerance = 2e-6) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(std::abs(static_cast<double>(got[i]) - want[i]) <= tolerance * (1 + std::abs(want[i])));
  }
}
std::vector<float> numbers(int64_t n, uint64_t seed = 3, double scale = 2.0) { return Numbers(seed).make<float>(n, scale); }
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("functions of one number") {
  const std::map<std::string, double (*)(double)> truth = {
      {"Abs", [](double x) { return std::abs(x); }},     {"Cos", [](double x) { return std::cos(x); }},
      {"Erf", [](double x) { return std::erf(x); }},     {"Exp", [](double x) { return std::exp(x); }},
      {"Log", [](double x) { return std::log(x); }},     {"Neg", [](double x) { return -x; }},
      {"Relu", [](double x) { return x > 0 ? x : 0; }},  {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"Sin", [](double x) { return std::sin(x); }},     {"Sqrt", [](double x) { return std::sqrt(x); }},
      {"Tanh", [](double x) { return std::tanh(x); }},   {"Silu", [](double x) { return x / (1 + std::exp(-x)); }},
      {"Gelu", [](double x) { return x * (1 + std::erf(x / std::sqrt(2.0))) / 2; }}};
  for (const auto& [name, function] : truth) {
    CAPTURE(name);
    std::vector<float> x = numbers(7 * 33);
    if (name == "Log" || name == "Sqrt")
      for (float& value : x) value = std::abs(value) + 0.01f;
    std::vector<double> want;
    for (const float value : x) want.push_back(function(value));
    check_near(values_of(OpCase(name == "Silu" ? "modnet" : "", name, {"x"}).rows("x", {33}, x)), want);
    check_near(values_of(OpCase(name == "Silu" ? "modnet" : "", name, {"x"}).sequences("x", {33}, x, {0, 3, 3, 7})), want);
    OpCase odd = OpCase(name == "Silu" ? "modnet" : "", name, {"x"}).rows("x", {33}, x).set("alpha", 1.0);
    CHECK(error_of(odd).id == "OP_UNSUPPORTED");
    CHECK_FALSE(OpCase(name == "Silu" ? "modnet" : "", name, {"x", "x"}).rows("x", {33}, x).run().ok());
  }
}

TEST_CASE("Gelu in its tanh form, and no other form") {
  const std::vector<float> x = numbers(40);
  std::vector<double> want;
  for (const float v : x) want.push_back(0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))));
  check_near(values_of(OpCase("", "Gelu", {"x"}).rows("x", {8}, x).set("approximate", std::string("tanh"))), want);
  CHECK(has(error_of(OpCase("", "Gelu", {"x"}).rows("x", {8}, x).set("approximate", std::string("fast"))).what, "'fast'"));
}

TEST_CASE("arithmetic on two values, with one row, and with one number") {
  const std::map<std::string, double (*)(double, double)> truth = {{"Add", [](double a, double b) { return a + b; }},
                                                                   {"Sub", [](double a, double b) { return a - b; }},
                                                                   {"Mul", [](double a, double b) { return a * b; }},
                                                                   {"Div", [](double a, double b) { return a / b; }}};
  const std::vector<float> a = numbers(5 * 6, 1), b = numbers(5 * 6, 2), row = numbers(6, 4);
  for (const auto& [name, function] : truth) {
    CAPTURE(name);
    std::vector<double> both, with_row, with_one;
    for (size_t i = 0; i < a.size(); ++i) {
      both.push_back(function(a[i], b[i]));
      with_row.push_back(function(a[i], row[i % 6]));
      with_one.push_back(function(a[i], 0.75));
    }
    check_near(values_of(OpCase("", name, {"a", "b"}).rows("a", {6}, a).rows("b", {6}, b)), both);
    check_near(values_of(OpCase("", name, {"a", "w"}).rows("a", {6}, a).with("w", tensor({6}, row))), with_row);
    check_near(values_of(OpCase("", name, {"a", "w"}).rows("a", {2, 3}, a).with("w", tensor({1, 2, 3}, row))), with_row);
    check_near(values_of(OpCase("", name, {"a", "w"}).rows("a", {6}, a).with("w", tensor({}, {0.75f}))), with_one);
    check_near(values_of(OpCase("", name, {"a", "w"}).rows("a", {6}, a).with("w", tensor({1}, {0.75f}))), with_one);
    CHECK(has(error_of(OpCase("", name, {"a", "b"}).rows("a", {6}, a).rows("b", {2, 3}, b)).what, "different shapes"));
    CHECK(has(error_of(OpCase("", name, {"a", "b"}).rows("b", {6}, b).sequences("a", {6}, a, {0, 5})).what, "different shapes"));
    CHECK(has(error_of(OpCase("", name, {"a", "w"}).rows("a", {6}, a).with("w", tensor({5}, numbers(5)))).what, "'w'"));
    CHECK(has(error_of(OpCase("", name, {"w", "a"}).rows("a", {6}, a).with("w", tensor({6}, row))).what, "first operand"));
    CHECK_FALSE(OpCase("", name, {"a"}).rows("a", {6}, a).run().ok());
  }
}

TEST_CASE("Cast reads integers and f64 as f32, and makes nothing else") {
  OpCase one("", "Cast", {"x"});
  one.items = 4;
  one.set("to", int64_t{1});
  one.values["x"] = {{DType::kU8, {1}, RowKind::kItems}, std::string("\x00\x01\x7f\xff", 4)};
  CHECK(values_of(one) == std::vector<float>{0, 1, 127, 255});
  one.values["x"] = {{DType::kI32, {1}, RowKind::kItems}, bytes_of(std::vector<int32_t>{-1, 0, 16777217, 5})};
  CHECK(values_of(one) == std::vector<float>{-1, 0, 16777216, 5});
  one.values["x"] = {{DType::kI64, {1}, RowKind::kItems}, bytes_of(std::vector<int64_t>{-1, 0, int64_t{1} << 40, 5})};
  CHECK(values_of(one) == std::vector<float>{-1, 0, 1099511627776.0f, 5});
  one.values["x"] = {{DType::kF64, {1}, RowKind::kItems}, bytes_of(std::vector<double>{0.1, -2, 1e300, 5})};
  CHECK(values_of(one) == std::vector<float>{0.1f, -2, std::numeric_limits<float>::infinity(), 5});
  one.values["x"] = {{DType::kF32, {1}, RowKind::kItems}, bytes_of(std::vector<float>{1, 2, 3, 4})};
  CHECK(values_of(one) == std::vector<float>{1, 2, 3, 4});
  one.values["x"] = {{DType::kF16, {1}, RowKind::kItems}, std::string(8, '\0')};
  CHECK(has(error_of(one).what, "f16"));
  one.node.attributes[0].value = int64_t{11};
  CHECK(has(error_of(one).what, "'to'"));
}

TEST_CASE("Flatten and Identity hand on the same numbers under another shape") {
  const std::vector<float> x = numbers(24);
  OpCase flat("", "Flatten", {"x"});
  flat.rows("x", {2, 3}, x);
  CHECK(values_of(flat) == x);
  CHECK(values_of(OpCase("", "Identity", {"x"}).rows("x", {6}, x)) == x);
  CHECK(has(error_of(OpCase("", "Flatten", {"x"}).sequences("x", {2, 3}, x, {0, 4})).what, "ragged"));
  CHECK(has(error_of(flat.set("axis", int64_t{0})).what, "'axis'"));
}

TEST_CASE("Gemm with weights stored either way, with and without bias") {
  constexpr int64_t kRows = 5, kIn = 7, kOut = 37;
  const std::vector<float> x = numbers(kRows * kIn, 1), w = numbers(kIn * kOut, 2), bias = numbers(kOut, 3);
  std::vector<float> turned(w.size());
  std::vector<double> plain, biased;
  for (int64_t i = 0; i < kIn; ++i)
    for (int64_t j = 0; j < kOut; ++j) turned[static_cast<size_t>(j * kIn + i)] = w[static_cast<size_t>(i * kOut + j)];
  for (int64_t r = 0; r < kRows; ++r)
    for (int64_t j = 0; j < kOut; ++j) {
      double sum = 0;
      for (int64_t i = 0; i < kIn; ++i) sum += static_cast<double>(x[static_cast<size_t>(r * kIn + i)]) * w[static_cast<size_t>(i * kOut + j)];
      plain.push_back(sum);
      biased.push_back(sum + bias[static_cast<size_t>(j)]);
    }
  const auto gemm = [&](std::vector<std::string> inputs) {
    return OpCase("", "Gemm", std::move(inputs))
        .rows("x", {kIn}, x)
        .with("w", tensor({kIn, kOut}, w))
        .with("t", tensor({kOut, kIn}, turned))
        .with("b", tensor({kOut}, bias))
        .with("short", tensor({kOut - 1}, numbers(kOut - 1)))
        .with("cube", tensor({1, kIn, kOut}, w));
  };
  check_near(values_of(gemm({"x", "w"})), plain, 1e-5);
  check_near(values_of(gemm({"x", "w", ""})), plain, 1e-5);
  check_near(values_of(gemm({"x", "w", "b"})), biased, 1e-5);
  check_near(values_of(gemm({"x", "t", "b"}).set("transB", int64_t{1})), biased, 1e-5);
  CHECK(has(error_of(gemm({"x", "t"})).what, "'t'"));
  CHECK(has(error_of(gemm({"x", "w", "short"})).what, "'short'"));
  CHECK(has(error_of(gemm({"x", "cube"})).what, "'cube'"));
  CHECK(has(error_of(gemm({"x", "x"})).what, "not a tensor"));
  CHECK(has(error_of(gemm({"w", "w"})).what, "expected a value"));
  CHECK_FALSE(gemm({"x", "w"}).set("alpha", 2.0).run().ok());
  CHECK_FALSE(gemm({"x", "w"}).set("transA", int64_t{1}).run().ok());
  CHECK_FALSE(gemm({"x", "w"}).set("transB", 1.0).run().ok());  // a real number
  OpCase wide = gemm({"x", "w"});
  wide.rows("x", {1, kIn}, x);
  CHECK(has(error_of(wide).what, "flatten"));
  OpCase halves = gemm({"x", "w"});  // weights of 16 bits are read as f32
  std::vector<uint16_t> half(w.size(), 0x3800);
  halves.tensors["w"] = {DType::kF16, {kIn, kOut}, bytes_of(half)};
  std::vector<double> sums;
  for (int64_t r = 0; r < kRows; ++r)
    for (int64_t j = 0; j < kOut; ++j) {
      double sum = 0;
      for (int64_t i = 0; i < kIn; ++i) sum += 0.5 * static_cast<double>(x[static_cast<size_t>(r * kIn + i)]);
      sums.push_back(sum);
    }
  check_near(values_of(halves), sums, 1e-5);
  halves.tensors["w"].dtype = DType::kI16;
  CHECK(has(error_of(halves).what, "i16"));
}

TEST_CASE("normalisations over the last dimension") {
  constexpr int64_t kWidth = 19, kRows = 6;
  const std::vector<float> x = numbers(kWidth * kRows, 5), gamma = numbers(kWidth, 6), beta = numbers(kWidth, 7);
  std::vector<double> layer, soft, log_soft, unit;
  for (int64_t r = 0; r < kRows; ++r) {
    const float* row = x.data() + r * kWidth;
    double mean = 0, variance = 0, total = 0, squares = 0;
    for (int64_t i = 0; i < kWidth; ++i) mean += row[i] / static_cast<double>(kWidth);
    for (int64_t i = 0; i < kWidth; ++i) variance += (row[i] - mean) * (row[i] - mean) / static_cast<double>(kWidth);
    for (int64_t i = 0; i < kWidth; ++i) total += std::exp(static_cast<double>(row[i]));
    for (int64_t i = 0; i < kWidth; ++i) squares += static_cast<double>(row[i]) * row[i];
    for (int64_t i = 0; i < kWidth; ++i) {
      const auto at = static_cast<size_t>(i);
      layer.push_back((row[i] - mean) / std::sqrt(variance + 0.25) * gamma[at] + beta[at]);
      soft.push_back(std::exp(static_cast<double>(row[i])) / total);
      log_soft.push_back(row[i] - std::log(total));
      unit.push_back(row[i] / std::sqrt(squares));
    }
  }
  const auto norm = [&](std::vector<int64_t> item) {
    return OpCase("", "LayerNormalization", {"x", "g", "b"})
        .rows("x", std::move(item), x)
        .with("g", tensor({kWidth}, gamma))
        .with("b", tensor({kWidth}, beta))
        .set("epsilon", 0.25);
  };
  check_near(values_of(norm({kWidth})), layer);
  check_near(values_of(norm({3, kWidth})), layer);  // two items of three rows
  check_near(values_of(norm({kWidth}).set("axis", int64_t{1})), layer);
  CHECK(has(error_of(norm({kWidth}).set("axis", int64_t{0})).what, "'axis'"));
  CHECK(has(error_of(norm({kWidth}).with("g", tensor({kWidth + 1}, numbers(kWidth + 1)))).what, "'g'"));
  check_near(values_of(OpCase("", "Softmax", {"x"}).rows("x", {kWidth}, x)), soft);
  check_near(values_of(OpCase("", "LogSoftmax", {"x"}).rows("x", {kWidth}, x)), log_soft);
  check_near(values_of(OpCase("modnet", "L2Normalize", {"x"}).sequences("x", {kWidth}, x, {0, 6})), unit);
  for (const float value : values_of(OpCase("modnet", "L2Normalize", {"x"}).rows("x", {2}, {0, 0}))) CHECK(value == 0);
  CHECK_FALSE(OpCase("", "Softmax", {"x"}).rows("x", {kWidth}, x).set("axis", int64_t{0}).run().ok());
}

TEST_CASE("Gather takes rows of a table by id, and names an id that it does not have") {
  const std::vector<float> table = numbers(5 * 3, 8);
  const auto gather = [&](const std::vector<int32_t>& ids) {
    return OpCase("", "Gather", {"t", "ids"}).ids("ids", ids, {0, 2, 2, static_cast<int64_t>(ids.size())}).with("t", tensor({5, 3}, table));
  };
  const std::vector<int32_t> ids = {4, 0, 0, 2};
  std::vector<float> want;
  for (const int32_t id : ids)
    for (int i = 0; i < 3; ++i) want.push_back(table[static_cast<size_t>(id * 3 + i)]);
  CHECK(values_of(gather(ids)) == want);
  for (const int32_t bad : {5, -1, 2147483647}) {
    const Error error = error_of(gather({0, 1, bad}));
    CHECK(error.code == Code::kInvalid);
    CHECK(has(error.what, std::to_string(bad)));
  }
  CHECK(has(error_of(gather(ids).set("axis", int64_t{1})).what, "'axis'"));
  CHECK(has(error_of(gather(ids).with("t", tensor({0, 3}, {}))).what, "empty"));
  CHECK_FALSE(gather(ids).with("t", tensor({15}, table)).run().ok());
  CHECK_FALSE(OpCase("", "Gather", {"t", "x"}).rows("x", {1}, {0}).with("t", tensor({5, 3}, table)).run().ok());
}

TEST_CASE("Positions count from the start of each sequence, or after the padding id") {
  OpCase one("modnet", "Positions", {"ids"});
  one.ids("ids", {7, 1, 7, 7, 1, 1, 7}, {0, 4, 4, 5, 7});
  one.to_float = true;
  CHECK(values_of(one) == std::vector<float>{0, 1, 2, 3, 0, 0, 1});
  OpCase moved = one;
  CHECK(values_of(moved.set("offset", int64_t{2})) == std::vector<float>{2, 3, 4, 5, 2, 2, 3});
  OpCase padded = one;  // transformers' create_position_ids_from_input_ids with padding_idx 1
  padded.set("mode", std::string("after_padding")).set("pad_id", int64_t{1});
  CHECK(values_of(padded) == std::vector<float>{2, 1, 3, 4, 1, 1, 2});
  OpCase bad = one;
  CHECK(has(error_of(bad.set("mode", std::string("relative"))).what, "'relative'"));
  bad = one;
  CHECK_FALSE(bad.set("offset", int64_t{-1}).run().ok());
  CHECK_FALSE(OpCase("modnet", "Positions", {"x"}).rows("x", {}, {1}).run().ok());
}

/// T5's bucket of a distance (key - query), written with double logarithms.
int64_t bucket_of(int64_t distance, int64_t buckets, int64_t most) {
  const int64_t half = buckets / 2, exact = half / 2, n = std::abs(distance), base = distance > 0 ? half : 0;
  if (n < exact) return base + n;
  const double step = std::log(static_cast<double>(n) / static_cast<double>(exact)) / std::log(static_cast<double>(most) / static_cast<double>(exact));
  return base + std::min(half - 1, exact + static_cast<int64_t>(step * static_cast<double>(half - exact)));
}

TEST_CASE("Attention over ragged sequences, with and without distances") {
  constexpr int64_t kHeads = 2, kDim = 5, kWidth = kHeads * kDim, kBuckets = 8, kMost = 16, kLongest = 30;
  const std::vector<int64_t> at = {0, 4, 4, 5, 35};
  const int64_t rows = at.back();
  const std::vector<float> q = numbers(rows * kWidth, 11), k = numbers(rows * kWidth, 12), v = numbers(rows * kWidth, 13),
                           table = numbers(kBuckets * kHeads, 14);
  const auto truth = [&](double scale, bool relative) {
    std::vector<double> out(static_cast<size_t>(rows * kWidth), 0.0);
    for (size_t s = 0; s + 1 < at.size(); ++s)
      for (int64_t h = 0; h < kHeads; ++h)
        for (int64_t i = at[s]; i < at[s + 1]; ++i) {
          std::vector<double> weight;
          double total = 0;
          for (int64_t j = at[s]; j < at[s + 1]; ++j) {
            double score = 0;
            for (int64_t d = 0; d < kDim; ++d)
              score += static_cast<double>(q[static_cast<size_t>(i * kWidth + h * kDim + d)]) * k[static_cast<size_t>(j * kWidth + h * kDim + d)];
            score *= scale;
            if (relative) score += table[static_cast<size_t>(bucket_of(j - i, kBuckets, kMost) * kHeads + h)];
            weight.push_back(std::exp(score));
            total += weight.back();
          }
          for (int64_t j = at[s]; j < at[s + 1]; ++j)
            for (int64_t d = 0; d < kDim; ++d)
              out[static_cast<size_t>(i * kWidth + h * kDim + d)] +=
                  weight[static_cast<size_t>(j - at[s])] / total * v[static_cast<size_t>(j * kWidth + h * kDim + d)];
        }
    return out;
  };
  const auto attention_case = [&](std::vector<std::string> inputs) {
    OpCase one("modnet", "Attention", std::move(inputs));
    one.sequences("q", {kWidth}, q, at).sequences("k", {kWidth}, k, at).sequences("v", {kWidth}, v, at);
    one.with("t", tensor({kBuckets, kHeads}, table)).set("heads", int64_t{kHeads});
    return one;
  };
  const auto distances = [&](int64_t longest) {
    return attention_case({"q", "k", "v", "t"}).set("buckets", int64_t{kBuckets}).set("max_distance", int64_t{kMost}).set("max_length", longest);
  };
  check_near(values_of(attention_case({"q", "k", "v"})), truth(1 / std::sqrt(5.0), false), 1e-5);
  check_near(values_of(attention_case({"q", "k", "v"}).set("scale", 0.125)), truth(0.125, false), 1e-5);
  check_near(values_of(distances(kLongest)), truth(1 / std::sqrt(5.0), true), 1e-5);
  const Error error = error_of(distances(kLongest - 1));
  CHECK(error.code == Code::kInvalid);
  CHECK(has(error.what, "30 tokens"));
  OpCase three = attention_case({"q", "k", "v"});
  three.node.attributes[0].value = int64_t{3};
  CHECK(has(error_of(three).what, "3 heads"));
  CHECK_FALSE(attention_case({"q", "k"}).run().ok());
  CHECK_FALSE(distances(0).run().ok());
  OpCase narrow = attention_case({"q", "k", "v"});
  narrow.sequences("v", {kWidth / 2, 1}, numbers(rows * kWidth / 2), at);
  CHECK(has(error_of(narrow).what, "different shapes"));
}

TEST_CASE("Pool gives one row a sequence; an empty sequence gives zeros") {
  const std::vector<float> x = numbers(5 * 3, 15);
  const std::vector<int64_t> at = {0, 3, 3, 5};
  std::vector<double> mean, first, most;
  for (size_t s = 0; s + 1 < at.size(); ++s)
    for (int64_t i = 0; i < 3; ++i) {
      double sum = 0, greatest = at[s] == at[s + 1] ? 0 : -1e30;
      for (int64_t r = at[s]; r < at[s + 1]; ++r) {
        sum += x[static_cast<size_t>(r * 3 + i)];
        greatest = std::max(greatest, static_cast<double>(x[static_cast<size_t>(r * 3 + i)]));
      }
      mean.push_back(at[s] == at[s + 1] ? 0 : sum / static_cast<double>(at[s + 1] - at[s]));
      first.push_back(at[s] == at[s + 1] ? 0 : x[static_cast<size_t>(at[s] * 3 + i)]);
      most.push_back(greatest);
    }
  const auto pool = [&](const std::string& mode) { return OpCase("modnet", "Pool", {"x"}).sequences("x", {3}, x, at).set("mode", mode); };
  check_near(values_of(pool("mean")), mean);
  check_near(values_of(pool("cls")), first);
  check_near(values_of(pool("max")), most);
  CHECK(has(error_of(pool("median")).what, "'median'"));
  CHECK_FALSE(OpCase("modnet", "Pool", {"x"}).sequences("x", {3}, x, at).run().ok());
  CHECK_FALSE(OpCase("modnet", "Pool", {"x"}).rows("x", {3}, x).set("mode", std::string("mean")).run().ok());
}

TEST_CASE("the table is sorted, finds each of its rows, and holds nothing that this file does not test") {
  const std::set<std::string> tested = {
      "Abs",  "Add",     "Cast",     "Cos",  "Div",    "Erf",  "Exp",   "Flatten", "Gather",         "Gelu",          "Gemm",
      "Identity", "LayerNormalization",  "Log",  "LogSoftmax", "Mul", "Neg", "Relu", "Sigmoid", "Sin", "Softmax", "Sqrt",
      "Sub",  "Tanh",    "modnet.Attention", "modnet.L2Normalize", "modnet.LinearU8S8", "modnet.Pool", "modnet.Positions", "modnet.Silu"};
  std::set<std::string> listed;
  std::string last;
  for (const OpRow& row : op_table()) {
    const std::string key = std::string(row.domain) + "\n" + std::string(row.name);
    CHECK(last < key);
    last = key;
    CHECK(find_op(row.domain, row.name) == &row);
    CHECK(row.version >= 1);
    CHECK_FALSE(row.summary.empty());
    if (row.domain != "fused") listed.insert(row.domain.empty() ? std::string(row.name) : std::string(row.domain) + "." + std::string(row.name));
  }
  CHECK(listed == tested);
  CHECK(find_op("", "Pool") == nullptr);
  CHECK(find_op("other", "Add") == nullptr);
}

}  // namespace
}  // namespace modnet
