// `modnet inspect`: the label of a module, from preamble, index and trailers alone. Tested by tests/cli/inspect-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec inspect_command();

}  // namespace modnet
