// gzip and zstd undone on the fly, known by their first bytes. Tested by tests/unit/table/decompress_test.cc.
#pragma once

#include <memory>

#include "formats/base/file.h"
#include "formats/base/result.h"

namespace modnet {

/// The same bytes, decompressed when they begin with gzip's or zstd's magic; otherwise handed through.
/// Reads no more than it needs to know (a slow pipe is not waited for longer than its first byte differs).
/// A cut-off or damaged stream is kMalformed from read(); zstd windows above 32 MiB (--long, --ultra) are refused.
[[nodiscard]] Result<std::unique_ptr<ByteSource>> maybe_decompress(std::unique_ptr<ByteSource> source);

}  // namespace modnet
