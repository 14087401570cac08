// Element types. The numbers are on disk (schema/module.fbs): append only, never reuse.
// Tested by tests/unit/base/dtype_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace modnet {

enum class DType : uint8_t {
  kInvalid = 0, kBool = 1, kI8 = 2, kI16 = 3, kI32 = 4, kI64 = 5, kU8 = 6, kU16 = 7, kU32 = 8, kU64 = 9,
  kF16 = 10, kBF16 = 11, kF32 = 12, kF64 = 13,
  kUtf8 = 14,  // ports only: a string an item; a tensor never has it
};

/// Bytes an element; 0 for kInvalid, kUtf8 and numbers this build does not know.
[[nodiscard]] int64_t dtype_size(DType dtype);
/// "f32", "bf16", "utf8" …; "unknown" for a number that this build does not know.
[[nodiscard]] std::string_view dtype_name(DType dtype);
[[nodiscard]] std::optional<DType> dtype_from_name(std::string_view name);

/// IEEE conversions written with integers: round to nearest even, NaN stays NaN (made quiet).
[[nodiscard]] uint16_t f32_to_f16(float value);
[[nodiscard]] float f16_to_f32(uint16_t bits);
[[nodiscard]] uint16_t f32_to_bf16(float value);
[[nodiscard]] float bf16_to_f32(uint16_t bits);

}  // namespace modnet
