// `modnet extract`: takes a component out of a composite, byte for byte the module that was attached.
// Tested by tests/cli/extract-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec extract_command();

}  // namespace modnet
