// The digest in modnet's closing batch: over names, modnet's metadata and values row by row, so that neither batch
// boundaries nor the form (stream or file, 32- or 64-bit offsets, dictionary or plain) change it.
// Source: modnet-stream.5, THE CLOSING BATCH. Tested by tests/unit/arrow/seal_test.cc.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/arrow/types.h"
#include "formats/base/digest.h"

namespace modnet {

inline constexpr std::string_view kStreamKey = "modnet.stream";      // schema metadata: version of this convention, "1"
inline constexpr std::string_view kSealRowsKey = "modnet.rows";      // closing batch: rows before it, decimal
inline constexpr std::string_view kSealDigestKey = "modnet.digest";  // closing batch: "sha256:" and 64 hex digits

/// Collects the digest while rows pass.
class SealHash {
 public:
  explicit SealHash(const ArrowSchema& schema);
  void add(const ArrowBatch& batch);
  [[nodiscard]] int64_t rows() const { return rows_; }
  [[nodiscard]] Digest finish();  // the object is spent afterwards

 private:
  void add_cell(const ArrowColumn& column, int64_t row);

  Sha256 sha_;
  int64_t rows_ = 0;
  std::vector<std::byte> row_;     // canonical bytes of the row at hand, `used_` of them
  std::vector<std::byte> hashes_;  // `waiting_` bytes of hashes not yet given to sha_
  size_t used_ = 0, waiting_ = 0;
};

}  // namespace modnet
