// Reads Arrow IPC streams and files, batch by batch, and checks modnet's closing batch.
// A file is read as the stream that it holds; its footer only has to be there and to agree. So a file gives the same
// through a pipe. Source: Arrow columnar format 1.5, "IPC"; modnet-stream.5. Tested by tests/unit/arrow/reader_test.cc,
// tests/unit/arrow/hostile_test.cc, tests/parity/arrow_parity.py and tests/fuzz/arrow_fuzz.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "formats/arrow/types.h"
#include "formats/base/file.h"
#include "formats/base/limits.h"
#include "formats/base/result.h"

namespace modnet {

enum class ArrowForm : uint8_t { kStream, kFile };

/// Which of the two forms begins with these bytes (8 are enough); nothing for other data.
[[nodiscard]] std::optional<ArrowForm> arrow_form(Bytes first);

/// What the end of a stream said about its rows.
enum class Seal : uint8_t {
  kOpen,       // the end has not been reached
  kSealed,     // count and digest agree
  kUnsealed,   // no closing batch: data from elsewhere, or a filter dropped it; its producer's claims are unverified
  kUnchecked,  // the count agrees, the digest was not computed (SealCheck::kNo)
  kBroken,     // count or digest differ; next() returned Code::kDigest
};
[[nodiscard]] std::string_view seal_name(Seal seal);  // "sealed", "unsealed" …

enum class SealCheck : uint8_t { kNo, kYes };

struct ArrowReadOptions {
  SealCheck check = SealCheck::kYes;
  int64_t slack = kParserSlack;  // bytes that unpacking a batch may take beyond the batch's own length (--max-memory)
};

/// Reads one stream. Not thread-safe.
class ArrowReader {
 public:
  /// A pipe or any other source: one message at a time, memory bounded by the largest batch that really came.
  /// Stream or file form by the first bytes; kMalformed (id NOT_ARROW) for other data.
  [[nodiscard]] static Result<std::unique_ptr<ArrowReader>> open(std::unique_ptr<ByteSource> source,
                                                                 ArrowReadOptions options = {});
  /// A mapped file: columns point into it. A file form without its footer is refused at once. The batches keep it
  /// mapped.
  [[nodiscard]] static Result<std::unique_ptr<ArrowReader>> open_mapped(MappedFile file, ArrowReadOptions options = {});
  /// "-" is standard input; a regular file is mapped; a named pipe or device is read as it comes.
  [[nodiscard]] static Result<std::unique_ptr<ArrowReader>> open_path(const std::string& path,
                                                                      ArrowReadOptions options = {});
  virtual ~ArrowReader() = default;

  [[nodiscard]] virtual const ArrowSchema& schema() const = 0;
  [[nodiscard]] virtual ArrowForm form() const = 0;
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// The mapped file, for Output::commit; null for pipes.
  [[nodiscard]] virtual const MappedFile* mapped() const = 0;

  /// The next batch with rows; nothing at the end. Code::kMalformed with id STREAM_CUT when the data ends before its
  /// end marker or footer; Code::kDigest when the closing batch does not agree. After an error every call returns it
  /// again. Drop a batch before the next call where you can: its memory is used again.
  [[nodiscard]] virtual Result<std::optional<ArrowBatch>> next() = 0;
  /// False when next() would wait for the producer: the moment to flush outputs.
  [[nodiscard]] virtual bool ready() = 0;

  [[nodiscard]] virtual Seal seal() const = 0;
  /// Rows handed out so far.
  [[nodiscard]] virtual int64_t rows() const = 0;
  /// "sha256:HEX" of the rows, once sealed; empty otherwise.
  [[nodiscard]] virtual const std::string& digest() const = 0;
};

}  // namespace modnet
