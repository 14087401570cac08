// Lineage: what a module says it was made from, down to its components, and which given modules are that.
// Tested by tests/unit/module_rules/lineage_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/read.h"
#include "formats/module/records.h"

namespace modnet {

/// The entry that says "made from this module": its name and version in one text, and its content digest.
[[nodiscard]] Lineage lineage_entry(std::string relation, const Identity& identity, const Digest& content);

struct Ancestor {
  std::string slot;  // the component whose lineage it stands in, as "class" or "inner/class"; empty: the module's own
  Lineage entry;
  bool operator==(const Ancestor&) const = default;
};
/// The module's own lineage, then that of its components by slot, at any depth. An error is that of a component's opening.
[[nodiscard]] Result<std::vector<Ancestor>> ancestors_of(const ModuleView& view);

/// For each ancestor the first of `contents` that is it; nothing where none is, and for an entry without a digest.
[[nodiscard]] std::vector<std::optional<size_t>> match_ancestors(std::span<const Ancestor> ancestors, std::span<const Digest> contents);

}  // namespace modnet
