// modnet embed. Tested by tests/cli/embed-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec embed_command();

}  // namespace modnet
