// Measurements of spaces as people and programs see them, and the evidence that a module and its components carry.
// Tested by tests/cli/convert-*, attach-head-* and embed-*.
#pragma once

#include <string>
#include <vector>

#include "commands/command.h"
#include "formats/module/read.h"
#include "libmod/contract/check.h"
#include "libmod/prepare/evidence.h"

namespace modnet {

/// A figure as printf(3) prints it, at most 63 characters.
[[nodiscard]] std::string printed(const char* form, double value);

/// "largest 0.0035, mean 0.0018 of the mean distance of 73 probes; cosine ≥ 0.999991, CKA 0.999998, neighbours 0.985"
[[nodiscard]] std::string figures_text(const SpaceMeasure& measure);
/// The same of items of a user's data, with the mean cosine: what is measured there is no limit that has to be kept.
[[nodiscard]] std::string data_figures_text(const SpaceMeasure& measure);
[[nodiscard]] Json figures_json(const SpaceMeasure& measure);
/// "the nearest to “A” was “B”, now it is “C”"; item numbers where there are no texts.
[[nodiscard]] std::string witness_text(const SpaceWitness& witness);

/// Records of a module and of its components, whose ports get "SLOT/" in front. kMalformed: a trailer that cannot be read.
[[nodiscard]] Result<std::vector<EvidenceRecord>> collect_evidence(const ModuleView& view);

/// What running one module on the probes of another showed.
struct SeamEvidence {
  std::vector<EvidenceRecord> records;   // one a pair of an output's space and an input's root, port "SLOT/PORT"
  std::vector<MeasuredSpace> measured;   // one a record
  std::string unmeasured;                // why there is no record where one was needed; empty otherwise
};
/// For every input of `to` that names a space whose fingerprint no output of `from` has: runs the outputs of its meaning and width
/// on the probes that `to` carries, with the options' arithmetic, which must be portable. Nothing is run where fingerprints
/// agree, or where an output is the input's root itself. `slot` is where `from` will stand, `how` goes into the records.
/// kDigest: the probes are not those that the input names. kMalformed: they cannot be read.
[[nodiscard]] Result<SeamEvidence> measure_seam(const ModuleView& from, const ModuleView& to, std::string_view slot, std::string_view how,
                                                double tolerance, const RunnerOptions& options);

/// Says in a report what a measurement adds: the witness of a space that is another, or why nothing was measured.
void explain_spaces(CheckReport& report, const SeamEvidence& seam);
/// "embedding, convert bf16: largest …"
[[nodiscard]] std::string record_text(const EvidenceRecord& record);
[[nodiscard]] Json record_json(const EvidenceRecord& record);
/// Adds records whose space, root and way are not there yet.
void merge_evidence(std::vector<EvidenceRecord>& records, const std::vector<EvidenceRecord>& more);

/// --space-tolerance: at most kSpaceTolerance.
[[nodiscard]] OptionSpec space_tolerance_option();

}  // namespace modnet
