// IDX: the header's lies, row batches, byte order, packed files (FAULTS 1, 2, 5, 6, 8, 15, 16, 20, 21).
#include "formats/image/idx.h"

#include <doctest/doctest.h>

#include <cstring>

#include <zlib.h>

#include "tests/support/file_bytes.h"

namespace modnet {
namespace {

using test::idx_header;

Result<std::unique_ptr<IdxReader>> open(std::string_view bytes) {
  return IdxReader::open(memory_source(as_bytes(bytes), "in.idx"));
}
Error error_of(const std::string& bytes) {
  Result<std::unique_ptr<IdxReader>> reader = open(bytes);
  if (!reader.ok()) return std::move(reader).error();
  while (true) {
    Result<IdxBatch> batch = reader.value()->next(3);
    if (!batch.ok()) return std::move(batch).error();
    REQUIRE(batch->rows > 0);
  }
}

TEST_CASE("pictures come in batches of rows with their shape") {
  std::string pixels;
  for (int n = 0; n < 5 * 6; ++n) pixels += static_cast<char>(n);
  const std::string file = idx_header(0x08, 5, 2, 3) + pixels;
  const std::unique_ptr<IdxReader> reader = open(file).value();
  CHECK(reader->rows() == 5);
  CHECK(reader->row_shape() == std::vector<int64_t>{2, 3});
  CHECK(reader->dtype() == DType::kU8);
  CHECK(reader->row_bytes() == 6);
  const IdxBatch first = reader->next(3).value(), second = reader->next(100).value();
  CHECK(as_text(first.data) == pixels.substr(0, 18));
  CHECK(second.first_row == 3);
  CHECK(as_text(second.data) == pixels.substr(18));
  CHECK(reader->next(1).value().rows == 0);
}

TEST_CASE("big-endian numbers come out in this machine's order, for every type") {
  const std::string bytes = std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8);
  const std::pair<uint8_t, DType> types[] = {{0x08, DType::kU8}, {0x09, DType::kI8}, {0x0b, DType::kI16},
                                             {0x0c, DType::kI32}, {0x0d, DType::kF32}, {0x0e, DType::kF64}};
  for (const auto& [code, dtype] : types) {
    const int64_t width = dtype_size(dtype);
    const std::string file = idx_header(code, 8 / width) + bytes;
    const std::unique_ptr<IdxReader> reader = open(file).value();
    CHECK(reader->dtype() == dtype);
    const IdxBatch batch = reader->next(8).value();
    std::string expected;
    for (int64_t at = 0; at < 8; at += width)
      for (int64_t k = width; k-- > 0;) expected += bytes[static_cast<size_t>(at + k)];
    CHECK(as_text(batch.data) == expected);
  }
}

TEST_CASE("labels are whole numbers of rank 1") {
  const auto labels = [](const std::string& bytes, int64_t limit = 1000) {
    return read_idx_labels(memory_source(as_bytes(bytes), "l"), limit);
  };
  CHECK(labels(idx_header(0x08, 3) + std::string("\x00\xff\x07", 3)).value() == std::vector<int64_t>{0, 255, 7});
  CHECK(labels(idx_header(0x09, 1) + "\xff").value() == std::vector<int64_t>{-1});
  CHECK(labels(idx_header(0x0b, 1) + "\xff\xfe").value() == std::vector<int64_t>{-2});
  CHECK(labels(idx_header(0x0c, 1) + std::string("\x00\x01\x00\x00", 4)).value() == std::vector<int64_t>{65536});
  CHECK(labels(idx_header(0x08, 0)).value().empty());
  CHECK_FALSE(labels(idx_header(0x08, 1, 1) + "x").ok());
  CHECK_FALSE(labels(idx_header(0x0d, 1) + "abcd").ok());
  CHECK_FALSE(labels(idx_header(0x08, 3) + "abc", 2).ok());
}

TEST_CASE("a header that lies is refused before anything is allocated for it") {
  CHECK(error_of("").code == Code::kMalformed);
  CHECK(error_of("PNG.").code == Code::kMalformed);
  CHECK(error_of(idx_header(0x0a, 1) + "x").what.find("type 10") != std::string::npos);
  CHECK(error_of(idx_header(0x08)).what.find("rank 0") != std::string::npos);
  CHECK(error_of(idx_header(0x08, 1, 1, 1, 1, 1, 1, 1, 1, 1) + "x").what.find("rank 9") != std::string::npos);
  CHECK(error_of(idx_header(0x0e, 0xffffffff, 0xffffffff)).code == Code::kMalformed);
  CHECK(error_of(idx_header(0x08, 0, 0xffffffff, 0xffffffff, 0xffffffff)).code == Code::kMalformed);
  CHECK(error_of(idx_header(0x08, 0xffffffff, 0)).what.find("no bytes") != std::string::npos);
  CHECK(error_of(idx_header(0x08, 0xffffffff, 28, 28) + "few").what.find("ends in row 0") != std::string::npos);
  CHECK(error_of(idx_header(0x08, 1, 1 << 14, 1 << 13)).what.find("64 MiB") != std::string::npos);
}

TEST_CASE("data that is cut off or goes on is refused with the offset") {
  const std::string whole = idx_header(0x08, 4, 2) + "12345678";
  for (size_t n = 0; n < whole.size(); ++n) CHECK(error_of(whole.substr(0, n)).code == Code::kMalformed);
  const Error longer = error_of(whole + "9");
  CHECK(longer.what.find("after the last") != std::string::npos);
  CHECK(longer.where == "offset 20");
  CHECK(longer.file == "in.idx");
}

TEST_CASE("a gzipped file is read as it comes") {
  const std::string file = idx_header(0x08, 2, 2) + "abcd";
  std::string packed(200, '\0');
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(file.data()));
  stream.avail_in = static_cast<uInt>(file.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  CHECK(as_text(open(packed).value()->next(9).value().data) == "abcd");
  CHECK(error_of(packed.substr(0, packed.size() - 3)).code == Code::kMalformed);
}

}  // namespace
}  // namespace modnet
