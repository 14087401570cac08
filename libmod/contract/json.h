// Contracts as JSON: what a stream carries in `modnet.contract` and what `inspect --json` prints.
// Every field that is at its default is left out; keys are sorted; so equal contracts give equal text.
// Tested by tests/unit/contract/json_test.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/records.h"

namespace modnet {

/// {"ports": […], "requirements": {…}} on one line.
[[nodiscard]] std::string contract_to_json(const Contract& contract);
/// kMalformed names the JSON path of what is wrong, unknown keys included.
[[nodiscard]] Result<Contract> contract_from_json(std::string_view text);

}  // namespace modnet
