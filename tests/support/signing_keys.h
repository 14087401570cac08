// Keys for tests, made from their seeds: the same ones every time, of no use to anybody.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "formats/base/ed25519.h"
#include "formats/base/text.h"

namespace modnet::test {

[[nodiscard]] inline std::string pem(const std::string& label, const std::string& base64) {
  return "-----BEGIN " + label + "-----\n" + base64 + "\n-----END " + label + "-----\n";
}
/// PKCS#8 (RFC 8410) around a seed of 32 bytes, as openssl genpkey writes it.
[[nodiscard]] inline std::string private_pem(const std::string& seed) {
  std::string der("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16);
  der += seed;
  return pem("PRIVATE KEY", base64_encode(as_bytes(der)));
}
/// SubjectPublicKeyInfo, as openssl pkey -pubout writes it.
[[nodiscard]] inline std::string public_pem(const PublicKey& key) {
  std::string der("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00", 12);
  der.append(reinterpret_cast<const char*>(key.data()), key.size());
  return pem("PUBLIC KEY", base64_encode(as_bytes(der)));
}
/// The key whose seed is 32 times the byte `number`.
[[nodiscard]] inline SigningKey signing_key(uint8_t number) {
  Result<SigningKey> key = signing_key_from_pem(private_pem(std::string(32, static_cast<char>(number))));
  if (!key.ok()) std::abort();
  return std::move(key).value();
}

}  // namespace modnet::test
