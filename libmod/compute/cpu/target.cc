#include "libmod/compute/target.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "hwy/highway.h"

#if HWY_ARCH_X86
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

namespace modnet {
namespace {

// What a set has for bytes, each with what stands before it; no targets of Highway's here.
enum class Bytes : uint8_t { kNothing, kDots, kTiles };

struct Named {
  std::string_view name;
  int64_t target;
  Bytes bytes = Bytes::kNothing;
};

#if HWY_ARCH_X86
constexpr std::array<Named, 7> kTargets = {{{"avx512amx", HWY_AVX3, Bytes::kTiles},
                                            {"avx512vnni", HWY_AVX3, Bytes::kDots},
                                            {"avx512", HWY_AVX3},
                                            {"avx2", HWY_AVX2},
                                            {"sse4", HWY_SSE4},
                                            {"ssse3", HWY_SSSE3},
                                            {"scalar", HWY_EMU128 | HWY_SCALAR}}};

// Tile registers are given to a process that asks the kernel for them, once. Source: Linux, Documentation/arch/x86/xstate.rst.
bool may_use_tiles() {
#if defined(__linux__)
  constexpr unsigned kTile = 1u << 24, kInt8 = 1u << 25;
  constexpr long kAskForState = 0x1023, kTileData = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTile) == 0 || (d & kInt8) == 0) return false;
  return ::syscall(SYS_arch_prctl, kAskForState, kTileData) == 0;
#else
  return false;
#endif
}

Bytes bytes_here() {
  static const Bytes kHere = __builtin_cpu_supports("avx512vnni") == 0 ? Bytes::kNothing : may_use_tiles() ? Bytes::kTiles : Bytes::kDots;
  return kHere;
}
#else
constexpr std::array<Named, 2> kTargets = {{{"neon", HWY_NEON}, {"scalar", HWY_EMU128 | HWY_SCALAR}}};
Bytes bytes_here() { return Bytes::kNothing; }
#endif
constexpr std::array<std::string_view, 8> kNames = {"avx512amx", "avx512vnni", "avx512", "avx2", "sse4", "ssse3", "neon", "scalar"};

std::atomic<Bytes> most_bytes{Bytes::kTiles};  // less where a set was asked for by name

// What the kernels were compiled for and this CPU can run. The calls below are the only ones that touch Highway's
// choice.
int64_t usable_mask() {
  const int64_t scalar = HWY_EMU128 | HWY_SCALAR;
  return (hwy::SupportedTargets() & HWY_TARGETS) | (HWY_TARGETS & scalar);
}

int64_t chosen_mask(int64_t usable, const Named& entry) {
  return entry.bytes > bytes_here() ? 0 : usable & entry.target;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Forgets a forced choice for as long as it lives.
class Unforced {
 public:
  Unforced() : before_(hwy::SupportedTargets()) { hwy::SetSupportedTargetsForTest(0); }
  ~Unforced() {
    const int64_t natural = hwy::SupportedTargets();
    if (before_ != natural) hwy::SetSupportedTargetsForTest(before_);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }

 private:
  int64_t before_;
};

}  // namespace

std::vector<std::string> cpu_targets() {
  const Unforced unforced;
  const int64_t usable = usable_mask();
  std::vector<std::string> names;
  for (const Named& entry : kTargets) {
    if (chosen_mask(usable, entry) != 0) names.emplace_back(entry.name);
  }
  return names;
}

Status select_cpu_target(std::string_view name) {
  const std::vector<std::string> here = cpu_targets();
  if (name.empty()) {
    most_bytes = Bytes::kTiles;
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    return ok();
  }
  if (std::find(kNames.begin(), kNames.end(), name) == kNames.end()) {
    return usage("unknown instruction set '" + std::string(name) + "'", "use one of " + joined(here));
  }
  if (std::find(here.begin(), here.end(), name) == here.end()) {
    return Error{Code::kUnavailable,
                 "UNAVAILABLE",
                 "instruction set '" + std::string(name) + "' is not available: this machine has " + joined(here),
                 {},
                 {},
                 "use one of " + joined(here)};
  }
  for (const Named& entry : kTargets) {
    if (entry.name != name) continue;
    hwy::SetSupportedTargetsForTest(0);
    const int64_t mask = chosen_mask(usable_mask(), entry);
    most_bytes = entry.bytes;
    hwy::SetSupportedTargetsForTest(mask);
    hwy::GetChosenTarget().Update(mask);
  }
  return ok();
}

std::string_view cpu_target_name() {
  const int64_t usable = hwy::SupportedTargets();
  for (const Named& entry : kTargets) {
    if (entry.bytes > most_bytes) continue;
    if (chosen_mask(usable, entry) != 0) return entry.name;
  }
  return "scalar";
}

bool int8_dot_products() { return cpu_target_name() == "avx512vnni" || int8_tiles(); }
bool int8_tiles() { return cpu_target_name() == "avx512amx"; }

bool cpu_target_fuses() {
  const std::string_view name = cpu_target_name();
  return name.starts_with("avx512") || name == "avx2" || name == "neon";
}

}  // namespace modnet
