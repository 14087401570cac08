// Accepted breaks: a finding that somebody answers for, until a day. A finding is named by what it is (rule, path, old and
// new side), so an acceptance holds for that break alone and for no later one. The file modnet-accept.toml is read by
// commands/accept_file; here are the entries as plain data. Tested by tests/unit/contract/accept_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "libmod/contract/check.h"

namespace modnet {

/// One entry. Either `key`, or all of rule, path, old and new say which finding is meant; where both are given, both must fit.
struct Acceptance {
  std::string key;  // finding_key()
  std::optional<std::string> rule, path, old_text, new_text;
  std::string reason, owner;
  std::string expires;  // YYYY-MM-DD, the last day on which it holds
  std::string place;    // line:column in the file
};

/// True for YYYY-MM-DD that names a day of the Gregorian calendar.
[[nodiscard]] bool is_day(std::string_view text);

/// The entry is complete: says which finding, by a rule that exists, with a reason, an owner and a day. kMalformed otherwise.
[[nodiscard]] Status check_acceptance(const Acceptance& entry);

[[nodiscard]] bool matches(const Acceptance& entry, const Finding& finding);
/// The first entry that takes the finding; null when none does.
[[nodiscard]] const Acceptance* acceptance_of(std::span<const Acceptance> entries, const Finding& finding);

/// Marks the findings of all reports that an entry takes, and settles each report. `today` is a day as is_day() has it.
/// Every entry that has expired, or that no finding matches, is an error (kInvalid, with its place); where there is any,
/// nothing is marked.
[[nodiscard]] std::vector<Error> apply_acceptances(std::span<const Acceptance> entries, std::string_view today,
                                                   std::span<CheckReport* const> reports);

/// The entry that would accept a finding, as TOML to be completed: reason, owner and expiry are empty, which is refused.
[[nodiscard]] std::string suggested_acceptance(const Finding& finding);

}  // namespace modnet
