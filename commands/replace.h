// attach-head --replace: another module in a slot of a composite, everything else byte for byte as it was.
// Tested by tests/cli/attach-head-replace.
#pragma once

#include "commands/command.h"

namespace modnet {

/// Runs attach-head with --replace: BACKBONE is the composite, each HEAD goes into the slot of the --replace at its place.
[[nodiscard]] Result<int> run_replace(Invocation& invocation);

}  // namespace modnet
