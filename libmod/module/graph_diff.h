// What changed between two graphs, as a reader would say it: nodes are aligned in order by what they do and by the weights that
// they use. Names of nodes mean nothing, and names of values are followed through the alignment, so that a graph in which only
// they differ shows no changed node. Tested by tests/unit/module_rules/graph_diff_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/module/records.h"
#include "libmod/module/field_diff.h"

namespace modnet {

struct NodeChange {
  Change change = Change::kChanged;       // kAdded, kRemoved, kChanged
  std::optional<int64_t> before, after;   // positions in the two graphs
  std::string op;                         // "MatMul", "modnet.Pool"; of the side that has it
  std::string value;                      // its first output there
  std::vector<FieldChange> fields;        // kChanged: "version", "attributes.axis", "inputs[1]"
};

struct GraphDiff {
  bool same = true;  // equal graph digests
  int64_t nodes_before = 0, nodes_after = 0;
  std::vector<NodeChange> nodes;    // in the order of the graphs
  std::vector<FieldChange> fields;  // "inputs[0]", "outputs[0]", "taps.final"
  int64_t renamed_values = 0;       // values whose name alone changed
  int64_t renamed_nodes = 0;        // nodes that met and have other names: not content
};

/// `renamed`: tensors that have another name in `after`.
[[nodiscard]] GraphDiff diff_graphs(const Graph& before, const Graph& after, const std::map<std::string, std::string>& renamed);

/// An attribute's value as JSON text (NaN and infinities by name).
[[nodiscard]] std::string attribute_text(const AttributeValue& value);

}  // namespace modnet
