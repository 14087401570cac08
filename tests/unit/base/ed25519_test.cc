// Ed25519: the vectors of RFC 8032, keys as OpenSSL writes them, and refusals that name what they got.
#include "formats/base/ed25519.h"

#include <doctest/doctest.h>

#include "formats/base/text.h"
#include "tests/support/signing_keys.h"
#include "tests/support/temp_dir.h"

using namespace modnet;

namespace {
std::string raw(std::string_view digits) {
  std::string out;
  for (size_t i = 0; i < digits.size(); i += 2) out += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return out;
}

// openssl genpkey -algorithm x25519
const std::string kX25519 = test::pem("PRIVATE KEY", "MC4CAQAwBQYDK2VuBCIEIOi2gY8SiMzIiVJTIJ1ec196TM7M0Bm1Y6KSHPVxVw1c");
// openssl genpkey -algorithm ed25519 -aes-256-cbc -pass pass:geheim
const std::string kEncrypted = test::pem("ENCRYPTED PRIVATE KEY",
                                         "MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhDD01t0+I/HQICCAAw\n"
                                         "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEGqzJpa+nQ+ed4DClHMqzpYEQEzp\n"
                                         "Tf7crSFYueWN5xsGE0TzQWmSjS63SWtW7pq6B7QsvS7TALiBSWAob9VNq8SKku5x\n"
                                         "KP4HHIxTDdQaqdQ3vF4=");
constexpr std::string_view kEncryptedId = "02f156fb013d7f95";
}  // namespace

TEST_CASE("signatures are those of RFC 8032, section 7.1") {
  const struct {
    std::string_view seed, key, message, signature;
  } cases[] = {
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246551"
       "41438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d"
       "291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027"
       "beceea1ec40a"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.message);
    const Result<SigningKey> key = signing_key_from_pem(test::private_pem(raw(one.seed)));
    REQUIRE(key.ok());
    CHECK(hex(key->public_key()) == one.key);
    const std::string message = raw(one.message);
    const Result<Signature> signature = key->sign(as_bytes(message));
    REQUIRE(signature.ok());
    CHECK(hex(*signature) == one.signature);
    CHECK(*verify_signature(key->public_key(), as_bytes(message), *signature));
    CHECK(!*verify_signature(key->public_key(), as_bytes(message + "x"), *signature));
    const Result<PublicKey> other = public_key_from_pem(test::public_pem(key->public_key()));
    REQUIRE(other.ok());
    CHECK(*other == key->public_key());
  }
}

TEST_CASE("a changed bit in key or signature makes it worthless") {
  const SigningKey key = test::signing_key(1);
  const std::string message = "what was said";
  const Signature good = *key.sign(as_bytes(message));
  for (size_t bit = 0; bit < 8 * good.size(); bit += 7) {
    Signature bad = good;
    bad[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    CHECK(!*verify_signature(key.public_key(), as_bytes(message), bad));
  }
  for (size_t bit = 0; bit < 8 * 32; bit += 7) {
    PublicKey bad = key.public_key();
    bad[bit / 8] ^= static_cast<uint8_t>(1 << (bit % 8));
    CHECK(!*verify_signature(bad, as_bytes(message), good));
  }
  // The same signature with S + L, which a careless reader takes as well (RFC 8032, 5.1.7).
  const std::string order = raw("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  Signature malleable = good;
  int carry = 0;
  for (size_t i = 0; i < 32; ++i) {
    carry += malleable[32 + i] + static_cast<uint8_t>(order[i]);
    malleable[32 + i] = static_cast<uint8_t>(carry);
    carry >>= 8;
  }
  CHECK(!*verify_signature(key.public_key(), as_bytes(message), malleable));
}

TEST_CASE("a key's id is the beginning of the SHA-256 of its 32 bytes") {
  const PublicKey key = test::signing_key(1).public_key();
  CHECK(key_id(key).size() == 16);
  CHECK(hex(key_digest(key)).starts_with(key_id(key)));
  CHECK(hex(sha256({reinterpret_cast<const std::byte*>(key.data()), 32})) == hex(key_digest(key)));
}

TEST_CASE("an encrypted key opens with its passphrase only") {
  const Result<SigningKey> key = signing_key_from_pem(kEncrypted, std::string("geheim"));
  REQUIRE(key.ok());
  CHECK(key_id(key->public_key()) == kEncryptedId);
  const Result<SigningKey> none = signing_key_from_pem(kEncrypted);
  REQUIRE(!none.ok());
  CHECK(none.error().code == Code::kUsage);
  CHECK(none.error().id == "KEY_PASSPHRASE");
  for (const std::string& wrong : {std::string("falsch"), std::string(), std::string(5000, 'x')}) {
    const Result<SigningKey> refused = signing_key_from_pem(kEncrypted, wrong);
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Code::kInvalid);
    CHECK(refused.error().id == "KEY_PASSPHRASE");
  }
}

TEST_CASE("keys of other types and other PEM blocks are refused by name") {
  const auto reason = [](std::string_view pem) {
    const Result<SigningKey> key = signing_key_from_pem(pem);
    REQUIRE(!key.ok());
    CHECK(!key.error().fix.empty());
    return key.error().id + ": " + key.error().what;
  };
  CHECK(reason(kX25519) == "KEY_TYPE: a key of type X25519; expected ED25519");
  const std::string public_pem = test::public_pem(test::signing_key(1).public_key());
  CHECK(reason(public_pem) == "KEY_TYPE: holds 'PUBLIC KEY'; expected 'PRIVATE KEY' of type ED25519");
  CHECK(reason("-----BEGIN OPENSSH PRIVATE KEY-----\n") ==
        "KEY_TYPE: holds 'OPENSSH PRIVATE KEY'; expected 'PRIVATE KEY' of type ED25519");
  CHECK(reason("") == "KEY: not a PEM file; expected '-----BEGIN PRIVATE KEY-----'");
  CHECK(reason("-----BEGIN PRIVATE KEY") == "KEY: not a PEM file; expected '-----BEGIN PRIVATE KEY-----'");
  CHECK(reason("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n") ==
        "KEY: the PEM block does not hold a private key");
  CHECK(reason(public_pem + public_pem) == "KEY: more than one PEM block; expected one");
  const Result<PublicKey> key = public_key_from_pem(test::private_pem(std::string(32, 'a')));
  REQUIRE(!key.ok());
  CHECK(key.error().what == "holds 'PRIVATE KEY'; expected 'PUBLIC KEY' of type ED25519");
  std::string cut = public_pem;
  cut.erase(40, 8);
  CHECK(public_key_from_pem(cut).error().id == "KEY");
}

TEST_CASE("errors of key files name the file; a missing one is unreadable") {
  const test::TempDir dir;
  const Result<SigningKey> missing = read_signing_key(dir / "none.pem");
  REQUIRE(!missing.ok());
  CHECK(missing.error().code == Code::kUnreadable);
  CHECK(missing.error().file == dir / "none.pem");
  const Result<PublicKey> bad = read_public_key(dir.write("bad.pem", "text"));
  REQUIRE(!bad.ok());
  CHECK(bad.error().file == dir / "bad.pem");
  CHECK(!read_public_key(dir.write("big.pem", std::string(70000, 'x'))).ok());
  const Result<PublicKey> good = read_public_key(dir.write("good.pem", test::public_pem(test::signing_key(2).public_key())));
  REQUIRE(good.ok());
  CHECK(*good == test::signing_key(2).public_key());
}
