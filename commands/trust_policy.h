// A policy file: which keys must have signed modules of which kinds, as TOML (modnet-verify.1, POLICY FILE).
// Tested by tests/cli/verify-policy*.
#pragma once

#include <string>

#include "commands/command.h"
#include "formats/base/result.h"
#include "libmod/module/trust.h"

namespace modnet {

/// Reads `path` and the PEM files that it names, relative to it. kMalformed with line:column for unknown keys, unknown
/// names and wrong types; key files fail as read_public_key() does.
[[nodiscard]] Result<TrustPolicy> load_trust_policy(const Invocation& invocation, const std::string& path);

}  // namespace modnet
