// What the programs on products share: sizes, numbers to multiply, and the clock that other programs do not disturb.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <vector>

#include "libmod/compute/aligned.h"

namespace modnet::bench {

struct Shape {
  int64_t m, k, n;
};

/// Numbers between -1.001 and 1.001 that do not repeat soon.
inline std::vector<float> ramp(int64_t count) {
  std::vector<float> values(static_cast<size_t>(count));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(static_cast<int>(i * 7919 % 2003) - 1001) * 1e-3F;
  return values;
}

/// Numbers where plans keep theirs, on huge pages as far as they fill such.
inline AlignedBlock<float> on_pages(const std::vector<float>& values) {
  AlignedBlock<float> block = aligned_block<float>(static_cast<int64_t>(values.size()));
  std::copy(values.begin(), values.end(), block.get());
  return block;
}

/// Processor time of all threads: what is left when other programs took turns on the same cores.
inline double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

}  // namespace modnet::bench
