// What is written: the bytes, their order and alignment, and what is refused.
#include "formats/arrow/writer.h"

#include <doctest/doctest.h>

#include <cstring>

#include "tests/unit/arrow/support.h"

using namespace modnet;
using test::make_stream;
using test::read_memory;

TEST_CASE("a file's bytes do not depend on how many rows a call brings") {
  std::string digest, other;
  const std::string once = make_stream(3000, 3000, ArrowForm::kFile, {}, &digest);
  for (const int64_t step : {1, 100, 1024, 1025, 2048}) {
    CHECK(make_stream(3000, step, ArrowForm::kFile, {}, &other) == once);
    CHECK(other == digest);
  }
  int64_t batches = 0;
  read_memory(once, [&](const ArrowBatch& batch) {
    ++batches;
    CHECK((batch.rows == 1024 || batch.rows == 3000 - 2048));
  });
  CHECK(batches == 3);
}

TEST_CASE("a file of rows without nulls has the same bytes whether rows were copied or not") {
  const std::string once = make_stream(2500, 2500, ArrowForm::kFile, {}, nullptr, test::Nulls::kNo);
  CHECK(make_stream(2500, 3, ArrowForm::kFile, {}, nullptr, test::Nulls::kNo) == once);
}

TEST_CASE("a stream has one batch a call and the digest of the file") {
  std::string of_stream, of_file;
  const std::string stream = make_stream(25, 10, ArrowForm::kStream, {}, &of_stream);
  make_stream(25, 25, ArrowForm::kFile, {}, &of_file);
  CHECK(of_stream == of_file);
  std::vector<int64_t> sizes;
  read_memory(stream, [&](const ArrowBatch& batch) { sizes.push_back(batch.rows); });
  CHECK(sizes == std::vector<int64_t>{10, 10, 5});
}

TEST_CASE("buffers lie at multiples of 64 of the file, and a stream ends with its marker") {
  const std::string file = make_stream(10, 10, ArrowForm::kFile);
  CHECK(file.substr(0, 8) == std::string("ARROW1\0\0", 8));
  CHECK(file.substr(file.size() - 6) == "ARROW1");
  const std::string stream = make_stream(10, 10, ArrowForm::kStream);
  CHECK(stream.substr(stream.size() - 8) == std::string("\xFF\xFF\xFF\xFF\0\0\0\0", 8));
  for (const auto& [data, begin] : {std::pair(&file, 8), std::pair(&stream, 0)}) {
    uint32_t length = 0;
    std::memcpy(&length, data->data() + begin + 4, 4);
    CHECK((begin + 8 + length) % 64 == 0);
  }
  test::read_mapped(file, [](const ArrowBatch& batch) {
    for (const int i : {0, 2, 5, 6, 11, 19})
      CHECK(reinterpret_cast<uintptr_t>(batch.columns[size_t(i)].data) % 64 == 0);
  });
}

TEST_CASE("zstd gives the same rows in fewer bytes and the same digest") {
  std::string plain_digest, packed_digest;
  const std::string plain = make_stream(2000, 500, ArrowForm::kFile, {}, &plain_digest);
  const std::string packed = make_stream(2000, 500, ArrowForm::kFile, {.zstd_level = 3}, &packed_digest);
  CHECK(packed.size() * 2 < plain.size());
  CHECK(packed_digest == plain_digest);
  const test::Outcome out = read_memory(packed);
  CHECK_FALSE(out.error.has_value());
  CHECK(out.seal == Seal::kSealed);
  CHECK(out.digest == plain_digest);
  CHECK(make_stream(2000, 7, ArrowForm::kFile, {.zstd_level = 3}) == packed);
}

TEST_CASE("text read from a file can be written as it is, into either text type") {
  const std::string stream = make_stream(40, 9, ArrowForm::kStream);
  test::MemoryOutput output;
  ArrowSchema schema = test::every_type();
  schema.fields[0].type = ArrowType::kLargeUtf8;
  schema.fields[1].type = ArrowType::kUtf8;
  Result<std::unique_ptr<ArrowWriter>> writer = ArrowWriter::open(output, schema, ArrowForm::kFile);
  REQUIRE(writer.ok());
  const test::Outcome in = read_memory(stream, [&](const ArrowBatch& batch) { REQUIRE((*writer)->write(batch).ok()); });
  REQUIRE((*writer)->finish().ok());
  CHECK((*writer)->digest() == in.digest);
  CHECK(read_memory(output.data).digest == in.digest);
}

TEST_CASE("an empty stream is sealed with no rows") {
  for (const ArrowForm form : {ArrowForm::kStream, ArrowForm::kFile}) {
    const test::Outcome out = read_memory(make_stream(0, 1, form));
    CHECK_FALSE(out.error.has_value());
    CHECK(out.rows == 0);
    CHECK(out.seal == Seal::kSealed);
  }
}

TEST_CASE("what does not fit the schema is refused") {
  test::MemoryOutput output;
  ArrowSchema schema;
  schema.fields = {ArrowField::text("a")};
  ArrowSchema other;
  other.fields = {ArrowField::scalar("a", DType::kF32)};
  ArrowBatchBuilder rows(other), nulls(schema);
  rows.column(0).add(1.0F);
  nulls.column(0).add_null();
  schema.fields[0].nullable = false;
  Result<std::unique_ptr<ArrowWriter>> writer = ArrowWriter::open(output, schema, ArrowForm::kStream);
  REQUIRE(writer.ok());
  Status status = (*writer)->write(rows.batch());
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kInternal);
  status = (*writer)->write(nulls.batch());
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kInvalid);
  REQUIRE((*writer)->finish().ok());
  CHECK_FALSE((*writer)->finish().ok());
  CHECK_FALSE(ArrowWriter::open(output, schema, ArrowForm::kStream, {.zstd_level = 99}).ok());
  schema.fields.push_back(schema.fields[0]);
  CHECK_FALSE(ArrowWriter::open(output, schema, ArrowForm::kStream).ok());
}
