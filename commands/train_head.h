// modnet train-head. Tested by tests/cli/train-head-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec train_head_command();

}  // namespace modnet
