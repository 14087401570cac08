// modnet import. Tested by tests/cli/import-*.
#pragma once

#include "commands/command.h"

namespace modnet {

[[nodiscard]] CommandSpec import_command();

}  // namespace modnet
