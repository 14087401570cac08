#include "formats/module/chunks.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include <zstd.h>

namespace modnet {

Result<Compressed> compress_chunks(Bytes raw, int level) {
  if (level < 1 || level > 19) return usage("zstd level " + std::to_string(level) + "; expected 1 to 19");
  const std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (context == nullptr) return Error{Code::kUnavailable, "MEMORY", "no memory for compression", {}, {}, {}};
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, level);
  Compressed out;
  std::string frame(ZSTD_compressBound(static_cast<size_t>(kWriteChunk)), '\0');
  for (size_t start = 0; start < raw.size(); start += static_cast<size_t>(kWriteChunk)) {
    const Bytes chunk = raw.subspan(start, std::min(raw.size() - start, static_cast<size_t>(kWriteChunk)));
    const size_t size = ZSTD_compress2(context.get(), frame.data(), frame.size(), chunk.data(), chunk.size());
    if (ZSTD_isError(size) != 0) return internal(std::string("zstd: ") + ZSTD_getErrorName(size));
    if (size < chunk.size()) {
      out.bytes.append(frame.data(), size);
      out.chunk_stored.push_back(size);
    } else {
      out.bytes.append(as_text(chunk));
      out.chunk_stored.push_back(chunk.size());
    }
  }
  return out;
}

Status decompress_chunk(Bytes stored, std::span<std::byte> out) {
  if (stored.size() == out.size()) {
    if (!out.empty()) std::memcpy(out.data(), stored.data(), out.size());
    return ok();
  }
  // The output is bounded by out.size(), whatever the frame claims.
  const size_t size = ZSTD_decompress(out.data(), out.size(), stored.data(), stored.size());
  if (ZSTD_isError(size) != 0)
    return Error{
        Code::kDigest, "DIGEST", std::string("compressed chunk is damaged: ") + ZSTD_getErrorName(size), {}, {}, {}};
  if (size != out.size())
    return Error{Code::kDigest,
                 "DIGEST",
                 "compressed chunk gives " + std::to_string(size) + " bytes; expected " + std::to_string(out.size()),
                 {},
                 {},
                 {}};
  return ok();
}

std::string zstd_version() { return ZSTD_versionString(); }

}  // namespace modnet
