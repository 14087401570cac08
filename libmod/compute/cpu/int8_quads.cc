// The VNNI kernel with the real instructions. Everything that is compiled here may use AVX-512, so nothing that other files
// share may be: only the tiles, which are called where target.h says int8_dot_products().
#include "libmod/compute/cpu/int8_kernel.h"

#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vnni")
#include "libmod/compute/cpu/int8_quads-inl.h"

namespace modnet::cpu {
namespace {

struct Avx512Vnni {
  using Whole = __m512i;
  using Real = __m512;
  static Whole zero() { return _mm512_setzero_si512(); }
  static Whole load_bytes(const std::byte* p) { return _mm512_load_si512(p); }
  static Whole broadcast_quad(const std::byte* p) { return _mm512_set1_epi32(*reinterpret_cast<const int32_t __attribute__((aligned(1), may_alias))*>(p)); }
  static Whole dot(Whole sum, Whole bytes, Whole signed_bytes) { return _mm512_dpbusd_epi32(sum, bytes, signed_bytes); }
  static Whole load_whole(const int32_t* p) { return _mm512_load_si512(p); }
  static void store_whole(int32_t* p, Whole a) { _mm512_store_si512(p, a); }
  static Whole set_whole(int32_t value) { return _mm512_set1_epi32(value); }
  static Whole subtract(Whole a, Whole b) { return _mm512_sub_epi32(a, b); }
  static Real to_real(Whole a) { return __builtin_convertvector(reinterpret_cast<__v16si>(a), __v16sf); }  // _mm512_cvtepi32_ps without g++ 12's false warning
  static Real set(float value) { return _mm512_set1_ps(value); }
  static Real load(const float* p) { return _mm512_loadu_ps(p); }
  static Real multiply(Real a, Real b) { return _mm512_mul_ps(a, b); }
  static Real add(Real a, Real b) { return _mm512_add_ps(a, b); }
  static void store(float* p, Real a) { _mm512_storeu_ps(p, a); }
};

constexpr int kQuadRows = 12;

template <int... R>
constexpr Int8Kernel tiles_of(std::integer_sequence<int, R...>) {
  return {kQuadPanel, kQuadRows, {&quads_tile<Avx512Vnni, R + 1>...}};
}
constexpr Int8Kernel kKernel = tiles_of(std::make_integer_sequence<int, kQuadRows>());

}  // namespace
}  // namespace modnet::cpu
#pragma GCC pop_options

namespace modnet::cpu {
const Int8Kernel& quads_kernel() { return kKernel; }
}  // namespace modnet::cpu

#else

namespace modnet::cpu {
const Int8Kernel& quads_kernel() { return pairs_kernel(); }  // never asked for: target.h says so
}  // namespace modnet::cpu

#endif
