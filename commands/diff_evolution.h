// What `modnet inspect --diff` says of the second module as a new version of the first: the evolution check, from the two
// indexes and recorded evidence alone. Tested by tests/cli/inspect-diff-version.
#pragma once

#include <optional>
#include <vector>

#include "commands/diff_text.h"
#include "formats/module/read.h"
#include "libmod/contract/report/report.h"

namespace modnet {

/// One side of the comparison, for the printers.
struct DiffSide {
  std::string file;  // what results call it
  const ModuleView* view = nullptr;
};

/// Nothing where the kinds differ or the contents are equal. Runs no probes, as check --no-probes, and asks nothing of this
/// build's operations: a comparison is between the two files. A side that a check may not look at (ports that break
/// check_module(), evidence or a component that cannot be read) is the pair's error: the rest of a comparison does not depend on it.
[[nodiscard]] std::optional<CheckedPair> diff_evolution(const DiffSide& before, const DiffSide& after);

/// "needs MAJOR, declared MINOR: not enough", then one line a finding; none where there is nothing to say.
[[nodiscard]] std::vector<DiffLine> evolution_lines(const CheckedPair& pair);

/// As a member of `checks` of `modnet check --json`.
[[nodiscard]] Json evolution_json(const CheckedPair& pair);

}  // namespace modnet
