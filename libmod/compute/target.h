// Which instruction set the kernels run on: chosen from the CPU, or forced (MODNET_CPU) to prove that the bits stay the
// same. Implemented in cpu/target.cc. Tested by tests/unit/compute/target_test.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"

namespace modnet {

/// Names: "avx512amx", "avx512vnni", "avx512", "avx2", "sse4", "ssse3", "neon", "scalar"; "" goes back to the best that this CPU has.
/// kUsage for another name; kUnavailable, naming what this CPU has, for a set that it lacks or that was not built.
/// Call it before kernels run: it is not meant to change under a running product.
[[nodiscard]] Status select_cpu_target(std::string_view name);

/// The set in use, as named above.
[[nodiscard]] std::string_view cpu_target_name();

/// False where products have to imitate the fused multiply-add that portable bits are made of: right, and many times slower.
[[nodiscard]] bool cpu_target_fuses();

/// The sets that can be selected here, best first, whatever is selected now.
[[nodiscard]] std::vector<std::string> cpu_targets();

/// Whether the set in use is "avx512vnni" or "avx512amx": AVX-512 with the dot product of bytes. Every other kernel runs on it as on "avx512".
[[nodiscard]] bool int8_dot_products();
/// Whether it is "avx512amx", which multiplies tiles of bytes besides.
[[nodiscard]] bool int8_tiles();

}  // namespace modnet
