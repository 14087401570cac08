// The generated tables behind unicode.h: what the tokenizers library takes each code point for.
// Tested by tests/unit/prepare/unicode_test.cc and tests/parity/tokenizer_parity.cc.
#pragma once

#include <cstdint>

namespace modnet::text {

/// Code points first, first + step, …, last become lower case by adding `delta`.
struct LowerRun {
  uint32_t first, last, step;
  int32_t delta;
};

extern const uint32_t kFlagEdges[];  // wherever the flags change: code points since the last change << 10 | flags
extern const int64_t kFlagEdgeCount;
extern const LowerRun kLowerRuns[];
extern const int64_t kLowerRunCount;

}  // namespace modnet::text
