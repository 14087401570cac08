// TOML → the plain tree of commands/recipe.h; the only place that knows toml++. Tested by tests/cli/recipe-*.
#pragma once

#include <string>

#include "commands/recipe.h"

namespace modnet {

/// Reads `path` ("-" is standard input, at most 16 MiB). kMalformed with line:column for TOML that cannot be read, dates
/// and times (no recipe needs them) and nesting deeper than 64.
[[nodiscard]] Result<RecipeValue> load_toml(const std::string& path);

}  // namespace modnet
