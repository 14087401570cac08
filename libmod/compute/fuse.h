// Rewrites a flat graph's nodes into fewer, larger ones that give the same bits: linear layer + activation, Add +
// LayerNormalization, and query, key and value as one product. Linear layers are Gemm and modnet.LinearU8S8. Values that
// somebody else reads, or that are asked for, stay.
// Tested by tests/unit/compute/plan_test.cc and linear_int8_test.cc: with and without fusion, every bit is equal.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "formats/module/records.h"

namespace modnet {

/// How often each value is read, by nodes and by who wants it.
using Uses = std::map<std::string, int, std::less<>>;
[[nodiscard]] Uses count_uses(const std::vector<Node>& nodes, const std::set<std::string, std::less<>>& wanted);

/// `wanted`: values that must keep existing. `is_tensor` tells tensors from values.
[[nodiscard]] std::vector<Node> fuse(std::vector<Node> nodes, const std::set<std::string, std::less<>>& wanted,
                                     const std::function<bool(std::string_view)>& is_tensor);

}  // namespace modnet
