// modnet attach-head. Tested by tests/cli/attach-head-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec attach_head_command();

}  // namespace modnet
