// `modnet verify`: reads every byte and recomputes every digest. Tested by tests/cli/verify-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec verify_command();

}  // namespace modnet
