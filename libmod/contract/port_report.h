// Running the rules on two ports, and how one words what it found: the same sides, paths and phrases for every rule.
// Private to libmod/contract; tested through tests/unit/contract/rules_test.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libmod/contract/rules.h"

namespace modnet {

/// Every rule of the registry on two ports that meet; their symbols are bound on the way.
void run_port_rules(const PortPair& pair, Findings& out);

/// "x.dims" on an edge, "inputs.x.dims" or "outputs.x.dims" in an evolution.
[[nodiscard]] std::string port_path(const PortPair& pair, std::string_view field);

/// Adds a finding on a field whose two texts are those of the giving and the taking side. `what` is "expected TO, got FROM"
/// on an edge and "was OLD, is now NEW" in an evolution, unless one is given.
Finding& report(const Rule& rule, const PortPair& pair, std::string_view field, const std::string& from, const std::string& to,
                Findings& out, std::string what = {});

/// "3", "0.5", "1e-06": the shortest text that reads back as the same number.
[[nodiscard]] std::string number_text(double value);
/// "'a', 'b'", at most a few of them; "none" for no text.
[[nodiscard]] std::string list_text(const std::vector<std::string>& texts);

}  // namespace modnet
