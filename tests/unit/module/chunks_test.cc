// Chunked compression: what goes in comes out, and a frame cannot make more than its chunk.
#include "formats/module/chunks.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace modnet;

namespace {
std::string unpack(const Compressed& packed, size_t raw_size) {
  std::string out(raw_size, '\0');
  const auto whole = std::as_writable_bytes(std::span(out));
  size_t from = 0, to = 0;
  for (const uint64_t stored : packed.chunk_stored) {
    const size_t size = std::min(raw_size - to, static_cast<size_t>(kWriteChunk));
    REQUIRE(decompress_chunk(as_bytes(packed.bytes).subspan(from, stored), whole.subspan(to, size)).ok());
    from += stored;
    to += size;
  }
  CHECK(to == raw_size);
  CHECK(from == packed.bytes.size());
  return out;
}
}  // namespace

TEST_CASE("compressed chunks give back their bytes at every size around a chunk") {
  for (const size_t size :
       {size_t{1}, size_t{63}, size_t{1} << 20, (size_t{1} << 20) - 1, (size_t{1} << 20) + 1, (size_t{2} << 20) + 5}) {
    CAPTURE(size);
    std::string raw(size, 'x');
    for (size_t i = 0; i < size; i += 7) raw[i] = static_cast<char>(i >> 3);
    const Result<Compressed> packed = compress_chunks(as_bytes(raw), 3);
    REQUIRE(packed.ok());
    CHECK(packed->chunk_stored.size() == (size + (size_t{1} << 20) - 1) >> 20);
    CHECK(unpack(*packed, size) == raw);
  }
}

TEST_CASE("a chunk that zstd cannot make smaller is stored as it is") {
  std::string raw(1000, '\0');
  uint32_t seed = 1;
  for (char& byte : raw) byte = static_cast<char>((seed = seed * 1664525u + 1013904223u) >> 24);
  const Result<Compressed> packed = compress_chunks(as_bytes(raw), 19);
  REQUIRE(packed.ok());
  CHECK(packed->bytes == raw);
  CHECK(packed->chunk_stored == std::vector<uint64_t>{1000});
}

TEST_CASE("a frame that holds more or less than its chunk is refused") {
  const std::string raw(5000, 'a');
  const Result<Compressed> packed = compress_chunks(as_bytes(raw), 3);
  REQUIRE(packed.ok());
  for (const size_t size : {size_t{4999}, size_t{5001}}) {
    std::vector<std::byte> out(size);
    const Status status = decompress_chunk(as_bytes(packed->bytes), out);
    REQUIRE(!status.ok());
    CHECK(status.error().code == Code::kDigest);
  }
}

TEST_CASE("levels outside 1 to 19 are usage errors") {
  for (const int level : {-1, 0, 20}) {
    const Result<Compressed> packed = compress_chunks(as_bytes("x"), level);
    REQUIRE(!packed.ok());
    CHECK(packed.error().code == Code::kUsage);
  }
}
