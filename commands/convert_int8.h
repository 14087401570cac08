// The 8-bit half of modnet convert: which layers change, how that is said, and what the card keeps of it.
// Tested by tests/cli/convert-int8.
#pragma once

#include <string>

#include "commands/command.h"
#include "commands/convert.h"
#include "formats/module/read.h"
#include "libmod/prepare/quantise.h"

namespace modnet {

/// One line on all layers and what was measured, one on each group that stays f32.
[[nodiscard]] std::string int8_text(const Quantised& made);
/// `layers`, `all_int8`, `chosen`, `int8_error` of the document.
void add_int8_json(Json& document, const Quantised& made, double limit);

/// What the card keeps of it, under extra.quantisation.
[[nodiscard]] Json int8_card(const Quantised& made, double limit);

}  // namespace modnet
