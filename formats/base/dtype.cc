#include "formats/base/dtype.h"

#include <array>
#include <bit>

namespace modnet {
namespace {
struct Row {
  DType dtype;
  std::string_view name;
  int64_t size;
};
constexpr std::array<Row, 14> kRows = {{
    {DType::kBool, "bool", 1}, {DType::kI8, "i8", 1},     {DType::kI16, "i16", 2}, {DType::kI32, "i32", 4},
    {DType::kI64, "i64", 8},   {DType::kU8, "u8", 1},     {DType::kU16, "u16", 2}, {DType::kU32, "u32", 4},
    {DType::kU64, "u64", 8},   {DType::kF16, "f16", 2},   {DType::kBF16, "bf16", 2}, {DType::kF32, "f32", 4},
    {DType::kF64, "f64", 8},   {DType::kUtf8, "utf8", 0},
}};
}  // namespace

int64_t dtype_size(DType dtype) {
  for (const Row& row : kRows)
    if (row.dtype == dtype) return row.size;
  return 0;
}

std::string_view dtype_name(DType dtype) {
  for (const Row& row : kRows)
    if (row.dtype == dtype) return row.name;
  return "unknown";
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const Row& row : kRows)
    if (row.name == name) return row.dtype;
  return std::nullopt;
}

uint16_t f32_to_f16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t mag = bits & 0x7fffffffu;
  if (mag > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((mag >> 13) & 0x3ffu));
  if (mag >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // rounds to 65536 or is infinite
  if (mag < 0x38800000u) {                                              // subnormal half or zero
    if (mag < 0x33000000u) return sign;                                 // below half of the least subnormal
    const uint32_t shift = 126u - (mag >> 23);
    const uint32_t man = (mag & 0x7fffffu) | 0x800000u;
    const uint32_t kept = man >> shift;
    const uint32_t rest = man & ((1u << shift) - 1u);
    const uint32_t half = 1u << (shift - 1u);
    return static_cast<uint16_t>(sign | (kept + ((rest > half || (rest == half && (kept & 1u))) ? 1u : 0u)));
  }
  const uint32_t rounded = mag + 0xfffu + ((mag >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

float f16_to_f32(uint16_t bits) {
  const uint32_t sign = (bits & 0x8000u) << 16;
  const uint32_t exp = (bits >> 10) & 0x1fu;
  uint32_t man = bits & 0x3ffu;
  if (exp == 31) return std::bit_cast<float>(sign | 0x7f800000u | (man ? (man << 13) | 0x400000u : 0u));
  if (exp != 0) return std::bit_cast<float>(sign | ((exp + 112u) << 23) | (man << 13));
  if (man == 0) return std::bit_cast<float>(sign);
  uint32_t e = 113;
  while (!(man & 0x400u)) {
    man <<= 1;
    --e;
  }
  return std::bit_cast<float>(sign | (e << 23) | ((man & 0x3ffu) << 13));
}

uint16_t f32_to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

float bf16_to_f32(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

}  // namespace modnet
