// Digests against published vectors: FIPS 180-2 for SHA-256, xxHash's own sanity values for XXH3.
#include "formats/base/digest.h"

#include <doctest/doctest.h>

#include <string>

#include "formats/base/both_digests.h"

namespace modnet {
namespace {

TEST_CASE("sha256 gives the published values") {
  CHECK(hex(sha256({})) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256(as_bytes("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex(sha256(as_bytes(std::string(1'000'000, 'a')))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("a streamed digest does not depend on how the bytes were cut") {
  const std::string text(100'000, 'x');
  Sha256 whole, pieces;
  whole.update(as_bytes(text));
  for (size_t at = 0; at < text.size(); at += 777) pieces.update(as_bytes(std::string_view(text).substr(at, 777)));
  const Digest expected = whole.finish();
  CHECK(pieces.finish() == expected);
  CHECK(sha256(as_bytes(text)) == expected);
}

TEST_CASE("xxh3 gives the published values for no bytes") {
  CHECK(xxh3_64({}) == 0x2d06800538d394c2u);
  CHECK(hex(xxh3_128({})) == "99aa06d3014798d86001c324468d497f");
}

TEST_CASE("both digests of one pass are those of two") {
  std::string text;
  for (const size_t size : {0, 1, 240, 241, 65535, 65536, 65537, 200'003}) {
    while (text.size() < size) text += static_cast<char>(text.size() * 131 % 251);
    const Bytes bytes = as_bytes(std::string_view(text).substr(0, size));
    const BothDigests both = xxh3_and_sha256(bytes);
    CHECK(both.xxh3 == xxh3_128(bytes));
    CHECK(both.sha256 == sha256(bytes));
  }
}

TEST_CASE("hex and digests convert both ways, and only 64 lower-case digits are a digest") {
  const Digest digest = sha256(as_bytes("abc"));
  CHECK(digest_from_hex(hex(digest)).value() == digest);
  CHECK_FALSE(digest_from_hex(hex(digest).substr(1)).has_value());
  CHECK_FALSE(digest_from_hex(std::string(63, '0') + "g").has_value());
  CHECK_FALSE(digest_from_hex(std::string(63, '0') + "A").has_value());
  CHECK(is_zero(Digest{}));
  CHECK_FALSE(is_zero(digest));
}

TEST_CASE("a domain hash is the hash of its length-prefixed fields") {
  using std::string_literals::operator""s;
  const std::string plain = "\4\0\0\0\0\0\0\0word\2\0\0\0\0\0\0\0ab\x8\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0"s;
  CHECK(DomainHash("word").text("ab").number(5).finish() == sha256(as_bytes(plain)));
}

TEST_CASE("no two lists of fields share a domain hash by moving a boundary") {
  const Digest ab_c = DomainHash("d").text("ab").text("c").finish();
  CHECK(DomainHash("d").text("a").text("bc").finish() != ab_c);
  CHECK(DomainHash("d").text("abc").finish() != ab_c);
  CHECK(DomainHash("da").text("b").text("c").finish() != ab_c);
  CHECK(DomainHash("d").real(0.0).finish() != DomainHash("d").real(-0.0).finish());
}

}  // namespace
}  // namespace modnet
