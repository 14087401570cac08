// The evidence trailer: what measurements of a module's spaces showed, as a FlatBuffer of its own ("MNEV"). Only commands that
// judge spaces, or show what was measured, decode it; every other reader hashes and keeps its bytes, whatever they are.
// Tested by tests/unit/module/evidence_test.cc.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/reader.h"
#include "formats/base/result.h"
#include "formats/module/records.h"

namespace modnet {

inline constexpr int64_t kMaxEvidenceRecords = 1024;

/// A record whose `how` ends so was measured on items of a user's data, beside the module that this one was made from: `root` is the
/// fingerprint of that module's space, `probes` the digest of the items with its outputs. It tells what a change costs and never decides
/// whether spaces are the same.
inline constexpr std::string_view kOnData = " on data";
[[nodiscard]] inline bool measured_on_data(const EvidenceRecord& record) { return record.how.ends_with(kOnData); }

/// Records are sorted by port, fingerprint, root and how; the same records in any order give the same bytes. None give an
/// empty text (no trailer). kInvalid for two records with the same four, and for a record that no reader would take: no
/// port, a digest that is missing, a number that is not finite or out of its range.
[[nodiscard]] Result<std::string> encode_evidence(std::span<const EvidenceRecord> records);
/// The records, sorted; none for no bytes. kMalformed for anything that encode_evidence does not write, fields of a later
/// format included, which are named by their number: evidence that is half understood is none.
[[nodiscard]] Result<std::vector<EvidenceRecord>> decode_evidence(Bytes bytes);

}  // namespace modnet
