// The relations behind the rules on two ports that meet; rules.cc lists them. Each adds what it finds and nothing else.
// A record that the giving side lacks cannot meet one that the taking side has; a record that the taking side lacks takes
// anything. So every relation is reflexive and transitive, which RULES.md's laws 1, 3 and 4 need.
// Tested by tests/unit/contract/rules_test.cc and laws_test.cc.
#pragma once

#include "libmod/contract/rules.h"

namespace modnet::port_rules {

using Check = void(const Rule&, const PortPair&, Findings&);

// shape
Check semantic, rank, dims, layout, presence, renamed;
// dtype
Check input_dtype, output_dtype, quantisation, tolerance;
// sequence
Check seq_axis, max_length, stride_or_rate, causality, mask_polarity, pad_side, pad_id, stream_state;
// preparation and values
Check preparation, special_ids, unicode_norm, resampling, prefixes, input_range, output_range, mean_std, norm, nonfinite;
// space
Check space_fingerprint, pooling, space_id, space_version, metric, prefix_dims;
// labels
Check labels, thresholds;

}  // namespace modnet::port_rules

namespace modnet {

/// Every value of `from` is exactly representable in `to` (f16 in f32, u8 in i16): a preorder.
[[nodiscard]] bool lossless(DType from, DType to);

/// The longest sequence along the record's axis, 0 = unbounded or no sequence.
[[nodiscard]] uint64_t longest_sequence(const Port& port);

/// Evidence from fewer probes decides nothing (DESIGN section 5).
inline constexpr int64_t kLeastProbes = 64;

/// How two spaces that meet were decided (DESIGN section 5).
enum class SpaceCase : uint8_t {
  kNothingAsked,         // the taking side names no space
  kSame,                 // equal fingerprints
  kEquivalent,           // evidence within the tolerance
  kDifferent,            // evidence beyond the tolerance, or no space on the giving side
  kUnverified,           // fingerprints differ and nothing was measured
};
struct SpaceDecision {
  SpaceCase kind = SpaceCase::kNothingAsked;
  const EvidenceRecord* evidence = nullptr;  // what decided; null: fingerprints did
  bool measured = false;                     // by this run, not recorded before
};
[[nodiscard]] SpaceDecision decide_space(const Port& from, const Port& to, const SpaceEvidence* evidence);

/// "largest 0.0035 and mean 0.0021 of the mean distance between probes (64 probes, cosine ≥ 0.99998, CKA 0.99999)"
[[nodiscard]] std::string measure_text(const SpaceMeasure& measure);

}  // namespace modnet
