// What a value of a graph is, as a digest: of the operations, tensors and assets that make it, and of nothing else. Names do not
// count, nor does what stands beside them, so that a backbone is the same by itself and within any composite.
// Tested by tests/unit/graph/identity_test.cc.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/digest.h"
#include "formats/base/result.h"
#include "libmod/graph/flat.h"

namespace modnet {

/// What modules record of the parts of a flat graph: nothing is read for it.
struct FlatRecords {
  std::function<const TensorRecord*(std::string_view)> tensor;  // by the name in the graph; null for a name that is none
  std::function<const AssetRecord*(std::string_view)> asset;
  std::vector<FlatPort> seams;  // output ports of inlined components and their values, those of the innermost first
};
/// flatten(), and the records (where asked for).
[[nodiscard]] Result<FlatGraph> flatten(const ModuleView& view, FlatRecords* records);

/// The digest of a value ("modnet.value.v1") and what it is made of.
struct ValueIdentity {
  Digest digest{};
  std::set<std::string> inputs;           // names of the input ports that it is computed from
  std::set<std::string> tensors, assets;  // by their names in the graph
};

/// Identifies a value: an operation is its domain, name, version, attributes and the identities of its inputs; a tensor its dtype,
/// shape and recorded digest; an input port its name, dtype, layout, semantic type and fixed dims, or, where `fed` has its name,
/// the value of an earlier graph that feeds it. kMalformed for a name that is no value or has no record.
[[nodiscard]] Result<ValueIdentity> identify(const FlatGraph& graph, const FlatRecords& records, std::string_view value,
                                             const std::map<std::string, ValueIdentity>& fed = {});

/// The nodes that `wanted` need, in order, but for those behind the value `stop` (empty: none is stopped at).
[[nodiscard]] std::vector<Node> nodes_behind(const FlatGraph& graph, std::span<const std::string> wanted, std::string_view stop = {});

/// One embedding an item (of a component, or of the module itself) through which everything that the input ports contribute to
/// `wanted` goes; the one nearest to the inputs where there are several. Nothing when there is none.
[[nodiscard]] std::optional<FlatPort> waist(const FlatGraph& graph, const FlatRecords& records, std::span<const std::string> wanted);

}  // namespace modnet
