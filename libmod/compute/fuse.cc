#include "libmod/compute/fuse.h"

#include <algorithm>
#include <optional>

#include "libmod/compute/ops/activation.h"
#include "libmod/graph/graph.h"

namespace modnet {
namespace {

bool is(const Node& node, std::string_view domain, std::string_view op) { return node.domain == domain && node.op == op; }

/// Index of the node that makes `value`, if any.
std::optional<size_t> maker(const std::vector<Node>& nodes, const std::string& value) {
  for (size_t i = 0; i < nodes.size(); ++i)
    if (!nodes[i].outputs.empty() && nodes[i].outputs[0] == value) return i;
  return std::nullopt;
}

/// A linear layer of a checkpoint, in f32 (a Gemm whose weights are stored [n, k], with a bias) or in 8 bits.
enum class Linear : uint8_t { kNone, kFloat, kInt8 };
Linear linear_form(const Node& node) {
  if (is(node, kOurDomain, "LinearU8S8")) return node.inputs.size() >= 3 && node.attributes.empty() ? Linear::kInt8 : Linear::kNone;
  return is_linear_layer(node) && node.inputs.size() == 3 && !node.inputs[2].empty() ? Linear::kFloat : Linear::kNone;
}

const std::string& input_or_none(const Node& node, size_t at) {
  static const std::string kNothing;
  return at < node.inputs.size() ? node.inputs[at] : kNothing;
}

/// Could they be one product? They read the same rows, and in 8 bits turn them into the same whole numbers.
bool same_rows(const Node& a, const Node& b) {
  return linear_form(a) == linear_form(b) && a.inputs[0] == b.inputs[0] && (linear_form(a) == Linear::kFloat || input_or_none(a, 4) == input_or_none(b, 4));
}

/// Layers of the same rows as one fused node.
Node join(const std::vector<const Node*>& layers, std::string output, std::optional<UnaryOp> activation) {
  const Node& first = *layers[0];
  Node out{"fused", "Linear", 1, first.name, {first.inputs[0]}, {std::move(output)}, {}};
  if (activation) out.attributes.push_back({"activation", static_cast<int64_t>(*activation)});
  if (linear_form(first) == Linear::kFloat) {
    out.attributes.push_back({"transB", int64_t{1}});
    for (const Node* layer : layers) out.inputs.insert(out.inputs.end(), layer->inputs.begin() + 1, layer->inputs.end());
    return out;
  }
  out.op = "LinearU8S8";
  out.inputs.push_back(input_or_none(first, 4));
  for (const Node* layer : layers)
    for (const size_t at : {1, 2, 3}) out.inputs.push_back(input_or_none(*layer, at));
  return out;
}

void fuse_attention(std::vector<Node>& nodes, const Uses& uses) {
  for (size_t a = 0; a < nodes.size(); ++a) {
    if (!is(nodes[a], kOurDomain, "Attention") || nodes[a].inputs.size() < 3) continue;
    size_t parts[3];
    bool fits = true;
    for (size_t i = 0; i < 3 && fits; ++i) {
      const auto made = maker(nodes, nodes[a].inputs[i]);
      fits = made && linear_form(nodes[*made]) != Linear::kNone && uses.at(nodes[a].inputs[i]) == 1 && (i == 0 || same_rows(nodes[parts[0]], nodes[*made]));
      if (fits) parts[i] = *made;
    }
    if (!fits) continue;
    Node joined = join({&nodes[parts[0]], &nodes[parts[1]], &nodes[parts[2]]}, nodes[a].inputs[0], std::nullopt);
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
    if (!made || linear_form(nodes[*made]) == Linear::kNone || uses.at(node.inputs[0]) != 1) continue;
    Node joined = join({&nodes[*made]}, node.outputs[0], **activation);
    nodes[*made].outputs.clear();
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

Uses count_uses(const std::vector<Node>& nodes, const std::set<std::string, std::less<>>& wanted) {
  Uses uses;
  for (const Node& node : nodes)
    for (const std::string& input : node.inputs) ++uses[input];
  for (const std::string& value : wanted) ++uses[value];
  return uses;
}

std::vector<Node> fuse(std::vector<Node> nodes, const std::set<std::string, std::less<>>& wanted,
                       const std::function<bool(std::string_view)>& is_tensor) {
  const Uses uses = count_uses(nodes, wanted);
  fuse_attention(nodes, uses);
  fuse_activations(nodes, uses);
  fuse_norms(nodes, uses, is_tensor);
  return nodes;
}

}  // namespace modnet
