#include "libmod/compute/fuse.h"

#include <algorithm>
#include <map>
#include <optional>

#include "libmod/compute/ops/activation.h"
#include "libmod/graph/graph.h"

namespace modnet {
namespace {

using Uses = std::map<std::string, int, std::less<>>;

Uses count_uses(const std::vector<Node>& nodes, const std::set<std::string, std::less<>>& wanted) {
  Uses uses;
  for (const Node& node : nodes)
    for (const std::string& input : node.inputs) ++uses[input];
  for (const std::string& value : wanted) ++uses[value];
  return uses;
}

bool is(const Node& node, std::string_view domain, std::string_view op) { return node.domain == domain && node.op == op; }

/// Index of the node that makes `value`, if any.
std::optional<size_t> maker(const std::vector<Node>& nodes, const std::string& value) {
  for (size_t i = 0; i < nodes.size(); ++i)
    if (!nodes[i].outputs.empty() && nodes[i].outputs[0] == value) return i;
  return std::nullopt;
}

/// A Gemm whose weights are stored [n, k] with a bias: what a linear layer of a checkpoint becomes.
bool is_linear(const Node& node) {
  if (!is(node, "", "Gemm") || node.inputs.size() != 3 || node.inputs[2].empty()) return false;
  const auto trans = attribute_int(node, "transB", 0);
  return trans.ok() && *trans == 1 && node.attributes.size() == 1;
}

Attribute trans_b() { return {"transB", int64_t{1}}; }

void fuse_attention(std::vector<Node>& nodes, const Uses& uses) {
  for (size_t a = 0; a < nodes.size(); ++a) {
    if (!is(nodes[a], "modnet", "Attention") || nodes[a].inputs.size() < 3) continue;
    size_t parts[3];
    bool fits = true;
    for (size_t i = 0; i < 3 && fits; ++i) {
      const auto made = maker(nodes, nodes[a].inputs[i]);
      fits = made && is_linear(nodes[*made]) && uses.at(nodes[a].inputs[i]) == 1 && (i == 0 || nodes[*made].inputs[0] == nodes[parts[0]].inputs[0]);
      if (fits) parts[i] = *made;
    }
    if (!fits) continue;
    Node joined{"fused", "Linear", 1, nodes[parts[0]].name, {nodes[parts[0]].inputs[0]}, {nodes[a].inputs[0]}, {trans_b()}};
    for (const size_t part : parts) joined.inputs.insert(joined.inputs.end(), nodes[part].inputs.begin() + 1, nodes[part].inputs.end());
    Node attention = nodes[a];
    attention.domain = "fused";
    attention.op = "QkvAttention";
    attention.inputs.erase(attention.inputs.begin() + 1, attention.inputs.begin() + 3);
    nodes[a] = std::move(attention);
    const size_t last = std::max({parts[0], parts[1], parts[2]});
    for (const size_t part : parts) nodes[part].outputs.clear();  // removed below
    nodes[last] = std::move(joined);
    std::erase_if(nodes, [](const Node& node) { return node.outputs.empty(); });
    a = 0;
  }
}

void fuse_activations(std::vector<Node>& nodes, const Uses& uses) {
  for (Node& node : nodes) {
    if (node.inputs.size() != 1 || node.outputs.empty()) continue;
    const auto activation = activation_of(node);
    if (!activation.ok() || !*activation) continue;
    const auto made = maker(nodes, node.inputs[0]);
    if (!made || !is_linear(nodes[*made]) || uses.at(node.inputs[0]) != 1) continue;
    Node& linear = nodes[*made];
    Node joined{"fused", "Linear", 1, linear.name, linear.inputs, node.outputs, {{"activation", static_cast<int64_t>(**activation)}, trans_b()}};
    linear.outputs.clear();
    node = std::move(joined);
  }
  std::erase_if(nodes, [](const Node& node) { return node.outputs.empty(); });
}

void fuse_norms(std::vector<Node>& nodes, const Uses& uses, const std::function<bool(std::string_view)>& is_tensor) {
  for (Node& node : nodes) {
    if (!is(node, "", "LayerNormalization") || node.inputs.empty()) continue;
    const auto made = maker(nodes, node.inputs[0]);
    if (!made || !is(nodes[*made], "", "Add") || nodes[*made].inputs.size() != 2 || !nodes[*made].attributes.empty() || uses.at(node.inputs[0]) != 1) continue;
    Node& add = nodes[*made];
    if (is_tensor(add.inputs[0]) || is_tensor(add.inputs[1])) continue;
    node.domain = "fused";
    node.op = "AddLayerNorm";
    node.inputs.erase(node.inputs.begin());
    node.inputs.insert(node.inputs.begin(), add.inputs.begin(), add.inputs.end());
    add.outputs.clear();
  }
  std::erase_if(nodes, [](const Node& node) { return node.outputs.empty(); });
}

}  // namespace

std::vector<Node> fuse(std::vector<Node> nodes, const std::set<std::string, std::less<>>& wanted,
                       const std::function<bool(std::string_view)>& is_tensor) {
  const Uses uses = count_uses(nodes, wanted);
  fuse_attention(nodes, uses);
  fuse_activations(nodes, uses);
  fuse_norms(nodes, uses, is_tensor);
  return nodes;
}

}  // namespace modnet
