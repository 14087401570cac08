// modnet check: an edge or an evolution check of modules, alone, in pairs, against a history or in a matrix; verdict, findings
// and the version bump that is needed. Tested by tests/cli/check-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec check_command();

}  // namespace modnet
