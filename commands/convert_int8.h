// The 8-bit half of modnet convert: which layers change, how that is said, and what the card keeps of it.
// Tested by tests/cli/convert-int8.
#pragma once

#include <string>

#include "commands/command.h"
#include "commands/convert.h"
#include "formats/module/read.h"
#include "libmod/prepare/quantise.h"

namespace modnet {

/// Chooses with the module's probes as the calibration set. Errors as quantise_int8 gives them.
[[nodiscard]] Result<Quantised> choose_int8(const ModuleView& view, const Probes& probes, double limit, const RunnerOptions& options);

/// One line on all layers and what was measured, one on each group that stays f32.
[[nodiscard]] std::string int8_text(const Quantised& made);
/// `layers`, `all_int8`, `chosen`, `int8_error` of the document.
void add_int8_json(Json& document, const Quantised& made, double limit);

/// The module's card with what was done under extra.quantisation. A card that is none of ours stays as it is.
[[nodiscard]] Result<std::string> int8_card(const ModuleView& view, const Quantised& made, double limit);

}  // namespace modnet
