// Element types: names, sizes, and the 16-bit conversions over every half and the cases around each rounding edge.
#include "formats/base/dtype.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace modnet {
namespace {

/// The value that 16 bits mean, from the definition of the formats.
double meaning(uint16_t bits, int exponent_bits, int mantissa_bits) {
  const int sign = bits >> 15;
  const int exponent = bits >> mantissa_bits & ((1 << exponent_bits) - 1);
  const int mantissa = bits & ((1 << mantissa_bits) - 1);
  const int bias = (1 << (exponent_bits - 1)) - 1;
  double value = 0;
  if (exponent == (1 << exponent_bits) - 1)
    value = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    value = std::ldexp(mantissa, 1 - bias - mantissa_bits);
  else
    value = std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
  return sign == 0 ? value : -value;
}

struct Half {
  float (*widen)(uint16_t);
  uint16_t (*narrow)(float);
  int exponent_bits, mantissa_bits;
};
constexpr Half kHalves[] = {{f16_to_f32, f32_to_f16, 5, 10}, {bf16_to_f32, f32_to_bf16, 8, 7}};

TEST_CASE("every 16-bit float widens to the value that it means") {
  for (const Half& half : kHalves) {
    int wrong = 0;
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      const double expected = meaning(static_cast<uint16_t>(bits), half.exponent_bits, half.mantissa_bits);
      const float got = half.widen(static_cast<uint16_t>(bits));
      const bool same = std::isnan(expected) ? std::isnan(got)
                                             : std::bit_cast<uint32_t>(static_cast<float>(expected)) ==
                                                   std::bit_cast<uint32_t>(got);
      wrong += same ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("every 16-bit float survives a round trip, NaN as a quiet NaN") {
  for (const Half& half : kHalves) {
    int wrong = 0;
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
      const float wide = half.widen(static_cast<uint16_t>(bits));
      const uint32_t quiet = 1u << (half.mantissa_bits - 1);
      const uint32_t expected = std::isnan(wide) ? bits | quiet : bits;
      wrong += half.narrow(wide) == expected ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("narrowing rounds to the nearest value, ties to even, at every boundary between two halves") {
  for (const Half& half : kHalves) {
    int wrong = 0;
    const uint32_t infinity = ((1u << half.exponent_bits) - 1u) << half.mantissa_bits;
    for (uint32_t bits = 0; bits + 1 < infinity; ++bits) {
      // Exact in f32: both formats have fewer mantissa bits, and their least steps are f32 numbers (bf16's half step
      // below the normals excepted, where the midpoint still has 8 bits to spare).
      const double low = meaning(static_cast<uint16_t>(bits), half.exponent_bits, half.mantissa_bits);
      const double high = meaning(static_cast<uint16_t>(bits + 1), half.exponent_bits, half.mantissa_bits);
      const float middle = static_cast<float>((low + high) / 2);
      const uint32_t even = bits & 1u ? bits + 1 : bits;
      wrong += half.narrow(middle) == even ? 0 : 1;
      wrong += half.narrow(std::nextafter(middle, 0.0f)) == bits ? 0 : 1;
      wrong += half.narrow(std::nextafter(middle, std::numeric_limits<float>::infinity())) == bits + 1 ? 0 : 1;
      wrong += half.narrow(-middle) == (even | 0x8000u) ? 0 : 1;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("values beyond the largest half become infinite, tiny ones zero with their sign") {
  CHECK(f32_to_f16(65519.996f) == 0x7bff);
  CHECK(f32_to_f16(65520.0f) == 0x7c00);
  CHECK(f32_to_f16(-1e30f) == 0xfc00);
  CHECK(f32_to_f16(std::numeric_limits<float>::infinity()) == 0x7c00);
  CHECK(f32_to_f16(-1e-30f) == 0x8000);
  CHECK(f32_to_f16(std::numeric_limits<float>::denorm_min()) == 0);
  CHECK(f32_to_bf16(std::numeric_limits<float>::max()) == 0x7f80);
  CHECK(f32_to_bf16(-0.0f) == 0x8000);
  const float signalling = std::bit_cast<float>(0x7f800001u);
  CHECK(std::isnan(f16_to_f32(f32_to_f16(signalling))));
  CHECK(std::isnan(bf16_to_f32(f32_to_bf16(signalling))));
}

TEST_CASE("names and sizes agree for every element type, and unknown numbers have neither") {
  const int64_t sizes[] = {0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 0};
  for (uint8_t n = 1; n <= 14; ++n) {
    const DType dtype = static_cast<DType>(n);
    CHECK(dtype_size(dtype) == sizes[n]);
    CHECK(dtype_from_name(dtype_name(dtype)) == dtype);
  }
  CHECK(dtype_size(static_cast<DType>(99)) == 0);
  CHECK(dtype_name(static_cast<DType>(99)) == "unknown");
  CHECK_FALSE(dtype_from_name("f8_e4m3").has_value());
  CHECK_FALSE(dtype_from_name("unknown").has_value());
}

}  // namespace
}  // namespace modnet
