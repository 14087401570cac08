// The bounds-checked reader and the arithmetic for sizes from files.
#include "formats/base/reader.h"

#include <doctest/doctest.h>

#include "formats/base/limits.h"

namespace modnet {
namespace {

TEST_CASE("numbers are little-endian and move the offset by their size") {
  Reader reader(as_bytes(std::string_view("\x01\x02\x03\x04\x05\x06\x07\x08\xff\xff\x00\x00\x80\x3f", 14)));
  CHECK(reader.number<uint64_t>("a").value() == 0x0807060504030201u);
  CHECK(reader.number<int16_t>("b").value() == -1);
  CHECK(reader.number<float>("c").value() == 1.0f);
  CHECK(reader.remaining() == 0);
}

TEST_CASE("a read past the end names the field, the sizes and the offset, and moves nothing") {
  Reader reader(as_bytes("abc"));
  REQUIRE(reader.take(2, "first").ok());
  for (const int64_t n : {int64_t{2}, int64_t{1} << 62, int64_t{-1}}) {
    const Result<Bytes> bad = reader.take(n, "second");
    REQUIRE_FALSE(bad.ok());
    CHECK(bad.error().code == Code::kMalformed);
    CHECK(bad.error().what.find("second") != std::string::npos);
    CHECK(bad.error().where == "offset 2");
  }
  CHECK(reader.offset() == 2);
  CHECK_FALSE(reader.number<uint16_t>("third").ok());
  CHECK(as_text(reader.take(1, "last").value()) == "c");
}

TEST_CASE("size arithmetic refuses overflow and negative operands") {
  int64_t out = 0;
  CHECK(checked_mul(int64_t{1} << 31, int64_t{1} << 31, &out));
  CHECK(out == int64_t{1} << 62);
  CHECK_FALSE(checked_mul(int64_t{1} << 32, int64_t{1} << 31, &out));
  CHECK_FALSE(checked_mul(-1, 1, &out));
  CHECK_FALSE(checked_mul(1, -1, &out));
  CHECK_FALSE(checked_add(INT64_MAX, 1, &out));
  CHECK_FALSE(checked_add(-1, 1, &out));
  CHECK(checked_align(65, 64, &out));
  CHECK(out == 128);
  CHECK(checked_align(0, 64, &out));
  CHECK(out == 0);
  CHECK_FALSE(checked_align(INT64_MAX - 3, 64, &out));
}

}  // namespace
}  // namespace modnet
