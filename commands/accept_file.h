// modnet-accept.toml, and the day that it is judged by: what --accept and --today of several commands mean.
// Tested by tests/unit/commands/accept_file_test.cc and tests/cli/check-accept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "commands/command.h"
#include "libmod/contract/accept.h"

namespace modnet {

/// The entries of a file: `[[accept]]` tables with key, or rule, path, old and new; reason, owner and expires. Unknown keys,
/// missing ones and a file without an entry are kMalformed with line:column.
[[nodiscard]] Result<std::vector<Acceptance>> read_acceptances(const RecipeValue& tree, const std::string& file);

/// What --accept FILE names, checked; nothing where it was not given.
[[nodiscard]] Result<std::vector<Acceptance>> load_acceptances(const Invocation& invocation);

/// --today, or the day of the clock in UTC as YYYY-MM-DD. kUsage for a --today that is no day.
[[nodiscard]] Result<std::string> judging_day(const Invocation& invocation);

/// --accept and --today, for a command's option table.
[[nodiscard]] std::vector<OptionSpec> acceptance_options();

/// apply_acceptances(), with the name of the file in every error.
[[nodiscard]] std::vector<Error> accept_findings(const Invocation& invocation, const std::vector<Acceptance>& entries,
                                                 std::string_view today, std::span<CheckReport* const> reports);

}  // namespace modnet
