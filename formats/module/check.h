// The own pass over records: what the FlatBuffers verifier cannot know. Readers run it on every index that they open,
// writers on every index that they write. What needs a meaning (do the graph's values exist, do ports unify) is checked
// in libmod/. Tested by tests/unit/module/damage_test.cc.
#pragma once

#include <cstdint>

#include "formats/base/result.h"
#include "formats/module/records.h"

namespace modnet {

/// Names (UTF-8, at most 512 bytes, unique), order, enum values, ranks, sizes: raw length = shape × dtype, chunk
/// tables that add up. Rank ≤ 8, at most 2²⁰ tensors. kMalformed names the record; kUnavailable for a required feature
/// that this build does not know ("FEATURE_UNKNOWN") or a newer minimum reader ("READER_TOO_OLD").
[[nodiscard]] Status check_records(const ModuleIndex& index);

/// Segments in canonical order (tensors, assets, then component ranges by first slot), each at the next multiple of 64
/// after the one before, beginning at 128, and the index right after the last. kMalformed for holes and overlaps.
[[nodiscard]] Status check_segments(const ModuleIndex& index, uint64_t index_offset);

/// Bytes of a tensor from its dtype and shape; kMalformed on overflow (zero dims do not hide one), kUnavailable for a
/// dtype that this build does not know.
[[nodiscard]] Result<int64_t> tensor_size(DType dtype, const std::vector<uint64_t>& shape);

}  // namespace modnet
