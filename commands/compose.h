// modnet compose. Tested by tests/cli/compose-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec compose_command();

}  // namespace modnet
