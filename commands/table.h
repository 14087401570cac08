// The list of commands: one row each, in the order in which help shows them. Tested by tests/unit/commands/table_test.cc.
#pragma once

#include <vector>

#include "commands/command.h"

namespace modnet {

/// Built anew on every call (texts are literals, so this is microseconds).
[[nodiscard]] std::vector<CommandSpec> command_table();

}  // namespace modnet
