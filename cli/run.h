// From words to an exit code: picks the command, fills its arguments, runs it, and turns whatever happens (errors, a
// full disk, a reader that left, an interrupt, an exception) into one of the documented exits. Tested by tests/cli.
#pragma once

#include <string>
#include <vector>

namespace modnet {

/// `words`: the command line without the program's name.
[[nodiscard]] int run_modnet(const std::vector<std::string>& words);

}  // namespace modnet
