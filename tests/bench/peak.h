// What the cores can do: multiply-adds and divisions on registers only, in the widest form that the CPU has. Judged against by
// matmul.cc, int8_products.cc, kernels.cc and, through peak.cc, by embed.py.
#pragma once

#include <cstdint>

namespace modnet::bench {

#if defined(__x86_64__)
#define MODNET_REPEAT12(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8) M(9) M(10) M(11)
// 96 times STEP on 12 chains that start from CLEAR; their operands are registers 12 and 13.
#define MODNET_SPIN(CLEAR, STEP)                                                                                             \
  asm volatile(MODNET_REPEAT12(CLEAR) CLEAR(12) CLEAR(13) MODNET_REPEAT12(STEP) MODNET_REPEAT12(STEP) MODNET_REPEAT12(STEP)  \
                   MODNET_REPEAT12(STEP) MODNET_REPEAT12(STEP) MODNET_REPEAT12(STEP) MODNET_REPEAT12(STEP) MODNET_REPEAT12(STEP) :: \
                       : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",   \
                         "xmm12", "xmm13")
#define MODNET_CLEAR_Z(I) "vpxord %%zmm" #I ", %%zmm" #I ", %%zmm" #I "\n"
#define MODNET_CLEAR_Y(I) "vxorps %%ymm" #I ", %%ymm" #I ", %%ymm" #I "\n"
#define MODNET_FMA_Z(I) "vfmadd231ps %%zmm12, %%zmm13, %%zmm" #I "\n"
#define MODNET_FMA_Y(I) "vfmadd231ps %%ymm12, %%ymm13, %%ymm" #I "\n"
#define MODNET_DOT_Z(I) "vpdpbusd %%zmm12, %%zmm13, %%zmm" #I "\n"
// 1.5 in every lane: 0 / 0 might be quicker than a number.
#define MODNET_NUMBER_Z(I) "vpternlogd $255, %%zmm" #I ", %%zmm" #I ", %%zmm" #I "\nvpsrld $24, %%zmm" #I ", %%zmm" #I "\nvpslld $22, %%zmm" #I ", %%zmm" #I "\n"
#define MODNET_NUMBER_Y(I) "vpcmpeqd %%ymm" #I ", %%ymm" #I ", %%ymm" #I "\nvpsrld $24, %%ymm" #I ", %%ymm" #I "\nvpslld $22, %%ymm" #I ", %%ymm" #I "\n"
#define MODNET_DIV_Z(I) "vdivps %%zmm12, %%zmm13, %%zmm" #I "\n"
#define MODNET_DIV_Y(I) "vdivps %%ymm12, %%ymm13, %%ymm" #I "\n"
constexpr double kSpinSteps = 96;
#endif

/// f32 multiply-adds, 12 chains; returns floating-point operations done, 0 where the CPU has no fused multiply-add.
inline double spin_multipliers([[maybe_unused]] int64_t loops) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    for (int64_t i = 0; i < loops; ++i) MODNET_SPIN(MODNET_CLEAR_Z, MODNET_FMA_Z);
    return static_cast<double>(loops) * kSpinSteps * 16 * 2;
  }
  if (__builtin_cpu_supports("fma")) {
    for (int64_t i = 0; i < loops; ++i) MODNET_SPIN(MODNET_CLEAR_Y, MODNET_FMA_Y);
    return static_cast<double>(loops) * kSpinSteps * 8 * 2;
  }
#endif
  return 0.0;
}

/// f32 lanes of the vectors that spin_multipliers and spin_dividers work on.
inline double spin_lanes() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return 16;
  if (__builtin_cpu_supports("fma")) return 8;
#endif
  return 0.0;
}

/// f32 divisions that do not wait for each other; returns those done, counted a lane, 0 where the CPU has no fused multiply-add.
inline double spin_dividers([[maybe_unused]] int64_t loops) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    for (int64_t i = 0; i < loops; ++i) MODNET_SPIN(MODNET_NUMBER_Z, MODNET_DIV_Z);
  } else if (__builtin_cpu_supports("fma")) {
    for (int64_t i = 0; i < loops; ++i) MODNET_SPIN(MODNET_NUMBER_Y, MODNET_DIV_Y);
  }
  return static_cast<double>(loops) * kSpinSteps * spin_lanes();
#else
  return 0.0;
#endif
}

/// Byte products summed to 32 bits by AMX, four tiles of sums; returns operations done. Only where libmod/compute/target.h says int8_tiles().
inline double spin_tile_multipliers([[maybe_unused]] int64_t loops) {
#if defined(__x86_64__)
  alignas(64) uint8_t config[64] = {1};  // palette 1; bytes a row from 16 on, rows from 48 on
  for (int tile = 0; tile < 8; ++tile) {
    config[16 + 2 * tile] = 64;
    config[48 + tile] = 16;
  }
  asm volatile("ldtilecfg %0\ntilezero %%tmm0\ntilezero %%tmm1\ntilezero %%tmm2\ntilezero %%tmm3\ntilezero %%tmm4\ntilezero %%tmm5" ::"m"(config));
  for (int64_t i = 0; i < loops; ++i)
    asm volatile("tdpbusd %%tmm5, %%tmm4, %%tmm0\ntdpbusd %%tmm5, %%tmm4, %%tmm1\ntdpbusd %%tmm5, %%tmm4, %%tmm2\ntdpbusd %%tmm5, %%tmm4, %%tmm3" ::);
  asm volatile("tilerelease" ::);
  return static_cast<double>(loops) * 4 * 16 * 16 * 64 * 2;
#else
  return 0.0;
#endif
}

/// Byte products summed to 32 bits by VNNI in 512-bit registers, 12 chains; returns operations done, 0 without AVX-512 VNNI.
inline double spin_byte_multipliers([[maybe_unused]] int64_t loops) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512vnni")) {
    for (int64_t i = 0; i < loops; ++i) MODNET_SPIN(MODNET_CLEAR_Z, MODNET_DOT_Z);
    return static_cast<double>(loops) * kSpinSteps * 64 * 2;
  }
#endif
  return 0.0;
}

}  // namespace modnet::bench
