// Arguments and comparisons for the tests of the portable functions: edge values, samples over all bit patterns and
// over the ranges that matter, and a loop over every instruction set that this CPU can run.
#pragma once

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "libmod/compute/random.h"
#include "libmod/compute/target.h"

namespace modnet::test {

template <typename T>
using BitsOf = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;

template <typename T>
std::vector<T> edge_values() {
  using L = std::numeric_limits<T>;
  std::vector<T> out = {T(0),
                        L::denorm_min(),
                        L::denorm_min() * 3,
                        L::min() / 2,
                        L::min(),
                        L::epsilon(),
                        T(1e-3),
                        T(0.25),
                        T(0.34657359),
                        T(0.5),
                        T(0.625),
                        T(0.70710678),
                        T(0.78539816),
                        T(1),
                        T(1.41421356),
                        T(1.5707963),
                        T(2),
                        T(3),
                        T(3.1415927),
                        T(4),
                        T(6),
                        T(10),
                        T(16),
                        T(87.3),
                        T(88.72283),
                        T(88.72284),
                        T(103.97),
                        T(104),
                        T(709.78),
                        T(709.79),
                        T(745.13),
                        T(745.14),
                        T(1e5),
                        T(8388608),
                        T(268435456),
                        T(1e10),
                        T(1e20),
                        T(1e30),
                        L::max() / 2,
                        L::max(),
                        L::infinity(),
                        L::quiet_NaN(),
                        std::nextafter(T(1), T(0)),
                        std::nextafter(T(1), T(2)),
                        std::nextafter(T(0.625), T(0)),
                        std::nextafter(T(0), T(1))};
  const size_t positive = out.size();
  for (size_t i = 0; i < positive; ++i) out.push_back(-out[i]);
  return out;
}

/// Edge values, bit patterns spread over the whole type, and uniform samples of a few ranges.
template <typename T>
std::vector<T> samples(int64_t count) {
  std::vector<T> out = edge_values<T>();
  const Random random(2026, 1);
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t index = static_cast<uint64_t>(i);
    const double u = random.uniform(index) * 2 - 1;
    switch (i % 4) {
      case 0:
        out.push_back(std::bit_cast<T>(static_cast<BitsOf<T>>(random.bits(index) >> (64 - 8 * sizeof(T)))));
        break;
      case 1:
        out.push_back(static_cast<T>(u * 2));
        break;
      case 2:
        out.push_back(static_cast<T>(u * 20));
        break;
      default:
        out.push_back(static_cast<T>(u * 1000));
        break;
    }
  }
  return out;
}

/// Calls body() once for every instruction set, with it selected.
template <class Body>
void for_each_target(Body body) {
  for (const std::string& name : cpu_targets()) {
    REQUIRE(select_cpu_target(name).ok());
    INFO("instruction set ", name);
    body();
  }
  REQUIRE(select_cpu_target("").ok());
}

/// The number of places where the bits differ; the first is told.
template <typename T>
int64_t different_bits(const std::vector<T>& got, const std::vector<T>& expected) {
  if (got.size() != expected.size()) return -1;
  int64_t count = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::memcmp(&got[i], &expected[i], sizeof(T)) != 0 && count++ == 0) {
      MESSAGE("first difference at ", i, ": ", got[i], " instead of ", expected[i]);
    }
  }
  return count;
}

/// |got - exact| in units of got's last place, measured in a wider type; equal infinities and NaNs are 0 apart.
template <typename T, typename Wide>
double ulp_distance(T got, Wide exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(got) || std::isnan(rounded)) return std::isnan(got) == std::isnan(rounded) ? 0 : HUGE_VAL;
  if (std::isinf(got) || std::isinf(rounded)) {
    if (got == rounded) return 0;
    const T finite = std::isinf(got) ? rounded : got;  // one step over the edge counts as one unit
    return std::fabs(finite) == std::numeric_limits<T>::max() ? 1 : HUGE_VAL;
  }
  const T a = std::fabs(rounded);
  const Wide unit = static_cast<Wide>(std::nextafter(a, std::numeric_limits<T>::infinity())) - static_cast<Wide>(a);
  return static_cast<double>(std::fabs((static_cast<Wide>(got) - exact) / (unit > 0 ? unit : Wide(1))));
}

}  // namespace modnet::test
