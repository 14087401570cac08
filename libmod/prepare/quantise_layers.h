// Linear layers of a graph in 8 bits: which there are, how one is best written (factors that move large columns of the input into the
// weights, weights as whole numbers), and the graph that runs a choice of them as modnet.LinearU8S8.
// What is chosen: quantise.h. Tested by tests/unit/prepare/runner/quantise_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "formats/base/result.h"
#include "libmod/compute/matmul.h"
#include "libmod/graph/flat.h"

namespace modnet {

/// Gemm nodes that read the same value (query, key and value): their rows become whole numbers once, so they change together.
struct LayerGroup {
  std::string input;                // the value
  std::vector<size_t> nodes;        // of the graph, ascending
  std::vector<std::string> names;   // their weight tensors
  int64_t k = 0;
  int64_t numbers = 0;              // weights of all
};

/// Groups whose weights are f32 matrices [n, k] (transB = 1, no other attribute) that nothing else reads.
[[nodiscard]] Result<std::vector<LayerGroup>> layer_groups(const FlatGraph& graph);

/// Rows that a group reads, and how large each column gets over all rows that were seen.
struct LayerRows {
  std::vector<float> rows;  // [count, k]
  int64_t count = 0;
  std::vector<float> most;  // [k]
};

/// One group in 8 bits.
struct Int8Group {
  struct Part {
    std::string whole;  // [n, k] bytes
    std::vector<float> scales;
  };
  std::vector<Part> parts;     // one a node
  std::vector<float> factors;  // [k]; empty: none are needed
  double exponent = 0;         // of the migration; 0 where there are no factors
  double error = 0;            // ‖y − y_f32‖ / ‖y_f32‖ on the rows
};

/// Tries migrations of several strengths (SmoothQuant, Xiao et al. 2023, eq. 4: f_k = w_k^(1-a) / x_k^a, the greatest magnitudes of
/// column k of weights and rows) and none, and takes what is nearest to f32 on the rows. kInvalid: weights that are not finite.
[[nodiscard]] Result<Int8Group> fit_group(const FlatGraph& graph, const LayerGroup& group, const LayerRows& rows, const ComputeContext& context);

struct NewTensor {
  DType dtype = DType::kInvalid;
  std::vector<int64_t> shape;
  std::string bytes;
};
/// What is other than in a graph: its nodes, and tensors that stand beside those that stay or in place of them.
struct ChangedGraph {
  std::vector<Node> nodes;
  std::map<std::string, NewTensor, std::less<>> tensors;
};
struct Int8Graph {
  ChangedGraph changed;                          // weights keep their names; NAME.scale and NAME.factors are new
  std::vector<std::vector<std::string>> folded;  // one a group: tensors that its factors went into, none where they are an input of its nodes
};
/// `forms` has one entry a group, null where it stays f32. Factors go into what is before a group where that can be (quantise_fold.h).
/// kInvalid when a tensor already has the name that a new one needs.
[[nodiscard]] Result<Int8Graph> int8_graph(const FlatGraph& graph, const std::vector<LayerGroup>& groups, const std::vector<const Int8Group*>& forms);
/// `graph` with the nodes and tensors of `changed`, both of which must outlive it.
[[nodiscard]] FlatGraph with_changes(const FlatGraph& graph, const ChangedGraph& changed);

}  // namespace modnet
