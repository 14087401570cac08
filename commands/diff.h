// `modnet inspect --diff A B`: what is different between two modules, for people and as JSON.
// Tested by tests/cli/inspect-diff*.
#pragma once

#include <optional>
#include <string>

#include "commands/command.h"
#include "commands/diff_evolution.h"
#include "libmod/module/diff.h"

namespace modnet {

/// Exit 0: the same content, 1: another.
[[nodiscard]] Result<int> run_diff(Invocation& invocation, const std::string& before, const std::string& after);

struct DiffResult {
  DiffSide before, after;
  ModuleDiff diff;
  std::optional<CheckedPair> evolution;
};

/// Where one side is a composite and the other is not: the slot whose component is the other module's content; "" for none.
[[nodiscard]] std::string held_slot(const DiffResult& result);

/// `lines`: at most so many a section; 0 for all. Everything from files is escaped.
[[nodiscard]] std::string diff_text(const DiffResult& result, const Console& console, int64_t lines);
/// The `diff` member of the document.
[[nodiscard]] Json diff_json(const DiffResult& result);

}  // namespace modnet
