// Which tensors of two modules differ: by name, then by digest, so that no payload is read. What is left over on both sides with
// equal bytes was renamed; names that changed alike are gathered by their prefix.
// Tested by tests/unit/module_rules/tensor_diff_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/module/records.h"
#include "libmod/module/field_diff.h"
#include "libmod/module/tensor_stats.h"

namespace modnet {

struct TensorSide {
  std::string name;
  DType dtype = DType::kInvalid;
  std::vector<uint64_t> shape;
  Digest digest{};
};

/// kChanged: one name, other dtype, shape or bytes. kRenamed: equal in all but the name.
struct TensorChange {
  Change change = Change::kChanged;
  std::optional<TensorSide> before, after;
  std::optional<TensorStats> stats;  // where they were asked for and the shapes are equal
};

/// `tensors` renames (at least two) that only put `after` in the place of `before`; what follows is the same. A prefix ends
/// before a '.' or '/', and may be empty.
struct PrefixRename {
  std::string before, after;
  int64_t tensors = 0;
};

struct TensorDiff {
  int64_t equal = 0;  // same name, dtype, shape and digest
  std::vector<TensorChange> changes;   // in the order of the names, old ones first where a name is only there
  std::vector<PrefixRename> prefixes;  // sorted
};

/// Both lists are sorted by name, as in an index.
[[nodiscard]] TensorDiff diff_tensors(const std::vector<TensorRecord>& before, const std::vector<TensorRecord>& after);

/// What differs in front of the longest common tail of whole name parts: "bert.a.w", "a.w" → "bert", "".
[[nodiscard]] std::pair<std::string, std::string> differing_prefixes(const std::string& before, const std::string& after);

}  // namespace modnet
