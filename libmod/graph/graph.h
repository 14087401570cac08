// Graphs as data: attributes, structure checks, building, and dropping what no wanted value needs. Executes nothing.
// Tested by tests/unit/graph/graph_test.cc.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/records.h"

namespace modnet {

inline constexpr std::string_view kOurDomain = "modnet";

/// Attribute getters: the value, or `fallback` when the attribute is absent; kMalformed when it has another type.
[[nodiscard]] Result<int64_t> attribute_int(const Node& node, std::string_view name, int64_t fallback);
[[nodiscard]] Result<double> attribute_real(const Node& node, std::string_view name, double fallback);
[[nodiscard]] Result<std::string> attribute_text(const Node& node, std::string_view name, std::string_view fallback);
/// kMalformed for an attribute whose name is not in `known`: nothing is ignored silently.
[[nodiscard]] Status only_attributes(const Node& node, std::span<const std::string_view> known);

/// "modnet.Attention" or "Gemm": how messages and `inspect` name an operation.
[[nodiscard]] std::string op_text(const Node& node);
/// A Gemm whose weights are stored [n, k] and nothing else set: what importers and recipes write for a linear layer.
[[nodiscard]] bool is_linear_layer(const Node& node);

/// Structure: every input is a graph input, an earlier output or a tensor; no value is made twice; graph outputs and taps
/// exist. `tensors` are the names of the module's tensors.
[[nodiscard]] Status check_graph(const Graph& graph, const std::set<std::string, std::less<>>& tensors);

/// Builds a graph node by node; value names are made from what is asked for, unique in the graph.
class GraphBuilder {
 public:
  /// Declares a graph input and returns its value name.
  std::string input(std::string name);
  /// Adds a node with one output and returns the output's name ("" domain: ONNX).
  std::string node(std::string_view domain, std::string_view op, uint32_t version, std::vector<std::string> inputs,
                   std::vector<Attribute> attributes, std::string_view output);
  /// Adds a finished node (a modnet.Module with several outputs); its value names must be new.
  void module(Node node) {
    used_.insert(node.outputs.begin(), node.outputs.end());
    graph_.nodes.push_back(std::move(node));
  }
  void output(std::string value) { graph_.outputs.push_back(std::move(value)); }
  void tap(std::string name, std::string value) { graph_.taps.push_back({std::move(name), std::move(value)}); }
  [[nodiscard]] const Graph& peek() const { return graph_; }
  [[nodiscard]] Graph take();  // taps sorted by name

 private:
  Graph graph_;
  std::set<std::string> used_;
};

/// Removes nodes, taps and inputs that no graph output needs; returns the names of the tensors that are still used.
[[nodiscard]] std::set<std::string, std::less<>> prune(Graph& graph, const std::set<std::string, std::less<>>& tensors);

/// The operations of a graph with versions, sorted and unique: what Requirements::ops lists.
[[nodiscard]] std::vector<OpRequirement> ops_of(const Graph& graph);

}  // namespace modnet
