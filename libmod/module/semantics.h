// Rules that every module obeys beyond its bytes: names, kinds, SemVer, ports that point at graph values.
// Tested by tests/unit/module_rules/semantics_test.cc.
#pragma once

#include <string_view>

#include "formats/base/result.h"
#include "formats/module/records.h"

namespace modnet {

/// Module, port, slot and label-set names: 1–128 bytes of letters, digits, '.', '_', '-', not beginning with '.' or '-'.
[[nodiscard]] Status check_name(std::string_view name, std::string_view what);
/// A head's name is also not 'encoder' or 'backbone', which are slots of every composite.
[[nodiscard]] Status check_head_name(std::string_view name);
/// Identity and contract against the graph: version is SemVer; port numbers, and names in one direction, are unique; every
/// input port stands for a graph input and every output port for a graph output; a symbol has the same bounds everywhere; labels
/// match the last dim.
[[nodiscard]] Status check_module(const ModuleIndex& index);

}  // namespace modnet
