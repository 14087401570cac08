// What the elementary functions need to know of each number type: its bits, its limits and its polynomials. Shared by
// the plain form (math.cc) and the vector form (cpu/math-inl.h). Tested by tests/unit/compute/math_test.cc.
#pragma once

#include <cstdint>
#include <limits>

#include "libmod/compute/reference/coefficients.h"

namespace modnet {

template <typename T>
struct MathTraits;

template <>
struct MathTraits<float> {
  using Bits = uint32_t;
  using Signed = int32_t;
  static constexpr int kMantissaBits = 23;
  static constexpr Bits kExponentBias = 127;
  static constexpr Bits kNan = 0x7fc00000u;
  static constexpr Bits kSign = 0x80000000u;
  static constexpr Bits kSqrtHalfBits = 0x3f3504f3u;
  static constexpr float kMagic = 0x1.8p23f;  // x + kMagic - kMagic rounds to an integer, found in the low bits
  static constexpr Bits kMagicBits = 0x4b400000u;
  static constexpr float kExpMin = -110.0f, kExpMax = 95.0f;  // beyond: 0 and Inf
  static constexpr float kExpPlain = 87.0f;                   // exp of less, either way, is a normal number
  static constexpr float kLog2e = coefficients::kLog2eF32;
  static constexpr float kLn2Head = coefficients::kLn2HeadF32, kLn2Tail = coefficients::kLn2TailF32;
  static constexpr float kMinNormal = 0x1p-126f, kUpscale = 0x1p25f, kUpscaleExponent = 25.0f;
  static constexpr float kInf = std::numeric_limits<float>::infinity();
  static constexpr float kErfEnd = 4.0f;  // erf is 1 from here on
  static constexpr float kSqrtHalf = coefficients::kSqrtHalfF32;
  static constexpr float kSqrtTwoOverPi = coefficients::kSqrtTwoOverPiF32;
  static constexpr double kAngleLimit = 0x1p28;  // larger angles go through reduce_large_angle
  static constexpr const auto& kExp = coefficients::kExpF32;
  static constexpr const auto& kLog = coefficients::kLogF32;
  static constexpr const auto& kTanh = coefficients::kTanhF32;
  static constexpr const auto& kErf = coefficients::kErfF32;
  static constexpr const auto& kErfc = coefficients::kErfcF32;
};

template <>
struct MathTraits<double> {
  using Bits = uint64_t;
  using Signed = int64_t;
  static constexpr int kMantissaBits = 52;
  static constexpr Bits kExponentBias = 1023;
  static constexpr Bits kNan = 0x7ff8000000000000u;
  static constexpr Bits kSign = 0x8000000000000000u;
  static constexpr Bits kSqrtHalfBits = 0x3fe6a09e667f3bcdu;
  static constexpr double kMagic = 0x1.8p52;
  static constexpr Bits kMagicBits = 0x4338000000000000u;
  static constexpr double kExpMin = -760.0, kExpMax = 720.0;
  static constexpr double kExpPlain = 708.0;
  static constexpr double kLog2e = coefficients::kLog2eF64;
  static constexpr double kLn2Head = coefficients::kLn2HeadF64, kLn2Tail = coefficients::kLn2TailF64;
  static constexpr double kMinNormal = 0x1p-1022, kUpscale = 0x1p54, kUpscaleExponent = 54.0;
  static constexpr double kInf = std::numeric_limits<double>::infinity();
  static constexpr double kErfEnd = 6.0;
  static constexpr double kSqrtHalf = coefficients::kSqrtHalfF64;
  static constexpr double kSqrtTwoOverPi = coefficients::kSqrtTwoOverPiF64;
  static constexpr double kAngleLimit = 0x1p23;
  static constexpr const auto& kExp = coefficients::kExpF64;
  static constexpr const auto& kLog = coefficients::kLogF64;
  static constexpr const auto& kTanh = coefficients::kTanhF64;
  static constexpr const auto& kErf = coefficients::kErfF64;
  static constexpr const auto& kErfc = coefficients::kErfcF64;
};

}  // namespace modnet
