// Messages of a stream in order: schema, batches, closing batch, end marker, footer.
// Tested by tests/unit/arrow/writer_test.cc.
#include "formats/arrow/writer.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "formats/arrow/builder.h"
#include "formats/arrow/compress.h"
#include "formats/arrow/encode.h"
#include "formats/arrow/seal.h"
#include "formats/arrow/wire.h"
#include "formats/base/limits.h"

namespace modnet {
namespace {

constexpr int64_t kFileRows = 1024;
constexpr std::byte kZeros[kAlignment] = {};

class StreamWriter final : public ArrowWriter {
 public:
  StreamWriter(Output& output, ArrowSchema schema, ArrowForm form, const ArrowWriteOptions& options)
      : output_(output), schema_(std::move(schema)), form_(form), options_(options), waiting_(schema_) {
    if (options_.rows_per_batch == 0 && form_ == ArrowForm::kFile) options_.rows_per_batch = kFileRows;
  }

  Status start();
  [[nodiscard]] const ArrowSchema& schema() const override { return schema_; }
  [[nodiscard]] Status write(const ArrowBatch& batch) override;
  [[nodiscard]] Status finish() override;
  [[nodiscard]] int64_t rows() const override { return rows_; }
  [[nodiscard]] const std::string& digest() const override { return digest_; }

 private:
  Status check(const ArrowBatch& batch) const;
  Status emit(const ArrowBatch& batch, const ArrowMetadata& metadata);
  Status put(Bytes bytes);
  Status put_message(const flatbuffers::FlatBufferBuilder& message);
  Status put_footer();

  Output& output_;
  ArrowSchema schema_;
  ArrowForm form_;
  ArrowWriteOptions options_;
  ArrowBatchBuilder waiting_;  // rows of a batch that is not full yet
  std::optional<SealHash> hash_;
  std::vector<wire::Block> blocks_;
  int64_t position_ = 0;
  int64_t rows_ = 0;
  bool finished_ = false;
  std::string digest_;
};

Status StreamWriter::put(Bytes bytes) {
  if (bytes.empty()) return ok();
  position_ += static_cast<int64_t>(bytes.size());
  return output_.write(bytes);
}

/// The marker, the length, the message, and zeros so that what follows begins at a multiple of 64.
Status StreamWriter::put_message(const flatbuffers::FlatBufferBuilder& message) {
  const int64_t size = message.GetSize();
  int64_t end = 0;
  if (size > kMaxIndexBytes || !checked_align(position_ + 8 + size, kAlignment, &end))
    return invalid("the schema's metadata takes " + std::to_string(size) + " bytes; expected at most " +
                   std::to_string(kMaxIndexBytes));
  const uint32_t prefix[2] = {0xFFFFFFFF, static_cast<uint32_t>(end - position_ - 8)};
  MODNET_TRY(put(std::as_bytes(std::span(prefix))));
  MODNET_TRY(put({reinterpret_cast<const std::byte*>(message.GetBufferPointer()), static_cast<size_t>(size)}));
  return put({kZeros, static_cast<size_t>(end - position_)});
}

Status StreamWriter::start() {
  if (form_ == ArrowForm::kFile) MODNET_TRY(put(as_bytes(std::string_view("ARROW1\0\0", 8))));
  if (options_.seal == SealWrite::kYes) hash_.emplace(schema_);
  flatbuffers::FlatBufferBuilder message;
  const auto schema = encode_schema(message, schema_);
  message.Finish(
      wire::CreateMessage(message, wire::MetadataVersion::V5, wire::MessageHeader::Schema, schema.Union(), 0));
  return put_message(message);
}

Status StreamWriter::check(const ArrowBatch& batch) const {
  if (finished_) return internal("rows were written after the end of a stream");
  if (batch.columns.size() != schema_.fields.size())
    return internal("a batch has " + std::to_string(batch.columns.size()) + " columns; expected " +
                    std::to_string(schema_.fields.size()));
  for (size_t i = 0; i < schema_.fields.size(); ++i) {
    const ArrowColumn& column = batch.columns[i];
    const ArrowField& field = schema_.fields[i];
    ArrowField got;
    got.type = column.type;
    const bool same = (field.is_text() && got.is_text()) || (field.is_list() && got.is_list()) ||
                      (field.is_fixed() && got.is_fixed() && field.width == column.width) || field.type == column.type;
    if (!same || field.value != column.value || column.rows != batch.rows ||
        (field.is_fixed() && field.width != column.width))
      return internal("column '" + field.name + "' of a batch is not " + field.type_name());
  }
  return ok();
}

Status StreamWriter::emit(const ArrowBatch& batch, const ArrowMetadata& metadata) {
  MODNET_ASSIGN(const EncodedBatch encoded, encode_batch(batch, schema_.fields, options_.zstd_level));
  flatbuffers::FlatBufferBuilder message(4096);
  const auto nodes = message.CreateVectorOfStructs(encoded.nodes);
  const auto buffers = message.CreateVectorOfStructs(encoded.buffers);
  flatbuffers::Offset<wire::BodyCompression> compression;
  if (options_.zstd_level > 0) compression = wire::CreateBodyCompression(message, wire::CompressionType::ZSTD);
  const auto header = wire::CreateRecordBatch(message, encoded.rows, nodes, buffers, compression);
  const auto pairs = encode_metadata(message, metadata);
  message.Finish(wire::CreateMessage(message, wire::MetadataVersion::V5, wire::MessageHeader::RecordBatch,
                                     header.Union(), encoded.body_length, pairs));
  const int64_t begin = position_;
  MODNET_TRY(put_message(message));
  if (form_ == ArrowForm::kFile)
    blocks_.emplace_back(begin, static_cast<int32_t>(position_ - begin), encoded.body_length);
  for (const Bytes piece : encoded.pieces) {
    MODNET_TRY(put(piece));
    const size_t over = piece.size() % kAlignment;
    if (over != 0) MODNET_TRY(put({kZeros, kAlignment - over}));
  }
  return ok();
}

Status StreamWriter::write(const ArrowBatch& batch) {
  MODNET_TRY(check(batch));
  if (batch.rows == 0) return ok();
  if (hash_.has_value()) hash_->add(batch);
  rows_ += batch.rows;
  const int64_t full = options_.rows_per_batch;
  if (full == 0) return emit(batch, {});
  int64_t at = 0;
  while (at < batch.rows) {
    const int64_t count = std::min(full - waiting_.rows(), batch.rows - at);
    const ArrowBatch piece = batch.slice(at, count);
    at += count;
    if (count == full) {  // nothing waits and the piece is a whole batch: no copy
      MODNET_TRY(emit(piece, {}));
      continue;
    }
    waiting_.append(piece);
    if (waiting_.rows() < full) break;
    MODNET_TRY(emit(waiting_.batch(), {}));
    waiting_.clear();
  }
  return ok();
}

Status StreamWriter::finish() {
  if (finished_) return internal("a stream was finished twice");
  if (waiting_.rows() != 0) MODNET_TRY(emit(waiting_.batch(), {}));
  waiting_.clear();
  finished_ = true;
  if (hash_.has_value()) {
    const std::string digest = "sha256:" + hex(hash_->finish());
    MODNET_TRY(emit(waiting_.batch(), {{std::string(kSealRowsKey), std::to_string(rows_)},
                                       {std::string(kSealDigestKey), digest}}));
    digest_ = digest;
  }
  const uint32_t marker[2] = {0xFFFFFFFF, 0};
  MODNET_TRY(put(std::as_bytes(std::span(marker))));
  return form_ == ArrowForm::kFile ? put_footer() : ok();
}

Status StreamWriter::put_footer() {
  flatbuffers::FlatBufferBuilder footer;
  const auto schema = encode_schema(footer, schema_);
  const auto dictionaries = footer.CreateVectorOfStructs(std::vector<wire::Block>());
  const auto blocks = footer.CreateVectorOfStructs(blocks_);
  footer.Finish(wire::CreateFooter(footer, wire::MetadataVersion::V5, schema, dictionaries, blocks));
  const int64_t size = footer.GetSize();
  if (size > kMaxIndexBytes) return invalid("the footer takes " + std::to_string(size) + " bytes");
  MODNET_TRY(put({reinterpret_cast<const std::byte*>(footer.GetBufferPointer()), static_cast<size_t>(size)}));
  const int32_t length = static_cast<int32_t>(size);
  MODNET_TRY(put(std::as_bytes(std::span(&length, 1))));
  return put(as_bytes("ARROW1"));
}

}  // namespace

Result<std::unique_ptr<ArrowWriter>> ArrowWriter::open(Output& output, ArrowSchema schema, ArrowForm form,
                                                       ArrowWriteOptions options) {
  if (options.zstd_level != 0 && !zstd_level_ok(options.zstd_level))
    return usage("zstd has no level " + std::to_string(options.zstd_level), "give a level from 1 to 22");
  if (options.rows_per_batch < 0 || options.rows_per_batch > INT32_MAX)
    return usage("a batch cannot have " + std::to_string(options.rows_per_batch) + " rows");
  if (options.seal == SealWrite::kYes) schema.set(std::string(kStreamKey), "1");
  MODNET_TRY(check_schema(schema));
  auto writer = std::make_unique<StreamWriter>(output, std::move(schema), form, options);
  MODNET_TRY(writer->start());
  return std::unique_ptr<ArrowWriter>(std::move(writer));
}

}  // namespace modnet
