// What a module's label says, gathered from its index and those of its components without reading payload.
// Tested by tests/unit/commands/label_test.cc and tests/cli/inspect-*.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/read.h"

namespace modnet {

struct LabelSpace {
  SpaceRecord record;
  uint64_t dims = 0;  // 0: not fixed
};

struct ModuleSummary {
  std::string chain;  // "encoder → backbone → sections"; empty where there are no components
  std::vector<LabelSpace> spaces;  // outputs first, each once; those of components too
  PreparationRecord preparation;   // of the module or its encoder; empty method: none
  uint64_t max_length = 0;         // of prepared sequences, 0: no limit or no sequence
  std::string length_symbol;       // "T"
  int64_t tensors = 0, parameters = 0, raw_bytes = 0, stored_bytes = 0;
  std::map<std::string, int64_t> dtypes;  // name → tensors
};

/// Shared components count once. kMalformed, kDigest: as opening a component.
[[nodiscard]] Result<ModuleSummary> summarize(const ModuleView& view);

/// "90.3 MB", "512 B" (powers of 1,000).
[[nodiscard]] std::string bytes_text(int64_t bytes);
/// "22.6M", "384".
[[nodiscard]] std::string count_text(int64_t count);
/// Text filled with blanks to `cells` terminal cells, at least one blank.
[[nodiscard]] std::string padded(std::string text, int64_t cells);
/// The label as `modnet inspect` prints it; `name` is the file's.
[[nodiscard]] std::string label_text(const ModuleView& view, const ModuleSummary& summary, const std::string& name);

}  // namespace modnet
