// Measuring a backbone against the space that stored probes describe, and what the figures say: the second step of "same space"
// (DESIGN section 5). Everything is accumulated in f64 in one fixed order, so figures have the same bits at any thread count
// and on any CPU. Tested by tests/unit/prepare/runner/evidence_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/base/result.h"
#include "formats/module/records.h"
#include "libmod/prepare/probes.h"
#include "libmod/prepare/runner.h"

namespace modnet {

/// Largest share of the mean distance between two probes by which an output may differ in the same space. --space-tolerance
/// may ask for less, never for more.
inline constexpr double kSpaceTolerance = 0.10;
/// Probes that a measurement takes at most: its work grows with their square.
inline constexpr int64_t kMostMeasured = 512;

/// Three probes that show how neighbourhoods changed: the nearest to `probe` was `before` and is now `after` (item numbers).
/// Texts are those of builtin-text-1, else empty.
struct SpaceWitness {
  int64_t probe = 0, before = 0, after = 0;
  std::string probe_text, before_text, after_text;
  bool operator==(const SpaceWitness&) const = default;
};

struct MeasuredSpace {
  SpaceMeasure figures;
  int64_t farthest = -1;                 // the probe whose output lies farthest from the stored one; -1: all are equal
  std::optional<SpaceWitness> witness;   // of all nearest neighbours that changed, the clearest; none where none did
};

/// `stored` and `measured` hold `items` rows of the same width. kInvalid when they do not, when there is no row, more than
/// kMostMeasured or none but empty ones, and when a stored number is not finite. Rows of `measured` that hold NaN or infinity
/// are counted and left out of every other figure. probe_distance is 0, and with it both shares, when the mean distance between
/// stored rows is below 1e-4 of their mean norm: rounding alone would then decide.
[[nodiscard]] Result<MeasuredSpace> compare_space(std::span<const float> stored, std::span<const float> measured, int64_t items);

/// The same for one port of arrays as probe_outputs stores them: `given` under the name `port`, against `stored` under the name `stored_port`
/// (of a ragged output the mean and the first row of each sequence, side by side). kInvalid when either holds no such outputs.
[[nodiscard]] Result<MeasuredSpace> compare_outputs(const std::vector<ProbeArray>& stored, std::string_view stored_port, const std::vector<ProbeArray>& given,
                                                    std::string_view port, int64_t items);

/// Runs `backbone`, which must give the output `port`, on the inputs of `probes` and compares with the outputs that are stored
/// as `stored`. kInvalid when the probes hold no such outputs or of another width, kMalformed when the inputs do not fit; errors of a run as Runner::run gives them.
[[nodiscard]] Result<MeasuredSpace> measure_space(Runner& backbone, const Probes& probes, std::string_view stored, std::string_view port);
/// The same for a module that is not loaded: flattens `view` and loads what the port needs.
[[nodiscard]] Result<MeasuredSpace> measure_space(const ModuleView& view, const Probes& probes, std::string_view stored, std::string_view port,
                                                  const RunnerOptions& options);

enum class SpaceVerdict : uint8_t { kSame = 1, kOther = 2, kUndecidable = 3 };
/// kOther when an output is not finite, or the largest share is above `tolerance`; kUndecidable when probe_distance is 0 or
/// there are fewer than kProbeItems probes.
[[nodiscard]] SpaceVerdict judge_space(const SpaceMeasure& measure, double tolerance = kSpaceTolerance);

/// Does what a probe gives depend on the other items of its batch, or on its place among them?
struct Invariance {
  bool batch = true;  // one by one and all at once give the same bits
  bool order = true;  // so do reverse order and batches of another size, where the longest sequence is another
  int64_t item = -1;  // the first probe whose bits differ
};
/// Runs every output of `backbone` on the inputs of `probes`, four times. Outputs are compared bit for bit.
[[nodiscard]] Result<Invariance> check_invariance(Runner& backbone, const Probes& probes);

}  // namespace modnet
