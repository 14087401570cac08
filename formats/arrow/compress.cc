// zstd for Arrow bodies. Tested by tests/unit/arrow/writer_test.cc and reader_test.cc.
#include "formats/arrow/compress.h"

#include <zstd.h>

#include <string>

namespace modnet {

Status zstd_decompress(Bytes frame, std::span<std::byte> out) {
  const size_t size = ZSTD_decompress(out.data(), out.size(), frame.data(), frame.size());
  if (ZSTD_isError(size) != 0U) return malformed(std::string("a buffer is not zstd data: ") + ZSTD_getErrorName(size));
  if (size != out.size())
    return malformed("a compressed buffer holds " + std::to_string(size) + " bytes; expected " +
                     std::to_string(out.size()));
  return ok();
}

Status zstd_compress(Bytes bytes, int level, std::vector<std::byte>& out) {
  const size_t at = out.size();
  out.resize(at + ZSTD_compressBound(bytes.size()));
  const size_t size = ZSTD_compress(out.data() + at, out.size() - at, bytes.data(), bytes.size(), level);
  if (ZSTD_isError(size) != 0U) return internal(std::string("zstd: ") + ZSTD_getErrorName(size));
  out.resize(at + size);
  return ok();
}

bool zstd_level_ok(int level) { return level >= 1 && level <= ZSTD_maxCLevel(); }

}  // namespace modnet
