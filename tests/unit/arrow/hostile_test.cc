// Claims that the bytes do not keep. Streams are made well and then patched, so that everything else about them is
// right.
#include <doctest/doctest.h>

#include <cstring>

#include "tests/unit/arrow/support.h"

using namespace modnet;
using test::make_stream;
using test::Outcome;
using test::read_mapped;
using test::read_memory;

namespace {

std::string numbers(std::initializer_list<int64_t> values) {
  std::string out;
  for (const int64_t value : values) out.append(reinterpret_cast<const char*>(&value), 8);
  return out;
}
/// Replaces the only place where `from` stands after `after`.
std::string patched(std::string data, const std::string& from, const std::string& to, size_t after = 0) {
  const size_t at = data.find(from, after);
  REQUIRE(at != std::string::npos);
  REQUIRE(from.size() == to.size());
  return data.replace(at, from.size(), to);
}

/// A stream of one column and one batch.
struct One {
  explicit One(ArrowField field) { schema.fields = {std::move(field)}; }
  ArrowSchema schema;
  std::string write(const std::function<void(ArrowColumnBuilder&)>& fill, ArrowWriteOptions options = {}) const {
    test::MemoryOutput output;
    options.seal = SealWrite::kNo;
    Result<std::unique_ptr<ArrowWriter>> writer = ArrowWriter::open(output, schema, ArrowForm::kStream, options);
    REQUIRE(writer.ok());
    ArrowBatchBuilder rows(schema);
    fill(rows.column(0));
    REQUIRE((*writer)->write(rows.batch()).ok());
    REQUIRE((*writer)->finish().ok());
    return output.data;
  }
};

std::string text_stream() {
  return One(ArrowField::text("t")).write([](ArrowColumnBuilder& column) {
    column.add_text("alpha");
    column.add_text("größe");
    column.add_text("gamma");
  });
}
std::string list_stream() {
  return One(ArrowField::list("l", DType::kI32)).write([](ArrowColumnBuilder& column) {
    const int32_t values[5] = {1, 2, 3, 4, 5};
    column.add_items(std::span<const int32_t>(values, 2));
    column.add_items(std::span<const int32_t>(values, 3));
  });
}
template <typename T>
std::string raw(std::initializer_list<T> values) {
  std::string out;
  for (const T value : values) out.append(reinterpret_cast<const char*>(&value), sizeof(T));
  return out;
}

void refused(const std::string& data, std::string_view word) {
  for (const Outcome& out : {read_memory(data), read_mapped(data)}) {
    REQUIRE(out.error.has_value());
    CHECK(out.error->code == Code::kMalformed);
    CHECK_MESSAGE(out.error->what.find(word) != std::string::npos, out.error->what);
    CHECK_FALSE(out.error->where.empty());
    CHECK_FALSE(out.error->file.empty());
  }
}

}  // namespace

TEST_CASE("offsets that fall, are negative or leave the values are refused") {
  const std::string list = list_stream(), text = text_stream();
  REQUIRE_FALSE(read_memory(list).error.has_value());
  REQUIRE_FALSE(read_memory(text).error.has_value());
  const std::string good = raw<int32_t>({0, 2, 5});
  refused(patched(list, good, raw<int32_t>({0, 6, 5})), "fall");
  refused(patched(list, good, raw<int32_t>({-1, 2, 5})), "fall");
  refused(patched(list, good, raw<int32_t>({0, 2, 6})), "values");
  refused(patched(list, good, raw<int32_t>({0, 2, INT32_MAX})), "values");
  const std::string spans = raw<int32_t>({0, 5, 12, 17});
  refused(patched(text, spans, raw<int32_t>({0, 5, 12, 18})), "text");
  refused(patched(text, spans, raw<int32_t>({0, 5, 4, 17})), "fall");
  refused(patched(text, spans, raw<int32_t>({0, 8, 12, 17})), "UTF-8");  // inside the ö
}

TEST_CASE("text that is not UTF-8 is refused with its column and row") {
  refused(patched(text_stream(), "gamma", "ga\xFFma"), "'t' has text that is not UTF-8 in row 2");
}

TEST_CASE("a row count that the bytes do not hold is refused") {
  const std::string list = list_stream();
  const std::string node = numbers({2, 0});
  const size_t at = list.find(node);
  REQUIRE(at != std::string::npos);
  refused(patched(list, node, numbers({3, 0})), "rows");
  refused(patched(list, node, numbers({2, 3})), "nulls");
  refused(patched(list, node, numbers({-2, 0})), "nulls");
  refused(patched(list, node, numbers({2, 1})), "bitmap");
  refused(patched(list, numbers({5, 0}), numbers({INT64_MAX, 0})), "");
}

TEST_CASE("buffers outside the body or over each other are refused") {
  const std::string list = list_stream();  // offsets at 0, values at 64
  refused(patched(list, numbers({64, 20}), numbers({64, 2000})), "outside");
  refused(patched(list, numbers({64, 20}), numbers({INT64_MAX, 20})), "outside");
  refused(patched(list, numbers({64, 20}), numbers({-64, 20})), "outside");
  refused(patched(list, numbers({64, 20}), numbers({64, INT64_MIN})), "outside");
  refused(patched(list, numbers({64, 20}), numbers({0, 20})), "overlaps");
  refused(patched(list, numbers({64, 20}), numbers({64, 16})), "16 bytes of values; expected 20");
}

TEST_CASE("a length that the pipe does not deliver allocates nothing and is a cut-off stream") {
  const std::string list = list_stream();  // a body of 128 bytes
  const std::string huge = patched(list, numbers({128}), numbers({int64_t{1} << 46}));
  for (const Outcome& out : {read_memory(huge), read_mapped(huge)}) {
    REQUIRE(out.error.has_value());
    CHECK(out.error->id == "STREAM_CUT");
  }
  refused(patched(list, numbers({128}), numbers({-1})), "body");
  std::string message = list;
  const uint32_t length = 0x7FFFFFF8;
  std::memcpy(message.data() + 4, &length, 4);
  refused(message, "claims");
}

TEST_CASE("a batch that asks for work out of proportion is refused") {
  One nothing({.name = "n", .type = ArrowType::kNull, .shape = {}, .metadata = {}});
  const std::string nulls = nothing.write([](ArrowColumnBuilder& column) {
    for (int i = 0; i < 5000; ++i) column.add_null();
  });
  CHECK(read_memory(nulls).rows == 5000);
  std::string bomb = patched(nulls, numbers({5000, 5000}), numbers({int64_t{1} << 60, int64_t{1} << 60}));
  bomb = patched(bomb, numbers({5000}), numbers({int64_t{1} << 60}));
  refused(bomb, "claims");
}

TEST_CASE("a compression bomb is refused with what it would take") {
  const std::string bomb = One(ArrowField::scalar("z", DType::kU8)).write(
      [](ArrowColumnBuilder& column) { column.add_rows(std::span<const uint8_t>(std::vector<uint8_t>(80 << 20))); },
      {.zstd_level = 1});
  CHECK(bomb.size() < 100000);
  const Outcome out = read_memory(bomb);
  REQUIRE(out.error.has_value());
  CHECK(out.error->code == Code::kUnavailable);
  CHECK(out.error->what.find("83886080") != std::string::npos);
  CHECK(read_memory(bomb, {}, {.slack = 100 << 20}).rows == 80 << 20);
}

TEST_CASE("compressed bytes that lie about their length are refused") {
  const std::string packed = One(ArrowField::scalar("z", DType::kI64)).write(
      [](ArrowColumnBuilder& column) { column.add_rows(std::span<const int64_t>(std::vector<int64_t>(1000, 5))); },
      {.zstd_level = 1});
  CHECK(read_memory(packed).rows == 1000);
  const size_t body = packed.rfind(numbers({8000}));
  REQUIRE(body != std::string::npos);
  refused(patched(packed, numbers({8000}), numbers({8001}), body), "holds 8000 bytes");
  refused(patched(packed, numbers({8000}), numbers({7999}), body), "zstd");
  refused(patched(packed, numbers({8000}), numbers({-2}), body), "unpacked");
}

TEST_CASE("a tensor whose shape is not its width is refused") {
  One image(ArrowField::tensor("image", DType::kU8, {2, 3}));
  const std::string data = image.write([](ArrowColumnBuilder& column) {
    const uint8_t pixels[6] = {1, 2, 3, 4, 5, 6};
    column.add_items(std::span<const uint8_t>(pixels));
  });
  CHECK(read_memory(data).schema.fields[0].shape == std::vector<int64_t>{2, 3});
  refused(patched(data, "[2,3]", "[2,4]"), "tensor shape");
  refused(patched(data, "[2,3]", "[-2]}"), "tensor metadata");
  refused(patched(data, "[2,3]", "\"2,3\""), "tensor metadata");
  refused(patched(data, "{\"shape\":[2,3]}", std::string(15, '[')), "tensor metadata");
}

TEST_CASE("a later version of the convention is refused by name") {
  const std::string data = make_stream(1, 1, ArrowForm::kStream);
  const size_t key = data.find("modnet.stream");
  REQUIRE(key != std::string::npos);
  std::string later = data;
  for (size_t at = key > 64 ? key - 64 : 0; at < key + 64; ++at)
    if (later[at] == '1' && later[at + 1] == '\0' && later[at - 4] == '\1' && later[at - 3] == '\0') later[at] = '2';
  const Outcome out = read_memory(later);
  REQUIRE(out.error.has_value());
  CHECK(out.error->code == Code::kUnavailable);
}

TEST_CASE("one flipped bit anywhere is an error or changes no value") {
  for (const ArrowForm form : {ArrowForm::kStream, ArrowForm::kFile}) {
    std::string digest;
    const std::string data = make_stream(4, 4, form, {}, &digest);
    int64_t errors = 0, harmless = 0;
    for (size_t at = 0; at < data.size(); ++at) {
      std::string flipped = data;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
      const Outcome out = read_memory(flipped);
      if (out.error.has_value()) {
        ++errors;
        CHECK(out.seal != Seal::kSealed);
      } else {
        ++harmless;  // padding, nullable flags, metadata that is not modnet's
        CHECK(out.seal == Seal::kSealed);
        CHECK(out.digest == digest);
        CHECK(out.rows == 4);
      }
    }
    CHECK(errors > 1000);
    CHECK(harmless > 0);
  }
}

TEST_CASE("random damage never gets past the checks") {
  const std::string data = make_stream(9, 4, ArrowForm::kStream, {.seal = SealWrite::kNo});
  uint64_t state = 12345;
  const auto draw = [&state](uint64_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % below;
  };
  int64_t bytes = 0, read = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = data;
    for (uint64_t i = 0; i <= draw(4); ++i) damaged[draw(damaged.size())] = static_cast<char>(draw(256));
    const Outcome out = read_memory(damaged, [&](const ArrowBatch& batch) {
      for (const ArrowColumn& column : batch.columns)
        for (int64_t row = 0; row < column.rows; ++row) bytes += static_cast<int64_t>(column.bytes(row).size());
    });
    if (!out.error.has_value()) ++read;
  }
  CHECK(bytes > 0);
  CHECK(read > 0);
}
