// Compressed buffers of Arrow bodies: zstd both ways; LZ4 is named in an error. Private to formats/arrow.
// Tested by tests/unit/arrow/writer_test.cc and reader_test.cc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "formats/base/reader.h"
#include "formats/base/result.h"

namespace modnet {

/// One zstd frame that must hold exactly out.size() bytes; kMalformed otherwise.
[[nodiscard]] Status zstd_decompress(Bytes frame, std::span<std::byte> out);
/// Appends one zstd frame to `out`.
[[nodiscard]] Status zstd_compress(Bytes bytes, int level, std::vector<std::byte>& out);
[[nodiscard]] bool zstd_level_ok(int level);

}  // namespace modnet
