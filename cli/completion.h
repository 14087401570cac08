// Completion scripts for bash and zsh, made from the command table. Tested by tests/cli/completion-*.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "commands/command.h"

namespace modnet {

/// `shell`: "bash" or "zsh"; kUsage for anything else.
[[nodiscard]] Result<std::string> completion_script(std::span<const CommandSpec> table, std::string_view shell);

}  // namespace modnet
