// Help in the shape of git's: commands in groups, then one page a command. Tested by tests/cli/help-*.
#pragma once

#include <span>
#include <string>

#include "commands/command.h"

namespace modnet {

/// `modnet --help`: every command with its summary, in groups. `console` knows width and styling.
[[nodiscard]] std::string overview_text(std::span<const CommandSpec> table, const Console& console);
/// `modnet COMMAND --help`.
[[nodiscard]] std::string command_text(const CommandSpec& spec, const Console& console);
/// "-o, --output FILE" for one option.
[[nodiscard]] std::string option_label(const OptionSpec& option);

}  // namespace modnet
