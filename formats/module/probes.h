// The probes trailer: stored inputs and the f32 outputs that they must give, as a FlatBuffer of its own ("MNPR").
// Tested by tests/unit/module/probes_test.cc.
#pragma once

#include <string>

#include "formats/base/reader.h"
#include "formats/base/result.h"
#include "formats/module/records.h"

namespace modnet {

/// kInvalid when an array's data is not rows × item shape × dtype, or its offsets do not fit `count`.
[[nodiscard]] Result<std::string> encode_probes(const Probes& probes);
/// kMalformed for the same, and for anything that is not a well-formed probes trailer. Never allocates more than the
/// bytes given plus the records.
[[nodiscard]] Result<Probes> decode_probes(Bytes bytes);

}  // namespace modnet
