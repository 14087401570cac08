// The two digests that a module keeps of each segment, in one pass over its bytes. Implemented in digest.cc.
// Tested by tests/unit/base/digest_test.cc.
#pragma once

#include "formats/base/digest.h"

namespace modnet {

/// XXH3-128 and SHA-256 of the same bytes, which are fetched from memory once.
struct BothDigests {
  Hash128 xxh3{};
  Digest sha256{};
};
[[nodiscard]] BothDigests xxh3_and_sha256(Bytes bytes);

}  // namespace modnet
