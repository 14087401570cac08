// What is read back, where a stream ends, and what its closing batch is worth.
#include "formats/arrow/reader.h"

#include <doctest/doctest.h>

#include <cstring>

#include "tests/unit/arrow/support.h"

using namespace modnet;
using test::make_stream;
using test::Outcome;
using test::read_mapped;
using test::read_memory;

namespace {

/// Compares what was read with what add_rows() makes.
struct Compare {
  ArrowBatchBuilder expected{test::every_type()};
  int64_t at = 0;
  explicit Compare(int64_t rows) { test::add_rows(expected, 0, rows); }
  void operator()(const ArrowBatch& batch) {
    const ArrowBatch want = expected.batch();
    REQUIRE(batch.columns.size() == want.columns.size());
    for (size_t i = 0; i < want.columns.size(); ++i)
      for (int64_t row = 0; row < batch.rows; ++row) {
        CHECK(batch.columns[i].valid(row) == want.columns[i].valid(at + row));
        CHECK(as_text(batch.columns[i].bytes(row)) == as_text(want.columns[i].bytes(at + row)));
      }
    at += batch.rows;
  }
};

/// Hands out its bytes in pieces of a fixed size, as a slow pipe does.
class Trickle final : public ByteSource {
 public:
  Trickle(std::string data, size_t piece) : data_(std::move(data)), piece_(piece) { name_ = "pipe"; }
  Result<int64_t> read(std::span<std::byte> out) override {
    const size_t count = std::min({out.size(), piece_, data_.size() - at_});
    std::memcpy(out.data(), data_.data() + at_, count);
    at_ += count;
    return static_cast<int64_t>(count);
  }

 private:
  std::string data_;
  size_t piece_, at_ = 0;
};

/// The stream with the closing batch cut out, as a filter that knows nothing of it would write it.
std::string without_closing(const std::string& stream) {
  const size_t begin = stream.rfind(std::string("\xFF\xFF\xFF\xFF", 4), stream.size() - 9);
  return stream.substr(0, begin) + stream.substr(stream.size() - 8);
}

}  // namespace

TEST_CASE("every type comes back as it was written, from a pipe and from a file, in both forms") {
  for (const ArrowForm form : {ArrowForm::kStream, ArrowForm::kFile})
    for (const int level : {0, 1}) {
      std::string digest;
      const std::string data = make_stream(60, 25, form, {.zstd_level = level, .rows_per_batch = 0}, &digest);
      Compare compare(60), mapped(60);
      for (const Outcome& out : {read_memory(data, std::ref(compare)), read_mapped(data, std::ref(mapped))}) {
        if (out.error.has_value()) FAIL(out.error->what);
        CHECK(out.rows == 60);
        CHECK(out.seal == Seal::kSealed);
        CHECK(out.digest == digest);
        ArrowSchema schema = test::every_type();
        schema.set("modnet.stream", "1");
        CHECK(out.schema == schema);
      }
      CHECK(compare.at == 60);
      CHECK(mapped.at == 60);
    }
}

TEST_CASE("a pipe that brings a byte at a time gives the same") {
  const std::string data = make_stream(20, 7, ArrowForm::kStream);
  Compare compare(20);
  const Outcome out = test::read_stream(ArrowReader::open(std::make_unique<Trickle>(data, 1)), std::ref(compare));
  CHECK_FALSE(out.error.has_value());
  CHECK(out.seal == Seal::kSealed);
}

TEST_CASE("a stream cut off anywhere is an error, never a short result") {
  for (const ArrowForm form : {ArrowForm::kStream, ArrowForm::kFile}) {
    const std::string data = make_stream(12, 5, form);
    for (size_t length = 0; length < data.size(); ++length) {
      const Outcome out = read_memory(data.substr(0, length));
      REQUIRE(out.error.has_value());
      CHECK(out.error->code == Code::kMalformed);
      CHECK(out.error->id == "STREAM_CUT");
      CHECK(out.error->file == "test");
      CHECK(out.seal != Seal::kSealed);
    }
  }
}

TEST_CASE("a mapped file without its footer is refused before its first batch") {
  const std::string data = make_stream(12, 12, ArrowForm::kFile);
  for (size_t length = 8; length < data.size(); length += 3) {
    int64_t batches = 0;
    const Outcome out = read_mapped(data.substr(0, length), [&](const ArrowBatch&) { ++batches; });
    REQUIRE(out.error.has_value());
    CHECK(out.error->id == "STREAM_CUT");
    CHECK(batches == 0);
  }
}

TEST_CASE("a stream whose closing batch was dropped is unsealed, with all its rows") {
  const std::string data = without_closing(make_stream(12, 5, ArrowForm::kStream));
  const Outcome out = read_memory(data);
  CHECK_FALSE(out.error.has_value());
  CHECK(out.rows == 12);
  CHECK(out.seal == Seal::kUnsealed);
  CHECK(out.digest.empty());
}

TEST_CASE("data from elsewhere is unsealed") {
  test::MemoryOutput output;
  ArrowSchema schema;
  schema.fields = {ArrowField::text("a")};
  Result<std::unique_ptr<ArrowWriter>> writer =
      ArrowWriter::open(output, schema, ArrowForm::kStream, {.seal = SealWrite::kNo});
  REQUIRE(writer.ok());
  ArrowBatchBuilder rows(schema);
  rows.column(0).add_text("x");
  REQUIRE((*writer)->write(rows.batch()).ok());
  REQUIRE((*writer)->finish().ok());
  const Outcome out = read_memory(output.data);
  CHECK_FALSE(out.error.has_value());
  CHECK(out.seal == Seal::kUnsealed);
  CHECK(out.schema.metadata.empty());
}

TEST_CASE("a changed value breaks the seal") {
  std::string data = make_stream(12, 12, ArrowForm::kStream);
  const size_t at = data.find("row 7");
  REQUIRE(at != std::string::npos);
  data[at + 4] = '8';
  const Outcome out = read_memory(data);
  REQUIRE(out.error.has_value());
  CHECK(out.error->code == Code::kDigest);
  CHECK(out.seal == Seal::kBroken);
  const Outcome unchecked = read_memory(data, {}, {.check = SealCheck::kNo});
  CHECK_FALSE(unchecked.error.has_value());
  CHECK(unchecked.seal == Seal::kUnchecked);
}

TEST_CASE("a lost batch breaks the seal, whether digests are checked or not") {
  // The first batch of two taken out: it lies between the schema and the second batch.
  const std::string one = make_stream(5, 5, ArrowForm::kStream), two = make_stream(10, 5, ArrowForm::kStream);
  uint32_t schema = 0;
  std::memcpy(&schema, two.data() + 4, 4);
  const std::string first = without_closing(one);
  const std::string lost = two.substr(0, schema + 8) + two.substr(first.size() - 8);
  for (const SealCheck check : {SealCheck::kYes, SealCheck::kNo}) {
    const Outcome out = read_memory(lost, {}, {.check = check});
    REQUIRE(out.error.has_value());
    CHECK(out.error->code == Code::kDigest);
    CHECK(out.rows == 5);
  }
}

TEST_CASE("what follows the end of a stream is an error") {
  for (const ArrowForm form : {ArrowForm::kStream, ArrowForm::kFile}) {
    const std::string data = make_stream(3, 3, form);
    CHECK(read_memory(data + "x").error.has_value());
    CHECK(read_memory(data + data).error.has_value());
    CHECK(read_mapped(data + "x").error.has_value());
  }
}

TEST_CASE("other data is not taken for Arrow") {
  for (const std::string& data :
       {std::string("id,text\n1,hello\n"), std::string("ARROW2\0\0", 8), std::string(100, '\0')}) {
    const Outcome out = read_memory(data);
    REQUIRE(out.error.has_value());
    CHECK(out.error->id == "NOT_ARROW");
    CHECK_FALSE(arrow_form(as_bytes(data)).has_value());
  }
  CHECK(arrow_form(as_bytes(make_stream(1, 1, ArrowForm::kStream))) == ArrowForm::kStream);
  CHECK(arrow_form(as_bytes(make_stream(1, 1, ArrowForm::kFile))) == ArrowForm::kFile);
  CHECK_FALSE(arrow_form(as_bytes("ARROW1")).has_value());
}

TEST_CASE("batches that are kept stay as they were while the next ones are read") {
  const std::string data = make_stream(40, 8, ArrowForm::kStream);
  std::vector<ArrowBatch> kept;
  read_memory(data, [&](const ArrowBatch& batch) { kept.push_back(batch); });
  REQUIRE(kept.size() == 5);
  Compare compare(40);
  for (const ArrowBatch& batch : kept) compare(batch);
}

TEST_CASE("an error is returned again") {
  const std::string data = make_stream(12, 5, ArrowForm::kStream);
  Result<std::unique_ptr<ArrowReader>> reader =
      ArrowReader::open(memory_source(as_bytes(data).first(data.size() - 8), "cut"));
  REQUIRE(reader.ok());
  while (true) {
    const Result<std::optional<ArrowBatch>> batch = (*reader)->next();
    if (!batch.ok()) break;
    REQUIRE(batch->has_value());
  }
  CHECK_FALSE((*reader)->next().ok());
}
