// Hard limits on what untrusted files may ask for (modnet-module.5).
#pragma once

#include <cstdint>

namespace modnet {

inline constexpr int64_t kMaxIndexBytes = int64_t{256} << 20;
inline constexpr int64_t kMaxTensors = int64_t{1} << 20;
inline constexpr int64_t kMaxNameBytes = 512;
inline constexpr int kMaxComponentDepth = 32;
inline constexpr int kMaxRank = 8;
inline constexpr int64_t kAlignment = 64;
/// What a parser may allocate beyond the bytes that it was given, unless --max-memory says otherwise.
inline constexpr int64_t kParserSlack = int64_t{64} << 20;

/// a*b and a+b for sizes that come from files; false where the result does not fit or an operand is negative.
[[nodiscard]] inline bool checked_mul(int64_t a, int64_t b, int64_t* out) {
  return a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, out);
}
[[nodiscard]] inline bool checked_add(int64_t a, int64_t b, int64_t* out) {
  return a >= 0 && b >= 0 && !__builtin_add_overflow(a, b, out);
}
/// `n` rounded up to a multiple of `align` (a power of two); false on overflow.
[[nodiscard]] inline bool checked_align(int64_t n, int64_t align, int64_t* out) {
  int64_t sum = 0;
  if (!checked_add(n, align - 1, &sum)) return false;
  *out = sum & ~(align - 1);
  return true;
}

}  // namespace modnet
