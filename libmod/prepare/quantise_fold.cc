#include "libmod/prepare/quantise_fold.h"

#include <algorithm>
#include <cstring>

#include "libmod/graph/graph.h"

namespace modnet {
namespace {

/// One attempt: edits are collected and taken over when all of them could be made.
struct Fold {
  const FlatGraph& graph;
  const ChangedGraph& changed;
  const std::vector<float>& factors;
  const std::set<std::string, std::less<>>& kept;
  std::map<std::string, NewTensor, std::less<>> edits;

  [[nodiscard]] std::set<size_t> readers_of(std::string_view name) const {
    std::set<size_t> out;
    for (size_t i = 0; i < changed.nodes.size(); ++i)
      if (std::find(changed.nodes[i].inputs.begin(), changed.nodes[i].inputs.end(), name) != changed.nodes[i].inputs.end()) out.insert(i);
    return out;
  }

  /// Row k of an f32 tensor [factors, …] times factors[k]; false when it is none, or when another node reads it.
  Result<bool> scale_rows(const Node& node, size_t input, size_t rank) {
    const std::string& name = node.inputs[input];
    if (std::count(node.inputs.begin(), node.inputs.end(), name) != 1 || readers_of(name).size() != 1) return false;
    NewTensor tensor;
    if (const auto it = changed.tensors.find(name); it != changed.tensors.end()) {
      tensor = it->second;
    } else if (graph.is_tensor(name)) {
      MODNET_ASSIGN(const ConstTensor old, graph.tensor(name));
      tensor = {old.dtype, old.shape, std::string(as_text(old.bytes))};
    }
    if (tensor.dtype != DType::kF32 || tensor.shape.size() != rank || tensor.shape[0] != static_cast<int64_t>(factors.size())) return false;
    const size_t count = tensor.bytes.size() / sizeof(float), width = count / factors.size();
    for (size_t i = 0; i < count; ++i) {
      float value = 0;
      std::memcpy(&value, tensor.bytes.data() + i * sizeof value, sizeof value);
      value *= factors[i / width];
      std::memcpy(tensor.bytes.data() + i * sizeof value, &value, sizeof value);
    }
    edits[name] = std::move(tensor);
    return true;
  }
  Result<bool> scale_if_present(const Node& node, size_t input) {
    if (input >= node.inputs.size() || node.inputs[input].empty()) return true;
    return scale_rows(node, input, 1);
  }

  Result<bool> into(std::string_view value, const std::set<size_t>& readers) {
    if (kept.contains(value) || readers_of(value) != readers) return false;
    const auto made = std::find_if(changed.nodes.begin(), changed.nodes.end(), [&](const Node& node) { return node.outputs.size() == 1 && node.outputs[0] == value; });
    if (made == changed.nodes.end()) return false;
    const Node& node = *made;
    const auto self = std::set<size_t>{static_cast<size_t>(made - changed.nodes.begin())};
    const auto is = [&](std::string_view domain, std::string_view op, size_t inputs) { return node.domain == domain && node.op == op && node.inputs.size() >= inputs; };
    if (is("", "Relu", 1)) return into(node.inputs[0], self);  // factors are positive
    if (is(kOurDomain, "Attention", 3) && std::count(node.inputs.begin(), node.inputs.end(), node.inputs[2]) == 1) return into(node.inputs[2], self);
    // The tensor that the factors go into, its rank, and the bias.
    size_t at = 1, rank = 1, bias = 2;
    if (is_linear_layer(node)) {
      rank = 2;
    } else if (is(kOurDomain, "LinearU8S8", 3)) {
      at = 2;
      bias = 3;
    } else if (!is("", "LayerNormalization", 2)) {
      return false;
    }
    MODNET_ASSIGN(const bool scaled, scale_rows(node, at, rank));
    return scaled ? scale_if_present(node, bias) : false;
  }
};

}  // namespace

Result<std::vector<std::string>> fold_factors(const FlatGraph& graph, ChangedGraph& changed, std::string_view value, const std::vector<float>& factors,
                                              const std::set<size_t>& readers, const std::set<std::string, std::less<>>& kept) {
  Fold fold{graph, changed, factors, kept, {}};
  std::vector<std::string> names;
  MODNET_ASSIGN(const bool done, fold.into(value, readers));
  if (!done) return names;
  for (auto& [name, tensor] : fold.edits) {
    names.push_back(name);
    changed.tensors[name] = std::move(tensor);
  }
  return names;
}

}  // namespace modnet
