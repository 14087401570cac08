// `modnet sign`: vouches for a module, or takes a signature away. Tested by tests/cli/sign-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec sign_command();

}  // namespace modnet
