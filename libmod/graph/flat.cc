#include "libmod/graph/flat.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "libmod/graph/graph.h"
#include "libmod/graph/identity.h"
#include "libmod/module/semantics.h"

namespace modnet {
namespace {

/// The opened modules of a tree; addresses must not move, so they live in unique_ptrs.
struct Tree {
  std::vector<std::unique_ptr<ModuleView>> opened;
  std::map<std::string, std::pair<const ModuleView*, std::string>, std::less<>> tensors, assets;
};

Result<std::vector<std::string>> text_list(const Node& node, std::string_view name) {
  for (const Attribute& one : node.attributes)
    if (one.name == name)
      if (const auto* list = std::get_if<std::vector<std::string>>(&one.value)) return *list;
  return malformed("modnet.Module has no list of texts '" + std::string(name) + "'", node.name);
}

const Port* port_of(const Contract& contract, Direction direction, std::string_view name) {
  for (const Port& port : contract.ports)
    if (port.direction == direction && port.name == name) return &port;
  return nullptr;
}

class Flattener {
 public:
  Flattener(FlatGraph& graph, Tree& tree, std::vector<FlatPort>& seams) : graph_(graph), tree_(tree), seams_(seams) {}

  /// Adds the nodes of `view`; `prefix` is "" or "slot/"; `renamed` maps its graph inputs to values of the outer graph.
  /// Returns what its own values are called outside.
  Result<std::map<std::string, std::string>> add(const ModuleView& view, const std::string& prefix, std::map<std::string, std::string> renamed) {
    const ModuleIndex& index = view.index();
    std::set<std::string, std::less<>> tensor_names;
    for (const TensorRecord& tensor : index.tensors) {
      if (!tree_.tensors.try_emplace(prefix + tensor.name, &view, tensor.name).second)
        return malformed("two tensors are called '" + prefix + tensor.name + "' once components are inlined");
      tensor_names.insert(tensor.name);
    }
    for (const AssetRecord& asset : index.assets) tree_.assets[prefix + asset.name] = {&view, asset.name};
    MODNET_TRY(check_graph(index.graph, tensor_names));
    const auto outer = [&](const std::string& name) {
      if (name.empty()) return name;
      const auto it = renamed.find(name);
      return it != renamed.end() ? it->second : prefix + name;
    };
    for (const Node& node : index.graph.nodes) {
      if (node.domain == kOurDomain && node.op == "Module") {
        MODNET_TRY(add_module(view, node, prefix, renamed, outer));
        continue;
      }
      Node copy = node;
      copy.name = prefix + copy.name;
      for (std::string& input : copy.inputs) input = outer(input);
      for (std::string& output : copy.outputs) {
        output = outer(output);
        if (!made_.insert(output).second) return malformed("value '" + output + "' is made twice once components are inlined", copy.name);
      }
      for (Attribute& one : copy.attributes)  // assets are named from the outside as well
        if (one.name == "asset")
          if (auto* name = std::get_if<std::string>(&one.value)) *name = prefix + *name;
      graph_.nodes.push_back(std::move(copy));
    }
    for (const Tap& tap : index.graph.taps) graph_.taps.push_back({prefix + tap.name, outer(tap.value)});
    std::map<std::string, std::string> names;
    for (const std::string& output : index.graph.outputs) names[output] = outer(output);
    return names;
  }

 private:
  template <typename Outer>
  Status add_module(const ModuleView& view, const Node& node, const std::string& prefix, std::map<std::string, std::string>& renamed, const Outer& outer) {
    MODNET_ASSIGN(const ModuleCall call, module_call(node));
    const std::string& slot = call.slot;
    const std::vector<std::string>&input_ports = call.input_ports, &output_ports = call.output_ports;
    if (!slots_.insert(prefix + slot).second) return malformed("modnet.Module runs a slot for the second time", slot);
    auto opened = view.component(slot);
    if (!opened.ok()) return std::move(opened).error();
    tree_.opened.push_back(std::make_unique<ModuleView>(std::move(opened).value()));
    const ModuleView& inner = *tree_.opened.back();
    if (const Status status = check_module(inner.index()); !status.ok()) {
      Error error = status.error();
      error.where = slot + (error.where.empty() ? "" : ": " + error.where);
      return error;
    }
    const Contract& contract = inner.index().contract;
    std::map<std::string, std::string> inner_names;
    for (size_t i = 0; i < input_ports.size(); ++i) {
      const Port* port = port_of(contract, Direction::kInput, input_ports[i]);
      if (port == nullptr) return malformed("component has no input port '" + input_ports[i] + "'", slot);
      if (!node.inputs[i].empty()) inner_names[port->value] = outer(node.inputs[i]);
    }
    for (const Port& port : contract.ports) {  // an optional input that nobody feeds is absent
      if (port.direction != Direction::kInput || inner_names.contains(port.value)) continue;
      if (!port.optional) return malformed("nothing feeds the component's input port '" + port.name + "'", slot);
      graph_.inputs.push_back({port, prefix + slot + "/" + port.value});
    }
    MODNET_ASSIGN(const auto made, add(inner, prefix + slot + "/", std::move(inner_names)));
    for (size_t i = 0; i < output_ports.size(); ++i) {
      const Port* port = port_of(contract, Direction::kOutput, output_ports[i]);
      const auto it = port == nullptr ? made.end() : made.find(port->value);
      if (it == made.end()) return malformed("component has no output port '" + output_ports[i] + "'", slot);
      renamed[node.outputs[i]] = it->second;
      seams_.push_back({*port, it->second});
    }
    return ok();
  }

  FlatGraph& graph_;
  Tree& tree_;
  std::vector<FlatPort>& seams_;
  std::set<std::string, std::less<>> made_, slots_;  // values of the whole graph; slots with their prefixes
};

}  // namespace

Node module_node(std::string slot, std::vector<std::string> input_ports, std::vector<std::string> inputs,
                 std::vector<std::string> output_ports, std::vector<std::string> outputs) {
  Node node{std::string(kOurDomain), "Module", 1, slot, std::move(inputs), std::move(outputs), {}};
  node.attributes = {{"inputs", std::move(input_ports)}, {"outputs", std::move(output_ports)}, {"slot", std::move(slot)}};
  return node;
}

Result<ModuleCall> module_call(const Node& node) {
  ModuleCall call;
  MODNET_ASSIGN(call.slot, attribute_text(node, "slot", ""));
  MODNET_ASSIGN(call.input_ports, text_list(node, "inputs"));
  MODNET_ASSIGN(call.output_ports, text_list(node, "outputs"));
  if (call.input_ports.size() != node.inputs.size() || call.output_ports.size() != node.outputs.size())
    return malformed("modnet.Module pairs " + std::to_string(node.inputs.size()) + " inputs with " + std::to_string(call.input_ports.size()) + " ports and " +
                         std::to_string(node.outputs.size()) + " outputs with " + std::to_string(call.output_ports.size()), call.slot);
  call.inputs = node.inputs;
  call.outputs = node.outputs;
  return call;
}

Result<FlatGraph> flatten(const ModuleView& view) { return flatten(view, nullptr); }

Result<FlatGraph> flatten(const ModuleView& view, FlatRecords* records) {
  FlatGraph graph;
  FlatRecords made;
  auto tree = std::make_shared<Tree>();
  Flattener flattener(graph, *tree, made.seams);
  MODNET_ASSIGN(const auto names, flattener.add(view, "", {}));
  for (const Port& port : view.index().contract.ports) {
    if (port.direction == Direction::kInput) {
      graph.inputs.push_back({port, port.value});
      continue;
    }
    const auto it = names.find(port.value);
    if (it == names.end()) return malformed("stands for the graph value '" + port.value + "', which is no output", "port '" + port.name + "'");
    graph.outputs.push_back({port, it->second});
  }
  graph.is_tensor = [tree](std::string_view name) { return tree->tensors.find(name) != tree->tensors.end(); };
  graph.tensor = [tree](std::string_view name) -> Result<ConstTensor> {
    const auto it = tree->tensors.find(name);
    if (it == tree->tensors.end()) return malformed("there is no tensor '" + std::string(name) + "'");
    const ModuleView& module = *it->second.first;
    const auto at = module.find_tensor(it->second.second);
    if (!at) return internal("tensor '" + std::string(name) + "' vanished");
    const TensorRecord& record = module.index().tensors[*at];
    ConstTensor tensor{std::string(name), record.dtype, {}, {}};
    for (const uint64_t dim : record.shape) tensor.shape.push_back(static_cast<int64_t>(dim));
    MODNET_ASSIGN(tensor.bytes, module.tensor_bytes(*at));
    return tensor;
  };
  graph.asset = [tree](std::string_view name) -> Result<Bytes> {
    const auto it = tree->assets.find(name);
    if (it == tree->assets.end()) return malformed("there is no asset '" + std::string(name) + "'");
    return it->second.first->asset(it->second.second);
  };
  made.tensor = [tree](std::string_view name) -> const TensorRecord* {
    const auto it = tree->tensors.find(name);
    const auto at = it == tree->tensors.end() ? std::nullopt : it->second.first->find_tensor(it->second.second);
    return at ? &it->second.first->index().tensors[*at] : nullptr;
  };
  made.asset = [tree](std::string_view name) -> const AssetRecord* {
    const auto it = tree->assets.find(name);
    const auto at = it == tree->assets.end() ? std::nullopt : it->second.first->find_asset(it->second.second);
    return at ? &it->second.first->index().assets[*at] : nullptr;
  };
  if (records != nullptr) *records = std::move(made);
  return graph;
}

}  // namespace modnet
