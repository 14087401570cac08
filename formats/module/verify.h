// Reads every byte of a module and recomputes every digest: what `modnet verify` does, components included.
// Tested by tests/unit/module/verify_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/read.h"

namespace modnet {

/// One kind of check over a whole file.
struct VerifyCheck {
  std::string name;  // "structure", "tensors", "assets", "components", "padding", "trailers", "spaces", "probes",
                     // "signatures"
  int64_t count = 0;
  int64_t failed = 0;
};
struct VerifyReport {
  std::vector<VerifyCheck> checks;  // always all of them, in a fixed order
  std::vector<Error> failures;      // in file order, at most 100; the first is what a command exits with
  int64_t bytes = 0;                // of the file
  [[nodiscard]] bool passed() const { return failures.empty(); }
};

/// XXH3 and SHA-256 of every tensor and asset, chunk by chunk; SHA-256 of every trailer; all padding zero; file and
/// content digests of components, each distinct one verified in the same way; fingerprints of a backbone's spaces; the
/// digest of a head's probes; every signature against its own key. Compressed segments must together stay within the view's
/// memory limit (kUnavailable).
/// threads ≥ 1; the report does not depend on it.
[[nodiscard]] VerifyReport verify_module(const ModuleView& view, int threads = 1);

}  // namespace modnet
