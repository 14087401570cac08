// `modnet capabilities`: what this build can do, for people and for scripts. Tested by tests/cli/capabilities-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec capabilities_command();

}  // namespace modnet
