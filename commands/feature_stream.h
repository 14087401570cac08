// What encode and embed share: items go in, an Arrow stream of output ports comes out, with ids, labels and claims.
// Tested by tests/cli/encode-* and embed-*.
#pragma once

#include <string>
#include <vector>

#include "commands/chain.h"

namespace modnet {

struct StreamJob {
  std::vector<const ModuleFile*> modules;  // run one behind the other
  std::vector<std::string> ports;          // of the last module
  DataOptions data;
  std::string probes, evidence;            // encoded, of the last module; empty: none
};

/// Runs the job into the command's output and says what was done. Returns the exit code.
[[nodiscard]] Result<int> run_stream(Invocation& invocation, const StreamJob& job);

}  // namespace modnet
