#include "libmod/graph/graph.h"

#include <algorithm>
#include <tuple>

namespace modnet {
namespace {

template <typename T>
Result<T> attribute(const Node& node, std::string_view name, T fallback, std::string_view type) {
  for (const Attribute& one : node.attributes) {
    if (one.name != name) continue;
    if (const T* value = std::get_if<T>(&one.value)) return *value;
    return malformed("attribute '" + std::string(name) + "' of " + op_text(node) + " is not " + std::string(type), node.name);
  }
  return fallback;
}

}  // namespace

Result<int64_t> attribute_int(const Node& node, std::string_view name, int64_t fallback) {
  return attribute<int64_t>(node, name, fallback, "an integer");
}
Result<double> attribute_real(const Node& node, std::string_view name, double fallback) {
  return attribute<double>(node, name, fallback, "a real number");
}
Result<std::string> attribute_text(const Node& node, std::string_view name, std::string_view fallback) {
  return attribute<std::string>(node, name, std::string(fallback), "a text");
}

Status only_attributes(const Node& node, std::span<const std::string_view> known) {
  for (const Attribute& one : node.attributes)
    if (std::find(known.begin(), known.end(), one.name) == known.end())
      return Error{Code::kUnavailable, "OP_UNSUPPORTED", "attribute '" + one.name + "' of " + op_text(node) + " is not known to this build",
                   node.name, {}, "use a newer modnet"};
  return ok();
}

std::string op_text(const Node& node) { return node.domain.empty() ? node.op : node.domain + "." + node.op; }

bool is_linear_layer(const Node& node) {
  if (!node.domain.empty() || node.op != "Gemm" || node.inputs.size() < 2 || node.attributes.size() != 1) return false;
  const Result<int64_t> trans = attribute_int(node, "transB", 0);
  return trans.ok() && *trans == 1;
}

Status check_graph(const Graph& graph, const std::set<std::string, std::less<>>& tensors) {
  std::set<std::string, std::less<>> values;
  for (const std::string& input : graph.inputs)
    if (tensors.contains(input) || !values.insert(input).second) return malformed("graph input '" + input + "' is declared twice");
  for (const Node& node : graph.nodes) {
    for (const std::string& input : node.inputs)
      if (!input.empty() && !values.contains(input) && !tensors.contains(input))
        return malformed(op_text(node) + " reads '" + input + "', which nothing before it makes", node.name);
    if (node.outputs.empty()) return malformed(op_text(node) + " has no output", node.name);
    for (const std::string& output : node.outputs)
      if (output.empty() || tensors.contains(output) || !values.insert(output).second)
        return malformed("value '" + output + "' is made twice", node.name);
  }
  for (const std::string& output : graph.outputs)
    if (!values.contains(output)) return malformed("graph output '" + output + "' is made by no node");
  for (const Tap& tap : graph.taps)
    if (!values.contains(tap.value)) return malformed("tap '" + tap.name + "' names the value '" + tap.value + "', which no node makes");
  return ok();
}

std::string GraphBuilder::input(std::string name) {
  used_.insert(name);
  graph_.inputs.push_back(name);
  return name;
}

std::string GraphBuilder::node(std::string_view domain, std::string_view op, uint32_t version, std::vector<std::string> inputs,
                               std::vector<Attribute> attributes, std::string_view output) {
  std::string name(output);
  for (int i = 2; !used_.insert(name).second; ++i) name = std::string(output) + "." + std::to_string(i);
  std::sort(attributes.begin(), attributes.end(), [](const Attribute& a, const Attribute& b) { return a.name < b.name; });
  graph_.nodes.push_back({std::string(domain), std::string(op), version, name, std::move(inputs), {name}, std::move(attributes)});
  return name;
}

Graph GraphBuilder::take() {
  std::sort(graph_.taps.begin(), graph_.taps.end(), [](const Tap& a, const Tap& b) { return a.name < b.name; });
  return std::move(graph_);
}

std::set<std::string, std::less<>> prune(Graph& graph, const std::set<std::string, std::less<>>& tensors) {
  std::set<std::string, std::less<>> needed(graph.outputs.begin(), graph.outputs.end());
  std::vector<Node> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool wanted = std::any_of(node->outputs.begin(), node->outputs.end(),
                                    [&](const std::string& output) { return needed.contains(output); });
    if (!wanted) continue;
    needed.insert(node->inputs.begin(), node->inputs.end());
    kept.push_back(std::move(*node));
  }
  std::reverse(kept.begin(), kept.end());
  graph.nodes = std::move(kept);
  std::erase_if(graph.inputs, [&](const std::string& input) { return !needed.contains(input); });
  std::set<std::string, std::less<>> made(graph.inputs.begin(), graph.inputs.end());
  for (const Node& node : graph.nodes) made.insert(node.outputs.begin(), node.outputs.end());
  std::erase_if(graph.taps, [&](const Tap& tap) { return !made.contains(tap.value); });
  std::set<std::string, std::less<>> used;
  for (const std::string& name : needed)
    if (tensors.contains(name)) used.insert(name);
  return used;
}

std::vector<OpRequirement> ops_of(const Graph& graph) {
  std::vector<OpRequirement> ops;
  for (const Node& node : graph.nodes) ops.push_back({node.domain, node.op, node.version});
  const auto key = [](const OpRequirement& op) { return std::tie(op.domain, op.name, op.version); };
  std::sort(ops.begin(), ops.end(), [&](const auto& a, const auto& b) { return key(a) < key(b); });
  ops.erase(std::unique(ops.begin(), ops.end()), ops.end());
  return ops;
}

}  // namespace modnet
