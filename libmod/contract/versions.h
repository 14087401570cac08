// Semantic versions and version ranges (SemVer 2.0.0, sections 2, 9-11).
// Tested by tests/unit/contract/versions_test.cc.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"

namespace modnet {

struct Version {
  uint64_t major = 0, minor = 0, patch = 0;
  std::vector<std::string> prerelease;  // dot-separated identifiers; build metadata is dropped
};

/// "1.2.3-rc.1+build" → Version; kInvalid for anything that SemVer does not allow (leading zeros included).
[[nodiscard]] Result<Version> parse_version(std::string_view text);
/// Precedence of SemVer section 11.
[[nodiscard]] std::strong_ordering compare(const Version& a, const Version& b);

/// True when `version` lies in `range`: comparators (>=1.2.0, <2, =1.0.3, >1, <=2.1) joined by spaces, all must hold; parts
/// left out count as 0. An empty range or "*" takes every version. kInvalid for a range that cannot be read.
[[nodiscard]] Result<bool> in_range(const Version& version, std::string_view range);
/// True when every version that `inner` takes lies in `outer`, too. A range that takes nothing lies in every other.
[[nodiscard]] Result<bool> range_within(std::string_view inner, std::string_view outer);

}  // namespace modnet
