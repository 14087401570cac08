// Writes Arrow IPC streams and files with modnet's closing batch. The same rows give the same bytes of a file however
// they were batched by the caller, on every machine (with zstd: for one version of it). Source: Arrow columnar
// format 1.5, "IPC"; modnet-stream.5. Tested by tests/unit/arrow/writer_test.cc and tests/parity/arrow_parity.py.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "formats/arrow/reader.h"
#include "formats/arrow/types.h"
#include "formats/base/output.h"
#include "formats/base/result.h"

namespace modnet {

/// kNo writes plain Arrow data without modnet's closing batch (exports).
enum class SealWrite : uint8_t { kNo, kYes };

struct ArrowWriteOptions {
  int zstd_level = 0;          // 0: not compressed; else 1 … 22
  int64_t rows_per_batch = 0;  // 0: 1,024 for files; streams get one batch a call, as it comes
  SealWrite seal = SealWrite::kYes;
};

/// Writes one stream. Not thread-safe. The output is not flushed nor committed here: call Output::flush() when your own
/// input would block, and Output::commit() after finish().
class ArrowWriter {
 public:
  /// Writes the schema. Sealed output gets the metadata key `modnet.stream`. kInvalid: see check_schema().
  [[nodiscard]] static Result<std::unique_ptr<ArrowWriter>> open(Output& output, ArrowSchema schema, ArrowForm form,
                                                                 ArrowWriteOptions options = {});
  virtual ~ArrowWriter() = default;

  [[nodiscard]] virtual const ArrowSchema& schema() const = 0;
  /// Columns of the schema's types, in its order; text with 32- or 64-bit offsets and dictionary-encoded text fit both
  /// text types, and all lists fit both list types. kInternal when they do not fit; kInvalid when a batch of 32-bit
  /// offsets would pass 2 GiB, or a column that is not nullable has a null.
  [[nodiscard]] virtual Status write(const ArrowBatch& batch) = 0;
  /// Rows still waiting for a full batch, the closing batch, the end marker, the footer.
  [[nodiscard]] virtual Status finish() = 0;
  [[nodiscard]] virtual int64_t rows() const = 0;
  /// "sha256:HEX" of the closing batch, after finish(); empty when not sealed.
  [[nodiscard]] virtual const std::string& digest() const = 0;
};

}  // namespace modnet
