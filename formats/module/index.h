// Between the records and the index's FlatBuffer (schema/module.fbs). Used by read, write and tests only; everybody
// else opens a ModuleView (formats/module/read.h). Tested by tests/unit/module/index_test.cc.
#pragma once

#include <cstdint>
#include <string>

#include "formats/base/reader.h"
#include "formats/base/result.h"
#include "formats/module/records.h"

namespace modnet {

/// The index's bytes: the same records always give the same bytes. Nothing is checked but the size limit (kInvalid);
/// check_records (formats/module/check.h) is a separate step so that tests can write what a reader must refuse.
[[nodiscard]] Result<std::string> encode_index(const ModuleIndex& index);

/// Runs the FlatBuffers verifier (depth ≤ 16, tables ≤ 1 + bytes/8), then copies into records. Enum values, bounds of
/// text references and UTF-8 are checked here; `budget` bounds what the records may allocate. kMalformed otherwise.
/// `bytes` may have any alignment, and must not change meanwhile (pass a copy of mapped bytes).
[[nodiscard]] Result<ModuleIndex> decode_index(Bytes bytes, int64_t budget);

}  // namespace modnet
