// Measured evidence for a check: where the spaces of a pair differ by their fingerprints, the module that gives is run on the
// probes of the one that takes (DESIGN section 5, second step). Tested by tests/cli/check-probes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "commands/chain.h"
#include "libmod/contract/probe_rules.h"
#include "libmod/contract/report/report.h"
#include "libmod/graph/inside.h"
#include "libmod/prepare/evidence.h"

namespace modnet {

/// Which pairs are run: those that need it; all of them, with the invariances of the module that gives.
enum class Probing : uint8_t { kWhereNeeded, kAlways };

/// The threads and arithmetic of the command, made when first asked for: most checks run nothing.
using EngineSource = std::function<Result<const Engine*>()>;

struct MeasuredPair {
  std::vector<EvidenceRecord> records;  // for CheckContext::measured
  std::vector<std::string> lines;       // for CheckedPair::evidence; also what could not be measured
  struct Witness {
    Digest fingerprint{};
    std::string text;
  };
  std::vector<Witness> witnesses;       // of spaces that were measured
  std::vector<ProbeRun> runs;           // kAlways
  std::string prepared;                 // a text that two versions of an encoder prepare differently; empty: none was found
};

/// Edge: each space that an input of `to` (or of a module inside) was made for, against each space of its width that `from`
/// gives. Evolution: `from` is the old module, and the outputs of `to` are run on the old one's probes; inputs inside `to` are
/// measured against its own outputs. Two encoders whose preparation differs prepare the built-in texts. What does not fit the probes is a line and no record. kDigest, kUnavailable and kInternal
/// end the command.
[[nodiscard]] Result<MeasuredPair> measure_pair(const CheckedModule& from, const CheckedModule& to, CheckKind kind, Probing probing,
                                                const EngineSource& engine, double tolerance);

/// Puts measured figures into a checked pair: lines, witnesses of the spaces that differ, findings of the probe rules.
void add_measured(const MeasuredPair& measured, CheckedPair& pair);

}  // namespace modnet
