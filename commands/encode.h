// modnet encode. Tested by tests/cli/encode-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec encode_command();

}  // namespace modnet
