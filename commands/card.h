// `modnet card`: shows, changes and exports a module's card, and never its content. Tested by tests/cli/card-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec card_command();

}  // namespace modnet
