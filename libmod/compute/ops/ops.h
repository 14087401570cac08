// The rows of each family of operations; op.cc joins them into one table.
#pragma once

#include <span>

#include "libmod/compute/op.h"

namespace modnet {

[[nodiscard]] std::span<const OpRow> activation_ops();  // activation.cc: Gelu, Tanh, Relu, Cos …
[[nodiscard]] std::span<const OpRow> arithmetic_ops();  // arithmetic.cc: Add, Sub, Mul, Div, Cast, Flatten, Identity
[[nodiscard]] std::span<const OpRow> linear_ops();      // linear.cc: Gemm and its fused forms
[[nodiscard]] std::span<const OpRow> linear_int8_ops();  // linear_int8.cc: LinearU8S8 and its fused form
[[nodiscard]] std::span<const OpRow> norm_ops();        // norm.cc: LayerNormalization, Softmax, L2Normalize …
[[nodiscard]] std::span<const OpRow> sequence_ops();    // sequence.cc: Gather, Positions, Attention, Pool

}  // namespace modnet
