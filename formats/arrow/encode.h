// Column views → the buffers of one record batch. Private to formats/arrow.
// Tested by tests/unit/arrow/writer_test.cc.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "formats/arrow/builder.h"
#include "formats/arrow/types.h"
#include "formats/arrow/wire.h"

namespace modnet {

/// The body of a batch: pieces to write one after another, each followed by zeros up to a multiple of 64.
struct EncodedBatch {
  int64_t rows = 0;
  std::vector<wire::FieldNode> nodes;
  std::vector<wire::Buffer> buffers;
  std::vector<Bytes> pieces;
  int64_t body_length = 0;
  std::deque<std::vector<std::byte>> made;  // what the pieces point to, where it is not the caller's
  std::deque<ArrowColumnBuilder> copies;    // columns that had to be written afresh
};

/// `batch` must outlive the result. Bytes depend on the values alone: rows without one are zero or empty, bitmaps are
/// there only where there are nulls, offsets begin at 0.
[[nodiscard]] Result<EncodedBatch> encode_batch(const ArrowBatch& batch, const std::vector<ArrowField>& fields,
                                                int zstd_level);

}  // namespace modnet
