// `modnet rules`: the registry of compatibility rules as a list, one explained, and the manual page made from it.
// Tested by tests/cli/rules.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec rules_command();

}  // namespace modnet
