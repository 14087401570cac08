#include "libmod/module/graph_diff.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "formats/module/digests.h"
#include "libmod/module/align.h"

namespace modnet {
namespace {

using Names = std::map<std::string, std::string>;

std::string json_text(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}
std::string scalar_text(int64_t value) { return std::to_string(value); }
std::string scalar_text(const std::string& value) { return json_text(value); }
std::string scalar_text(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}
template <typename T>
std::string scalar_text(const std::vector<T>& values) {
  std::string out;
  for (const T& value : values) out += (out.empty() ? "" : ",") + scalar_text(value);
  return "[" + out + "]";
}

std::string op_name(const Node& node) { return node.domain.empty() ? node.op : node.domain + "." + node.op; }

/// Names that are no output of a node and no input of the graph: tensors.
class ValueNames {
 public:
  explicit ValueNames(const Graph& graph) {
    names_.insert(graph.inputs.begin(), graph.inputs.end());
    for (const Node& node : graph.nodes) names_.insert(node.outputs.begin(), node.outputs.end());
  }
  [[nodiscard]] bool is_value(const std::string& name) const { return names_.contains(name); }

 private:
  std::set<std::string> names_;
};

const std::string& mapped(const Names& names, const std::string& name) {
  const auto found = names.find(name);
  return found == names.end() ? name : found->second;
}

/// What a node does and with which weights, in a text: every part with its length before it.
std::string signature(const Node& node, const ValueNames& values, const Names& renamed) {
  std::string out;
  const auto add = [&](const std::string& part) { out += std::to_string(part.size()) + ":" + part; };
  add(node.domain);
  add(node.op);
  add(std::to_string(node.version));
  add(std::to_string(node.outputs.size()));
  for (const Attribute& attribute : node.attributes) {
    add(attribute.name);
    add(attribute_text(attribute.value));
  }
  out += "|";
  for (const std::string& input : node.inputs) add(input.empty() || values.is_value(input) ? std::string() : mapped(renamed, input));
  return out;
}

/// Pairs of nodes: by signature, then within the gaps by operation alone.
std::vector<std::pair<size_t, size_t>> align_nodes(const Graph& before, const Graph& after, const Names& renamed) {
  const ValueNames values_before(before), values_after(after);
  Numbering signatures, ops;
  std::vector<uint32_t> by_signature[2], by_op[2];
  for (const Node& node : before.nodes) by_signature[0].push_back(signatures.of(signature(node, values_before, renamed)));
  for (const Node& node : after.nodes) by_signature[1].push_back(signatures.of(signature(node, values_after, {})));
  for (const Node& node : before.nodes) by_op[0].push_back(ops.of(op_name(node)));
  for (const Node& node : after.nodes) by_op[1].push_back(ops.of(op_name(node)));
  std::vector<std::pair<size_t, size_t>> anchors = align(by_signature[0], by_signature[1]), out;
  anchors.emplace_back(before.nodes.size(), after.nodes.size());
  size_t i = 0, j = 0;
  for (const auto& [next_i, next_j] : anchors) {
    for (const auto& [a, b] : align(std::span(by_op[0]).subspan(i, next_i - i), std::span(by_op[1]).subspan(j, next_j - j)))
      out.emplace_back(i + a, j + b);
    if (next_i < before.nodes.size()) out.emplace_back(next_i, next_j);
    i = next_i + 1;
    j = next_j + 1;
  }
  return out;
}

void diff_list(const std::vector<std::string>& before, const std::vector<std::string>& after, const Names& names, const std::string& path,
               std::vector<FieldChange>& out) {
  for (size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
    if (i < before.size() && i < after.size() && mapped(names, before[i]) == after[i]) continue;
    FieldChange change{path + "[" + std::to_string(i) + "]", std::nullopt, std::nullopt};
    if (i < before.size()) change.before = json_text(before[i]);
    if (i < after.size()) change.after = json_text(after[i]);
    out.push_back(std::move(change));
  }
}

void diff_named(const Names& before, const Names& after, const std::string& path, std::vector<FieldChange>& out) {
  Names all = before;
  all.insert(after.begin(), after.end());
  for (const auto& [name, value] : all) {
    const auto a = before.find(name), b = after.find(name);
    if (a != before.end() && b != after.end() && a->second == b->second) continue;
    FieldChange change{path + "." + name, std::nullopt, std::nullopt};
    if (a != before.end()) change.before = a->second;
    if (b != after.end()) change.after = b->second;
    out.push_back(std::move(change));
  }
}

std::vector<FieldChange> diff_node(const Node& before, const Node& after, const Names& names) {
  std::vector<FieldChange> out;
  if (before.version != after.version) out.push_back({"version", std::to_string(before.version), std::to_string(after.version)});
  Names old_attributes, new_attributes;
  for (const Attribute& attribute : before.attributes) old_attributes[attribute.name] = attribute_text(attribute.value);
  for (const Attribute& attribute : after.attributes) new_attributes[attribute.name] = attribute_text(attribute.value);
  diff_named(old_attributes, new_attributes, "attributes", out);
  diff_list(before.inputs, after.inputs, names, "inputs", out);
  diff_list(before.outputs, after.outputs, names, "outputs", out);
  return out;
}

NodeChange one_sided(const Graph& graph, size_t i, Change change) {
  const Node& node = graph.nodes[i];
  NodeChange out{change, std::nullopt, std::nullopt, op_name(node), node.outputs.empty() ? "" : node.outputs.front(), {}};
  (change == Change::kAdded ? out.after : out.before) = static_cast<int64_t>(i);
  return out;
}

/// Where the values of `before` went: equal names of graph inputs, else their places; outputs of nodes that met.
Names follow_values(const Graph& before, const Graph& after, const std::vector<std::pair<size_t, size_t>>& pairs) {
  Names out;
  const std::set<std::string> new_inputs(after.inputs.begin(), after.inputs.end());
  for (size_t i = 0; i < before.inputs.size(); ++i)
    if (!new_inputs.contains(before.inputs[i]) && i < after.inputs.size()) out[before.inputs[i]] = after.inputs[i];
  for (const auto& [i, j] : pairs) {
    const std::vector<std::string>&a = before.nodes[i].outputs, &b = after.nodes[j].outputs;
    for (size_t k = 0; k < std::min(a.size(), b.size()); ++k)
      if (!a[k].empty() && !b[k].empty() && a[k] != b[k]) out[a[k]] = b[k];
  }
  return out;
}

}  // namespace

std::string attribute_text(const AttributeValue& value) {
  return std::visit([](const auto& item) { return scalar_text(item); }, value);
}

GraphDiff diff_graphs(const Graph& before, const Graph& after, const Names& renamed) {
  GraphDiff out;
  out.nodes_before = static_cast<int64_t>(before.nodes.size());
  out.nodes_after = static_cast<int64_t>(after.nodes.size());
  const Digest old_digest = graph_digest(before), new_digest = graph_digest(after);
  out.same = old_digest == new_digest;
  if (out.same) {
    for (size_t i = 0; i < before.nodes.size(); ++i) out.renamed_nodes += before.nodes[i].name != after.nodes[i].name;
    return out;
  }
  std::vector<std::pair<size_t, size_t>> pairs = align_nodes(before, after, renamed);
  Names names = follow_values(before, after, pairs);
  out.renamed_values = static_cast<int64_t>(names.size());
  names.insert(renamed.begin(), renamed.end());
  pairs.emplace_back(before.nodes.size(), after.nodes.size());
  size_t i = 0, j = 0;
  for (const auto& [next_i, next_j] : pairs) {
    for (; i < next_i; ++i) out.nodes.push_back(one_sided(before, i, Change::kRemoved));
    for (; j < next_j; ++j) out.nodes.push_back(one_sided(after, j, Change::kAdded));
    if (i == before.nodes.size() || j == after.nodes.size()) break;
    out.renamed_nodes += before.nodes[i].name != after.nodes[j].name;
    std::vector<FieldChange> fields = diff_node(before.nodes[i], after.nodes[j], names);
    if (!fields.empty()) {
      NodeChange change = one_sided(after, j, Change::kAdded);
      change.change = Change::kChanged;
      change.before = static_cast<int64_t>(i);
      change.fields = std::move(fields);
      out.nodes.push_back(std::move(change));
    }
    ++i, ++j;
  }
  diff_list(before.inputs, after.inputs, names, "inputs", out.fields);
  diff_list(before.outputs, after.outputs, names, "outputs", out.fields);
  Names old_taps, new_taps;
  for (const Tap& tap : before.taps) old_taps[tap.name] = json_text(mapped(names, tap.value));
  for (const Tap& tap : after.taps) new_taps[tap.name] = json_text(tap.value);
  diff_named(old_taps, new_taps, "taps", out.fields);
  // What no field shows (the bits of a NaN): the digests still say that it is not the same.
  if (out.nodes.empty() && out.fields.empty() && out.renamed_values == 0 && renamed.empty())
    out.fields.push_back({"digest", json_text(hex(old_digest)), json_text(hex(new_digest))});
  return out;
}

}  // namespace modnet
