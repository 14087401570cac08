#include "libmod/prepare/quantise_layers.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "libmod/compute/int8.h"
#include "libmod/compute/op.h"
#include "libmod/compute/reference/math.h"
#include "libmod/graph/graph.h"
#include "libmod/prepare/quantise_fold.h"

namespace modnet {
namespace {

// Strengths of the migration that are tried; 0 stands for none.
constexpr double kExponents[] = {0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8};
// A factor's distance from 1 at most: beyond it there is nothing to win.
constexpr float kMostFactor = 1024.0F;

template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

/// f of every column, its geometric mean 1: rows have scales of their own, so a common factor would do nothing.
std::vector<float> migration(const std::vector<float>& row_most, const std::vector<float>& weight_most, double exponent) {
  std::vector<float> out(row_most.size(), 1.0F);
  double mean = 0, counted = 0;
  std::vector<double> logs(out.size(), 0.0);
  for (size_t i = 0; i < out.size(); ++i) {
    if (row_most[i] <= 0 || weight_most[i] <= 0) continue;
    logs[i] = (1 - exponent) * reference::log(static_cast<double>(weight_most[i])) - exponent * reference::log(static_cast<double>(row_most[i]));
    mean += logs[i];
    counted += 1;
  }
  for (size_t i = 0; i < out.size(); ++i)
    if (row_most[i] > 0 && weight_most[i] > 0) out[i] = std::clamp(static_cast<float>(reference::exp(logs[i] - mean / counted)), 1.0F / kMostFactor, kMostFactor);
  return out;
}

struct Part {
  int64_t n = 0;
  std::vector<float> weights, expected;  // [n, k]; [rows, n]
};

/// The group with these factors, and how far its outputs lie from the expected ones.
Int8Group form_of(const std::vector<Part>& parts, int64_t k, const LayerRows& rows, std::vector<float> factors, const ComputeContext& context) {
  Int8Group out;
  double error = 0, size = 0;
  for (const Part& part : parts) {
    std::vector<float> weights = part.weights;
    if (!factors.empty())
      for (int64_t i = 0; i < part.n * k; ++i) weights[static_cast<size_t>(i)] /= factors[static_cast<size_t>(i % k)];
    std::vector<int8_t> whole(weights.size());
    Int8Group::Part made;
    made.scales.resize(static_cast<size_t>(part.n));
    quantise_weights(weights.data(), k, part.n, whole.data(), made.scales.data());
    made.whole = bytes_of(whole);
    const PackedInt8 packed = PackedInt8::pack(whole.data(), made.scales.data(), nullptr, k, part.n);
    std::vector<float> got(part.expected.size());
    linear_int8(context, rows.rows.data(), k, rows.count, {packed, factors.empty() ? nullptr : factors.data()}, got.data(), part.n);
    for (size_t i = 0; i < got.size(); ++i) {
      const double difference = static_cast<double>(got[i]) - static_cast<double>(part.expected[i]);
      error += difference * difference;
      size += static_cast<double>(part.expected[i]) * static_cast<double>(part.expected[i]);
    }
    out.parts.push_back(std::move(made));
  }
  out.factors = std::move(factors);
  out.error = size > 0 ? std::sqrt(error / size) : 0.0;
  return out;
}

}  // namespace

Result<std::vector<LayerGroup>> layer_groups(const FlatGraph& graph) {
  std::map<std::string, int, std::less<>> readers;
  for (const Node& node : graph.nodes)
    for (const std::string& input : node.inputs) ++readers[input];
  std::vector<LayerGroup> out;
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!is_linear_layer(node) || !graph.is_tensor(node.inputs[1]) || graph.is_tensor(node.inputs[0]) || readers[node.inputs[1]] != 1) continue;
    MODNET_ASSIGN(const ConstTensor weights, graph.tensor(node.inputs[1]));
    if (weights.dtype != DType::kF32 || weights.shape.size() != 2 || weights.shape[1] < 1 || weights.shape[1] > kInt8MostDepth) continue;
    auto group = std::find_if(out.begin(), out.end(), [&](const LayerGroup& one) { return one.input == node.inputs[0]; });
    if (group == out.end()) group = out.insert(out.end(), LayerGroup{node.inputs[0], {}, {}, weights.shape[1], 0});
    if (group->k != weights.shape[1]) return malformed("two linear layers read rows of different width", node.name);
    group->nodes.push_back(i);
    group->names.push_back(node.inputs[1]);
    group->numbers += weights.shape[0] * weights.shape[1];
  }
  return out;
}

Result<Int8Group> fit_group(const FlatGraph& graph, const LayerGroup& group, const LayerRows& rows, const ComputeContext& context) {
  std::vector<Part> parts;
  std::vector<float> weight_most(static_cast<size_t>(group.k), 0.0F);
  for (const std::string& name : group.names) {
    MODNET_ASSIGN(const ConstTensor tensor, graph.tensor(name));
    Part part;
    part.n = tensor.shape[0];
    MODNET_ASSIGN(part.weights, tensor_to_f32(tensor));
    for (size_t i = 0; i < part.weights.size(); ++i) {
      if (!std::isfinite(part.weights[i])) return invalid("tensor '" + name + "' holds a number that is not finite");
      float& most = weight_most[i % static_cast<size_t>(group.k)];
      most = std::max(most, std::abs(part.weights[i]));
    }
    part.expected.resize(static_cast<size_t>(rows.count * part.n));
    const PackedMatrix packed = PackedMatrix::pack(part.weights.data(), group.k, Trans::kYes, group.k, part.n);
    matmul_packed(context, rows.rows.data(), group.k, rows.count, packed, nullptr, nullptr, part.expected.data(), part.n);
    parts.push_back(std::move(part));
  }
  Int8Group best;
  for (const double exponent : kExponents) {
    std::vector<float> factors;
    if (exponent > 0) factors = migration(rows.most, weight_most, exponent);
    Int8Group form = form_of(parts, group.k, rows, std::move(factors), context);
    form.exponent = exponent;
    if (best.parts.empty() || form.error < best.error) best = std::move(form);
  }
  return best;
}

Result<Int8Graph> int8_graph(const FlatGraph& graph, const std::vector<LayerGroup>& groups, const std::vector<const Int8Group*>& forms) {
  Int8Graph made;
  ChangedGraph& out = made.changed;
  out.nodes = graph.nodes;
  made.folded.resize(groups.size());
  const auto add = [&](const std::string& name, DType dtype, std::vector<int64_t> shape, std::string bytes) -> Result<std::string> {
    if (graph.is_tensor(name)) return invalid("there already is a tensor '" + name + "'");
    out.tensors[name] = {dtype, std::move(shape), std::move(bytes)};
    return name;
  };
  for (size_t g = 0; g < groups.size(); ++g) {
    if (forms[g] == nullptr) continue;
    for (size_t i = 0; i < groups[g].nodes.size(); ++i) {
      const Int8Group::Part& part = forms[g]->parts[i];
      const std::string& name = groups[g].names[i];
      const auto n = static_cast<int64_t>(part.scales.size());
      MODNET_ASSIGN(const std::string scale, add(name + ".scale", DType::kF32, {n}, bytes_of(part.scales)));
      out.tensors[name] = {DType::kI8, {n, groups[g].k}, part.whole};
      Node& node = out.nodes[groups[g].nodes[i]];
      const std::string bias = node.inputs.size() > 2 ? node.inputs[2] : "";
      node.domain = kOurDomain;
      node.op = "LinearU8S8";
      node.version = 1;
      node.attributes.clear();
      node.inputs = {node.inputs[0], node.inputs[1], scale};
      if (!bias.empty()) node.inputs.push_back(bias);
    }
  }
  std::set<std::string, std::less<>> kept;
  for (const FlatPort& port : graph.outputs) kept.insert(port.value);
  for (const Tap& tap : graph.taps) kept.insert(tap.value);
  for (size_t g = 0; g < groups.size(); ++g) {
    if (forms[g] == nullptr || forms[g]->factors.empty()) continue;
    const std::set<size_t> readers(groups[g].nodes.begin(), groups[g].nodes.end());
    MODNET_ASSIGN(made.folded[g], fold_factors(graph, out, groups[g].input, forms[g]->factors, readers, kept));
    if (!made.folded[g].empty()) continue;
    MODNET_ASSIGN(const std::string factors, add(groups[g].names[0] + ".factors", DType::kF32, {groups[g].k}, bytes_of(forms[g]->factors)));
    for (const size_t i : groups[g].nodes) {
      out.nodes[i].inputs.resize(4);
      out.nodes[i].inputs.push_back(factors);
    }
  }
  return made;
}

FlatGraph with_changes(const FlatGraph& graph, const ChangedGraph& changed) {
  FlatGraph out = graph;
  out.nodes = changed.nodes;
  out.is_tensor = [&changed, old = graph.is_tensor](std::string_view name) { return changed.tensors.find(name) != changed.tensors.end() || old(name); };
  out.tensor = [&changed, old = graph.tensor](std::string_view name) -> Result<ConstTensor> {
    const auto it = changed.tensors.find(name);
    if (it == changed.tensors.end()) return old(name);
    return ConstTensor{std::string(name), it->second.dtype, it->second.shape, as_bytes(it->second.bytes)};
  };
  return out;
}

}  // namespace modnet
