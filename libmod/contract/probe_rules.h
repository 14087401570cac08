// The rules on what a module shows when it is run on probes, and on what cards say was measured. Whoever ran or read them
// hands the figures over as data. Tested by tests/unit/contract/rules_test.cc.
#pragma once

#include <span>
#include <string>

#include "libmod/contract/rules.h"

namespace modnet {

/// Below this cosine an output on a module's own probes is not the stored one: portable results repeat to the last bit, and
/// vendor arithmetic differs by a few units in the last place.
inline constexpr double kOwnProbeCosine = 0.9999;

/// One output port run on probes.
struct ProbeRun {
  std::string path;            // "outputs.embedding"
  bool own = false;            // the probes are the module's own and its space is their root: outputs must repeat
  SpaceMeasure measure;
  bool batch_invariant = true; // one by one and all at once gave the same bits
  bool pad_invariant = true;   // and in another order and company
};
void check_probe_run(const ProbeRun& run, Findings& out);

/// A metric as a card states it.
struct MetricClaim {
  std::string name;            // "accuracy", "sections.accuracy"
  double value = 0;
  double low = 0, high = 0;    // 95 % interval; equal to value where none is stated
  std::string data;            // digest of what it was measured on; empty: not stated
};
/// Metrics of eval where less is better ("log_loss", "brier", "ece_15", the errors of regression) and "perplexity", whatever
/// answer they are of.
[[nodiscard]] bool less_is_better(std::string_view metric);
/// Compares metrics of the same name on the same data. Worse than the old interval is PROBE_METRIC_REGRESSION.
void check_metrics(std::span<const MetricClaim> before, std::span<const MetricClaim> now, Findings& out);

}  // namespace modnet
