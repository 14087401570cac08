// Which linear layers of a backbone can be in 8 bits: all of them, unless its outputs then move further than they may; then those that
// hurt most stay f32. Decided by running it on calibration sets. The same sets give the same choice on any machine.
// Tested by tests/unit/prepare/runner/quantise_test.cc.
#pragma once

#include <string>
#include <vector>

#include "formats/base/result.h"
#include "libmod/prepare/evidence.h"
#include "libmod/prepare/quantise_layers.h"

namespace modnet {

/// One group of layers as it was decided.
struct Int8Choice {
  std::vector<std::string> names;  // weight tensors
  double exponent = 0;             // strength of the migration, 0: none
  double layer_error = 0;          // of its own outputs, ‖Δ‖ / ‖y‖
  double alone = 0;                // mean share by which the space moves when only this group is in 8 bits, on some of the items; 0: not measured
  bool kept = false;               // stays f32
  std::vector<std::string> folded;  // tensors before it that its factors went into
};

struct Quantised {
  ChangedGraph graph;
  std::vector<Int8Choice> groups;  // in the graph's order
  SpaceMeasure all;                // against f32, all groups in 8 bits: of the set and port that move most
  SpaceMeasure chosen;             // the same for what was chosen
};

/// `calibration` needs inputs only; outputs are measured against those that `graph` itself gives for them in f32. `ports` are outputs with a
/// space. Groups stay f32, those that move the space most a weight first, until the largest share is at most `limit` (compare_space) on every
/// set. kInvalid when there is no group, kNo when not even one can change.
[[nodiscard]] Result<Quantised> quantise_int8(const FlatGraph& graph, const std::vector<Probes>& calibration, const std::vector<std::string>& ports, double limit,
                                              const RunnerOptions& options);

}  // namespace modnet
