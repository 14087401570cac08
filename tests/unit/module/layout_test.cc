// The preamble and the trailer directory: each number checked, each refusal with its code.
#include "formats/module/layout.h"

#include <doctest/doctest.h>

#include <functional>

#include "tests/support/file_bytes.h"
#include "tests/support/module_damage.h"
#include "tests/support/module_samples.h"

using namespace modnet;

namespace {
Code refusal(const std::string& file) {
  const Result<Preamble> preamble = decode_preamble(as_bytes(file));
  REQUIRE(!preamble.ok());
  return preamble.error().code;
}
}  // namespace

TEST_CASE("the preamble is 128 bytes of little-endian numbers at fixed places") {
  Preamble preamble;
  preamble.minor = 2;
  preamble.index_offset = 0x0102030405060708;
  preamble.index_length = 3;
  preamble.file_length = 4;
  preamble.index_digest[0] = 0xaa;
  preamble.directory_offset = 5;
  preamble.directory_length = 6;
  preamble.directory_digest[31] = 0xbb;
  const std::string bytes = encode_preamble(preamble);
  REQUIRE(bytes.size() == 128);
  CHECK(bytes.substr(0, 8) == "\x89MNET\r\n\x1a");
  CHECK(bytes.substr(8, 8) == std::string("\1\0\2\0\x80\0\0\0", 8));
  CHECK(bytes.substr(16, 8) == "\x08\x07\x06\x05\x04\x03\x02\x01");
  CHECK(bytes.substr(24, 8) == test::le<uint64_t>(3));
  CHECK(bytes.substr(32, 8) == test::le<uint64_t>(4));
  CHECK(bytes[40] == '\xaa');
  CHECK(bytes.substr(72, 8) == test::le<uint64_t>(5));
  CHECK(bytes.substr(80, 8) == test::le<uint64_t>(6));
  CHECK(bytes[119] == '\xbb');
  CHECK(bytes.substr(120, 8) == test::le<uint64_t>(xxh3_64(as_bytes(bytes).first(120))));
}

TEST_CASE("every flipped bit of a preamble is found") {
  const std::string file = test::encoder_bytes();
  for (size_t byte = 0; byte < 128; ++byte)
    for (int bit = 0; bit < 8; ++bit) {
      const Code code = refusal(test::with_flip(file, byte, bit));
      CHECK((code == Code::kDigest || code == Code::kMalformed));
      if (byte >= 16) CHECK(code == Code::kDigest);
    }
}

TEST_CASE("impossible numbers in a preamble are malformed") {
  const std::string file = test::composite_bytes();
  const auto refused = [&](const std::function<void(Preamble&)>& change) {
    CHECK(refusal(test::with_preamble(file, change)) == Code::kMalformed);
  };
  constexpr uint64_t kHuge = ~uint64_t{63};
  refused([](Preamble& p) { p.index_offset = kHuge; });
  refused([](Preamble& p) { p.index_offset = 64; });
  refused([](Preamble& p) { p.index_offset += 1; });
  refused([](Preamble& p) { p.index_length = kHuge; });
  refused([](Preamble& p) { p.index_length = ~uint64_t{0}; });
  refused([](Preamble& p) { p.file_length += 1; });
  refused([](Preamble& p) { p.file_length -= 1; });
  refused([](Preamble& p) { p.file_length = ~uint64_t{0}; });
  refused([](Preamble& p) { p.directory_offset = kHuge; });
  refused([](Preamble& p) { p.directory_offset = 128; });
  refused([](Preamble& p) { p.directory_offset += 64; });
  refused([](Preamble& p) { p.directory_length += 1; });
  refused([](Preamble& p) { p.directory_length -= 56; });
  refused([](Preamble& p) { p.directory_length = ~uint64_t{0} / 56 * 56; });
}

TEST_CASE("another major version is unavailable, a newer minor version is read") {
  const std::string file = test::encoder_bytes();
  CHECK(refusal(test::with_preamble(file, [](Preamble& p) { p.major = 2; })) == Code::kUnavailable);
  const std::string minor = test::with_preamble(file, [](Preamble& p) { p.minor = 9; });
  const Result<Preamble> preamble = decode_preamble(as_bytes(minor));
  REQUIRE(preamble.ok());
  CHECK(preamble->minor == 9);
}

TEST_CASE("a trailer directory that is out of order, has holes or unknown bits is refused") {
  const std::string file = test::composite_bytes();
  const auto with_directory = [&](const std::function<void(std::vector<TrailerEntry>&)>& change, size_t patch = 0) {
    Preamble preamble = test::preamble_of(file);
    std::vector<TrailerEntry> entries = *decode_directory(as_bytes(file), preamble);
    REQUIRE(entries.size() == 4);
    change(entries);
    std::string directory = encode_directory(entries);
    if (patch != 0) directory[patch] = 1;
    std::string out = file.substr(0, preamble.directory_offset) + directory;
    preamble.directory_length = directory.size();
    preamble.directory_digest = sha256(as_bytes(directory));
    preamble.file_length = out.size();
    out = encode_preamble(preamble) + out.substr(128);
    const Result<Preamble> again = decode_preamble(as_bytes(out));
    REQUIRE(again.ok());
    return decode_directory(as_bytes(out), *again);
  };
  using Entries = std::vector<TrailerEntry>;
  CHECK(with_directory([](Entries&) {}).ok());
  CHECK(!with_directory([](Entries& e) { std::swap(e[0], e[1]); }).ok());
  CHECK(!with_directory([](Entries& e) { e[1].kind = e[0].kind; }).ok());
  CHECK(!with_directory([](Entries& e) { e[0].kind = TrailerKind::kInvalid; }).ok());
  CHECK(!with_directory([](Entries& e) { e[1].offset += 64; }).ok());
  CHECK(!with_directory([](Entries& e) { e[1].offset = e[0].offset; }).ok());
  CHECK(!with_directory([](Entries& e) { e[3].length = ~uint64_t{0}; }).ok());
  CHECK(!with_directory([](Entries& e) { e[3].length += 64; }).ok());
  CHECK(!with_directory([](Entries& e) { e.erase(e.begin()); }).ok());
  CHECK(!with_directory([](Entries&) {}, 4).ok());
  CHECK(with_directory([](Entries& e) { e[3].kind = static_cast<TrailerKind>(77); }).ok());
}
