// modnet eval. Tested by tests/cli/eval-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec eval_command();

}  // namespace modnet
