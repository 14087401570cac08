// Ragged self-attention as obvious loops, with the same chains and virtual lanes: what every instruction set must
// equal. Tested by tests/unit/compute/attention_test.cc.
#pragma once

#include <cstdint>

#include "libmod/compute/attention.h"

namespace modnet::reference {

/// Contract as modnet::attention.
void attention(const AttentionInput& input, float* out, int64_t ldo);

}  // namespace modnet::reference
