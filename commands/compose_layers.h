// The inline layers of a recipe: one row a layer, each adding nodes and tensors to the module being composed and saying what its
// output is. Tested by tests/unit/commands/compose_layers_test.cc and tests/cli/compose-*.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "commands/recipe.h"
#include "formats/module/records.h"
#include "libmod/graph/graph.h"

namespace modnet {

/// A module while it is composed: the graph so far, its tensors, and the value that the next layer reads as a port.
struct Composition {
  GraphBuilder graph;
  struct Tensor {
    std::vector<uint64_t> shape;
    std::vector<float> values;
  };
  std::map<std::string, Tensor> tensors;
  Port current;            // dtype, dims, semantic and range of the value `current.value`
  bool normalized = false; // the last layer left unit norm

  [[nodiscard]] int64_t width() const;  // numbers an item
};

/// Adds one [[layer]] with an `op`. Errors name the recipe's line and the key; unknown layers list the known ones.
[[nodiscard]] Status add_layer(RecipeReader& layer, size_t index, Composition& composition);

/// check_name() of a name that a recipe gives under `key`: the error says file, line and column.
[[nodiscard]] Status check_recipe_name(const RecipeReader& table, const std::string& key, const std::string& name, std::string_view what);

/// The dtype, dims and range of a fixed-shape port from a recipe's [input].
[[nodiscard]] Result<Port> read_input(RecipeReader& input);

}  // namespace modnet
