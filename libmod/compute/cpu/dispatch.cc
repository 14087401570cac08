// What Highway's dynamic dispatch asks its library for: which instruction sets this CPU has, and which one is chosen.
// modnet uses Highway's headers and answers here, so that libhwy is not linked: its constructor calibrates a timer for
// milliseconds in every process, and three small functions are all that is wanted of it. target.h is the face of it.
// Tested by tests/unit/compute/target_test.cc.
#include <atomic>

#include "hwy/targets.h"
#if HWY_ARCH_X86
#include <cpuid.h>
#endif

namespace {

std::atomic<int64_t> forced_targets{0};  // 0: none

#if HWY_ARCH_X86

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers identify(uint32_t leaf) {
  Registers out;
  if (__get_cpuid_count(leaf, 0, &out.eax, &out.ebx, &out.ecx, &out.edx) == 0) return {};
  return out;
}

bool has(uint32_t flags, uint32_t all) { return (flags & all) == all; }

// The state that the operating system saves: XCR0 (Intel SDM vol. 1, 13.3).
uint32_t saved_state() {
  uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Every instruction that the compiler may use in a target (HWY_TARGET_STR_*) must be there.
int64_t detect() {
  int64_t found = HWY_SCALAR | HWY_EMU128;
  const Registers base = identify(1);
  const Registers more = identify(7);
  const uint32_t ssse3 = bit_SSE3 | bit_SSSE3;
  const uint32_t sse4 = ssse3 | bit_SSE4_1 | bit_SSE4_2 | bit_PCLMUL | bit_AES;
  const uint32_t avx2 = sse4 | bit_AVX | bit_FMA | bit_F16C | bit_OSXSAVE;
  const uint32_t avx2_more = bit_AVX2 | bit_BMI | bit_BMI2;
  const uint32_t avx3_more = bit_AVX512F | bit_AVX512VL | bit_AVX512DQ | bit_AVX512BW;
  if (has(base.ecx, ssse3)) found |= HWY_SSSE3;
  if (has(base.ecx, sse4)) found |= HWY_SSE4;
  if (!has(base.ecx, avx2) || !has(more.ebx, avx2_more)) return found;
  const uint32_t saved = saved_state();
  if (has(saved, 0x06)) found |= HWY_AVX2;                                // SSE, AVX
  if (has(saved, 0xe6) && has(more.ebx, avx3_more)) found |= HWY_AVX3;  // and masks, upper halves, upper registers
  return found;
}

#elif HWY_ARCH_ARM

int64_t detect() { return HWY_NEON | HWY_SCALAR | HWY_EMU128; }

#else

int64_t detect() { return HWY_STATIC_TARGET; }

#endif

}  // namespace

namespace hwy {

int64_t SupportedTargets() {
  static const int64_t detected = detect();
  const int64_t forced = forced_targets.load(std::memory_order_relaxed);
  return forced != 0 ? forced : detected;
}

void SetSupportedTargetsForTest(int64_t targets) { forced_targets.store(targets, std::memory_order_relaxed); }

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

}  // namespace hwy
