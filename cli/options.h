// A command's specification as a CLI11 parser; what was typed goes into Arguments. Tested by tests/cli/usage-*.
#pragma once

#include <string>
#include <vector>

#include "commands/command.h"

namespace modnet {

/// Parses `words` (behind the command's name) into `arguments`. kUsage with a near name for a misspelt option.
/// --help and -h are only noted: required arguments are then not asked for.
[[nodiscard]] Status parse_words(const CommandSpec& spec, const std::vector<std::string>& words, Arguments& arguments);

}  // namespace modnet
