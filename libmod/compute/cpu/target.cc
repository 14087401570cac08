#include "libmod/compute/target.h"

#include <algorithm>
#include <array>
#include <atomic>

#include "hwy/highway.h"

namespace modnet {
namespace {

enum class Vnni : uint8_t { kNo, kYes };

struct Named {
  std::string_view name;
  int64_t target;
  Vnni vnni = Vnni::kNo;  // also needs AVX512-VNNI, which is no target of Highway's here
};

#if HWY_ARCH_X86
constexpr std::array<Named, 6> kTargets = {{{"avx512vnni", HWY_AVX3, Vnni::kYes},
                                            {"avx512", HWY_AVX3},
                                            {"avx2", HWY_AVX2},
                                            {"sse4", HWY_SSE4},
                                            {"ssse3", HWY_SSSE3},
                                            {"scalar", HWY_EMU128 | HWY_SCALAR}}};
bool cpu_has_vnni() { return __builtin_cpu_supports("avx512vnni") != 0; }
#else
constexpr std::array<Named, 2> kTargets = {{{"neon", HWY_NEON}, {"scalar", HWY_EMU128 | HWY_SCALAR}}};
bool cpu_has_vnni() { return false; }
#endif
constexpr std::array<std::string_view, 7> kNames = {"avx512vnni", "avx512", "avx2", "sse4", "ssse3", "neon", "scalar"};

std::atomic<bool> without_vnni{false};  // "avx512" was asked for by name

// What the kernels were compiled for and this CPU can run. The calls below are the only ones that touch Highway's
// choice.
int64_t usable_mask() {
  const int64_t scalar = HWY_EMU128 | HWY_SCALAR;
  return (hwy::SupportedTargets() & HWY_TARGETS) | (HWY_TARGETS & scalar);
}

int64_t chosen_mask(int64_t usable, const Named& entry) {
  return entry.vnni == Vnni::kYes && !cpu_has_vnni() ? 0 : usable & entry.target;
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
    without_vnni = false;
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
    without_vnni = entry.vnni == Vnni::kNo;
    hwy::SetSupportedTargetsForTest(mask);
    hwy::GetChosenTarget().Update(mask);
  }
  return ok();
}

std::string_view cpu_target_name() {
  const int64_t usable = hwy::SupportedTargets();
  for (const Named& entry : kTargets) {
    if (entry.vnni == Vnni::kYes && without_vnni) continue;
    if (chosen_mask(usable, entry) != 0) return entry.name;
  }
  return "scalar";
}

bool int8_dot_products() { return cpu_target_name() == "avx512vnni"; }

bool cpu_target_fuses() {
  const std::string_view name = cpu_target_name();
  return name.starts_with("avx512") || name == "avx2" || name == "neon";
}

}  // namespace modnet
