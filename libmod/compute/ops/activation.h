// Which nodes are functions of one number: shared by their own lowering and by the fusion into linear layers.
#pragma once

#include <optional>

#include "formats/base/result.h"
#include "formats/module/records.h"
#include "libmod/compute/elementwise.h"

namespace modnet {

/// The function of a node, nothing when it is no activation; kMalformed for attributes that it does not have.
[[nodiscard]] Result<std::optional<UnaryOp>> activation_of(const Node& node);

}  // namespace modnet
