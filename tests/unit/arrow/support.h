// Streams in memory for the Arrow tests.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include <unistd.h>

#include "formats/arrow/builder.h"
#include "formats/arrow/reader.h"
#include "formats/arrow/writer.h"

namespace modnet::test {

/// An output that keeps its bytes.
class MemoryOutput final : public Output {
 public:
  Status write(Bytes bytes) override {
    data += as_text(bytes);
    position_ += static_cast<int64_t>(bytes.size());
    return ok();
  }
  Status flush() override { return ok(); }
  Status copy_range(const MappedFile&, int64_t, int64_t) override { return internal("not used"); }
  Status write_at(int64_t, Bytes) override { return internal("not used"); }
  bool seekable() const override { return false; }
  Status commit(const std::vector<const MappedFile*>&) override { return ok(); }
  std::string data;
};

/// One column of every type that is written.
inline ArrowSchema every_type() {
  ArrowSchema schema;
  schema.fields = {ArrowField::text("id"), ArrowField::text("large_text"), ArrowField::list("tokens", DType::kI32),
                   ArrowField::list("large_list", DType::kF64), ArrowField::list("mask", DType::kBool),
                   ArrowField::fixed_list("embedding", DType::kF32, 3), ArrowField::tensor("image", DType::kU8, {2, 2}),
                   ArrowField::tensor("half", DType::kF16, {1, 2})};
  schema.fields[1].type = ArrowType::kLargeUtf8;
  schema.fields[3].type = ArrowType::kLargeList;
  for (const DType dtype : {DType::kBool, DType::kI8, DType::kI16, DType::kI32, DType::kI64, DType::kU8, DType::kU16,
                            DType::kU32, DType::kU64, DType::kF16, DType::kF32, DType::kF64})
    schema.fields.push_back(ArrowField::scalar(std::string(dtype_name(dtype)), dtype));
  schema.fields.push_back({.name = "nothing", .type = ArrowType::kNull, .shape = {}, .metadata = {}});
  schema.fields[2].metadata = {{"unit", "token id"}};
  schema.metadata = {{"modnet.contract", "{\"ports\":[]}"}, {"note", "ünïcode"}};
  return schema;
}

template <typename T>
void add_number(ArrowColumnBuilder& column, int64_t row) {
  column.add<T>(static_cast<T>(row * 7 - 3));
}

/// Rows [begin, end) of data that depends on the row's number alone; every fifth row has nulls where `nulls`.
enum class Nulls : uint8_t { kNo, kYes };
inline void add_rows(ArrowBatchBuilder& out, int64_t begin, int64_t end, Nulls nulls = Nulls::kYes) {
  for (int64_t row = begin; row < end; ++row) {
    out.column(20).add_null();
    if (nulls == Nulls::kYes && row % 5 == 3) {
      for (int64_t i = 0; i < 20; ++i) out.column(i).add_null();
      continue;
    }
    out.column(0).add_text("row " + std::to_string(row));
    out.column(1).add_text(row % 3 == 0 ? "" : "größe " + std::to_string(row * row));
    std::vector<int32_t> tokens;
    for (int64_t i = 0; i < row % 4; ++i) tokens.push_back(static_cast<int32_t>(row * 10 + i));
    out.column(2).add_items(std::span<const int32_t>(tokens));
    out.column(3).add_items(
        std::span<const double>(std::vector<double>(static_cast<size_t>(row % 3), 0.5 * double(row))));
    out.column(4).add_items(std::span<const uint8_t>(std::vector<uint8_t>(static_cast<size_t>(row % 6), 1)));
    out.column(5).add_items(std::span<const float>(std::vector<float>{float(row), -0.0F, 1.0F / float(row + 1)}));
    out.column(6).add_items(std::span<const uint8_t>(std::vector<uint8_t>{1, 2, 3, static_cast<uint8_t>(row)}));
    out.column(7).add_items(std::span<const uint16_t>(std::vector<uint16_t>{0x3C00, static_cast<uint16_t>(row)}));
    out.column(8).add<uint8_t>(static_cast<uint8_t>(row % 2));
    add_number<int8_t>(out.column(9), row);
    add_number<int16_t>(out.column(10), row);
    add_number<int32_t>(out.column(11), row);
    add_number<int64_t>(out.column(12), row);
    add_number<uint8_t>(out.column(13), row);
    add_number<uint16_t>(out.column(14), row);
    add_number<uint32_t>(out.column(15), row);
    add_number<uint64_t>(out.column(16), row);
    out.column(17).add<uint16_t>(0x4200);
    add_number<float>(out.column(18), row);
    add_number<double>(out.column(19), row);
  }
}

/// A sealed stream or file of `rows` rows of every type, written `step` rows a call.
inline std::string make_stream(int64_t rows, int64_t step, ArrowForm form, ArrowWriteOptions options = {},
                               std::string* digest = nullptr, Nulls nulls = Nulls::kYes) {
  MemoryOutput output;
  Result<std::unique_ptr<ArrowWriter>> writer = ArrowWriter::open(output, every_type(), form, options);
  REQUIRE(writer.ok());
  ArrowBatchBuilder builder(every_type());
  for (int64_t at = 0; at < rows; at += step) {
    builder.clear();
    add_rows(builder, at, std::min(rows, at + step), nulls);
    REQUIRE((*writer)->write(builder.batch()).ok());
  }
  REQUIRE((*writer)->finish().ok());
  if (digest != nullptr) *digest = (*writer)->digest();
  return std::move(output.data);
}

struct Outcome {
  std::optional<Error> error;
  int64_t rows = 0;
  Seal seal = Seal::kOpen;
  std::string digest;
  ArrowSchema schema;
};

/// Reads all of it; `each` sees the batches.
inline Outcome read_stream(Result<std::unique_ptr<ArrowReader>> reader,
                           const std::function<void(const ArrowBatch&)>& each = {}) {
  Outcome out;
  if (!reader.ok()) {
    out.error = reader.error();
    return out;
  }
  out.schema = (*reader)->schema();
  while (true) {
    Result<std::optional<ArrowBatch>> batch = (*reader)->next();
    if (!batch.ok()) out.error = batch.error();
    if (!batch.ok() || !batch->has_value()) break;
    if (each) each(**batch);
    out.rows += (*batch)->rows;
  }
  out.seal = (*reader)->seal();
  out.digest = (*reader)->digest();
  return out;
}

inline Outcome read_memory(const std::string& data, const std::function<void(const ArrowBatch&)>& each = {},
                           ArrowReadOptions options = {}) {
  return read_stream(ArrowReader::open(memory_source(as_bytes(data), "test"), options), each);
}

/// The same through a mapped file.
inline Outcome read_mapped(const std::string& data, const std::function<void(const ArrowBatch&)>& each = {},
                           ArrowReadOptions options = {}) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("modnet-arrow-" + std::to_string(::getpid()) + ".arrow")).string();
  std::ofstream(path, std::ios::binary) << data;
  Outcome out = read_stream(ArrowReader::open_path(path, options), each);
  std::filesystem::remove(path);
  return out;
}

}  // namespace modnet::test
