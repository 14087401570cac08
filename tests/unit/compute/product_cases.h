// What the product and solver tests share: made-up numbers, forced instruction sets, comparison by bits.
#pragma once

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "libmod/compute/target.h"

namespace modnet::test {

/// Repeatable numbers: `scale` times something in (-1, 1) with all bits of the significand in use.
class Numbers {
 public:
  explicit Numbers(uint64_t seed) : state_(seed) {}

  template <typename T>
  std::vector<T> make(int64_t count, double scale = 1.0) {
    std::vector<T> values(static_cast<size_t>(count));
    for (T& value : values) value = static_cast<T>(next() * scale);
    return values;
  }

  double next() {
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return static_cast<double>(static_cast<int64_t>(z ^ (z >> 31))) * 0x1p-63;
  }

 private:
  uint64_t state_;
};

/// Kernels run on this instruction set while it lives.
class ForcedTarget {
 public:
  explicit ForcedTarget(const std::string& name) {
    REQUIRE(select_cpu_target(name).ok());
    REQUIRE(cpu_target_name() == name);
  }
  ~ForcedTarget() { CHECK(select_cpu_target("").ok()); }
  ForcedTarget(const ForcedTarget&) = delete;
  ForcedTarget& operator=(const ForcedTarget&) = delete;
};

template <typename T>
[[nodiscard]] bool same_bits(T a, T b) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  return std::bit_cast<Bits>(a) == std::bit_cast<Bits>(b) || (std::isnan(a) && std::isnan(b));
}

/// Index of the first value that differs in a bit, -1 when none does (two NaNs are the same).
template <typename T>
[[nodiscard]] int64_t first_difference(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!same_bits(a[i], b[i])) return static_cast<int64_t>(i);
  }
  return -1;
}

}  // namespace modnet::test
