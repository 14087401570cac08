// A module as one flat list of operations: components are inlined, so that a plan sees encoder, backbone and heads as one
// graph, and a backbone that several heads share runs once.
// Tested by tests/unit/graph/flat_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/reader.h"
#include "formats/base/result.h"
#include "formats/module/read.h"
#include "formats/module/records.h"

namespace modnet {

/// A tensor's bytes as they are used: `bytes` lives as long as the module it comes from.
struct ConstTensor {
  std::string name;
  DType dtype = DType::kInvalid;
  std::vector<int64_t> shape;
  Bytes bytes;
};

/// A port of the whole graph and the value that it stands for, named as in FlatGraph::nodes.
struct FlatPort {
  Port port;
  std::string value;
};

struct FlatGraph {
  std::vector<Node> nodes;              // no modnet.Module left; values and tensors of slot S are named "S/…"
  std::vector<FlatPort> inputs, outputs;
  std::vector<Tap> taps;                // "S/name" for those of components
  /// Loads a tensor by the name that a node uses. Checks its XXH3 on first use.
  std::function<Result<ConstTensor>(std::string_view)> tensor;
  std::function<bool(std::string_view)> is_tensor;
  /// Loads an asset that a node of a component names in an attribute: the name as in the node, prefixed by its slot.
  std::function<Result<Bytes>(std::string_view)> asset;
};

/// Inlines every modnet.Module node, at any depth. `view` (and the bytes behind it) must outlive the graph; components are
/// opened in place and kept by the graph. kMalformed names the slot when nodes and the component's ports do not meet.
[[nodiscard]] Result<FlatGraph> flatten(const ModuleView& view);

/// A node that runs the module in `slot`: inputs and outputs are paired with the names of the component's ports.
[[nodiscard]] Node module_node(std::string slot, std::vector<std::string> input_ports, std::vector<std::string> inputs,
                               std::vector<std::string> output_ports, std::vector<std::string> outputs);
/// The same node, read back.
struct ModuleCall {
  std::string slot;
  std::vector<std::string> input_ports, inputs, output_ports, outputs;  // pairs: ports of the module, values of the graph
};
/// kMalformed when an attribute is missing or ports and values do not pair.
[[nodiscard]] Result<ModuleCall> module_call(const Node& node);

}  // namespace modnet
