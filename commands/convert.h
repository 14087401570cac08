// modnet convert: the same backbone with smaller weights, measured against the space it comes from.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec convert_command();

}  // namespace modnet
