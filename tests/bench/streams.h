// What memory and glibc give: streams that do no arithmetic worth the name, and libmvec's functions on whole arrays, in the widest
// vectors that the CPU has. Judged against by kernels.cc.
#pragma once

#include <cstdint>
#include <cstdio>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "formats/base/shared_library.h"

namespace modnet::bench {

/// What an element costs memory: one number read and one written, two read and one written, one read. Stores go through the caches,
/// as the kernels' do: who comes next reads there.
enum class Stream : uint8_t { kCopy = 0, kAdd, kRead, kCount };

constexpr double stream_bytes(Stream stream) { return stream == Stream::kCopy ? 8 : stream == Stream::kAdd ? 12 : 4; }

// n is a multiple of 128. A copy changes the sign, so that no compiler makes a call of it.
#define MODNET_STREAM(NAME, TARGET, LANES)                                                              \
  TARGET inline void NAME(Stream stream, const float* x, const float* other, float* y, int64_t n) {     \
    using V [[gnu::vector_size((LANES) * 4), gnu::aligned(4), gnu::may_alias]] = float;                 \
    const V *a = reinterpret_cast<const V*>(x), *b = reinterpret_cast<const V*>(other);                 \
    V* out = reinterpret_cast<V*>(y);                                                                   \
    const int64_t vectors = n / (LANES);                                                                \
    if (stream == Stream::kCopy) {                                                                      \
      for (int64_t i = 0; i < vectors; ++i) out[i] = -a[i];                                             \
    } else if (stream == Stream::kAdd) {                                                                \
      for (int64_t i = 0; i < vectors; ++i) out[i] = a[i] + b[i];                                       \
    } else {                                                                                            \
      V sums[8] = {};                                                                                   \
      for (int64_t i = 0; i < vectors; i += 8) {                                                        \
        _Pragma("GCC unroll 8") for (int64_t j = 0; j < 8; ++j) sums[j] += a[i + j];                    \
      }                                                                                                 \
      for (int64_t j = 1; j < 8; ++j) sums[0] += sums[j];                                               \
      out[0] = sums[0];                                                                                 \
    }                                                                                                   \
  }

MODNET_STREAM(stream_128, , 4)
#if defined(__x86_64__)
MODNET_STREAM(stream_256, [[gnu::target("avx2")]], 8)
MODNET_STREAM(stream_512, [[gnu::target("avx512f")]], 16)
#endif

inline void run_stream(Stream stream, const float* x, const float* other, float* y, int64_t n) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return stream_512(stream, x, other, y, n);
  if (__builtin_cpu_supports("avx2")) return stream_256(stream, x, other, y, n);
#endif
  stream_128(stream, x, other, y, n);
}

/// y[i] = f(x[i]) by one of libmvec's functions ("expf"), vector after vector.
class VectorLibrary {
 public:
  /// lanes: 8 (AVX2) or 16 (AVX-512).
  explicit VectorLibrary(const char* function, int lanes) : lanes_(lanes) {
    char name[64];
    std::snprintf(name, sizeof name, lanes == 16 ? "_ZGVeN16v_%s" : "_ZGVdN8v_%s", function);
    SharedLibrary("libmvec.so.1").find(name, function_);
  }
  [[nodiscard]] bool there() const { return function_ != nullptr; }
#if defined(__x86_64__)
  /// n is a multiple of 16.
  void run(const float* x, float* y, int64_t n) const { lanes_ == 16 ? run_512(x, y, n) : run_256(x, y, n); }

 private:
  [[gnu::target("avx2")]] void run_256(const float* x, float* y, int64_t n) const {
    __m256 (*const f)(__m256) = reinterpret_cast<__m256 (*)(__m256)>(function_);
    for (int64_t i = 0; i < n; i += 8) _mm256_storeu_ps(y + i, f(_mm256_loadu_ps(x + i)));
  }
  [[gnu::target("avx512f")]] void run_512(const float* x, float* y, int64_t n) const {
    __m512 (*const f)(__m512) = reinterpret_cast<__m512 (*)(__m512)>(function_);
    for (int64_t i = 0; i < n; i += 16) _mm512_storeu_ps(y + i, f(_mm512_loadu_ps(x + i)));
  }
#else
  void run(const float*, float*, int64_t) const {}

 private:
#endif
  int lanes_;
  void (*function_)() = nullptr;
};

}  // namespace modnet::bench
