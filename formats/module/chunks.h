// Compression of segments: zstd frames over independent chunks, so that a reader can bound every step. Own home of
// zstd. Tested by tests/unit/module/chunks_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/base/reader.h"
#include "formats/base/result.h"

namespace modnet {

inline constexpr int64_t kMinChunk = int64_t{1} << 20;  // raw bytes of a chunk that a reader accepts
inline constexpr int64_t kMaxChunk = int64_t{4} << 20;
inline constexpr int64_t kWriteChunk = kMinChunk;  // what writers use

/// Stored bytes of a segment. A chunk that zstd cannot make smaller is stored as it is: stored length = raw length.
struct Compressed {
  std::string bytes;
  std::vector<uint64_t> chunk_stored;
};

/// Levels 1 to 19 (kUsage otherwise). The bytes are the same for one zstd version only.
[[nodiscard]] Result<Compressed> compress_chunks(Bytes raw, int level);

/// The raw bytes of one chunk into `out`, which must have exactly the chunk's raw size. kDigest when the frame does not
/// give exactly that many bytes.
[[nodiscard]] Status decompress_chunk(Bytes stored, std::span<std::byte> out);

/// "1.5.4": compressed bytes are promised for one version only, so `capabilities` prints it.
[[nodiscard]] std::string zstd_version();

}  // namespace modnet
