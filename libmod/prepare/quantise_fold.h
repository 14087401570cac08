// Moving factors of a layer's input into what makes that input, where the graph allows it: then they cost nothing at all. A norm whose
// values nobody else reads takes them into its gains and bias; a linear layer into its rows, its channels' scales and its bias; on the
// way back to one, attention (a value's columns stay columns) and Relu let them through. Everything stays the same but for rounding.
// Tested by tests/unit/prepare/runner/quantise_test.cc.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "libmod/prepare/quantise_layers.h"

namespace modnet {

/// Multiplies column k of `value` by factors[k] in the tensors of what makes it. Returns the tensors that changed, none where the graph does
/// not allow it: the value, or one on the way, is in `kept`, has readers beside `readers` or another width.
[[nodiscard]] Result<std::vector<std::string>> fold_factors(const FlatGraph& graph, ChangedGraph& changed, std::string_view value, const std::vector<float>& factors,
                                                            const std::set<size_t>& readers, const std::set<std::string, std::less<>>& kept);

}  // namespace modnet
