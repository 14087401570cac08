// Ed25519 (RFC 8032) with keys as OpenSSL's programs make them: PEM files, PKCS#8 for private keys and
// SubjectPublicKeyInfo for public ones (RFC 8410). Keys of every other type are refused by name.
// Tested by tests/unit/base/ed25519_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "formats/base/digest.h"
#include "formats/base/reader.h"
#include "formats/base/result.h"

namespace modnet {

using PublicKey = std::array<uint8_t, 32>;
using Signature = std::array<uint8_t, 64>;

/// SHA-256 of the raw public key, and its first 16 hex digits: what people call a key by.
[[nodiscard]] Digest key_digest(const PublicKey& key);
[[nodiscard]] std::string key_id(const PublicKey& key);

/// A private key. Movable; its memory is cleared when it goes.
class SigningKey {
 public:
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();
  [[nodiscard]] const PublicKey& public_key() const { return public_; }
  /// Deterministic: the same key and message give the same bytes. kUnavailable when OpenSSL fails.
  [[nodiscard]] Result<Signature> sign(Bytes message) const;

 private:
  struct State;
  SigningKey(std::unique_ptr<State> state, const PublicKey& key);
  friend Result<SigningKey> signing_key_from_pem(std::string_view, const std::optional<std::string>&);
  std::unique_ptr<State> state_;
  PublicKey public_{};
};

/// "BEGIN PRIVATE KEY" (openssl genpkey -algorithm ed25519) or "BEGIN ENCRYPTED PRIVATE KEY", one block.
/// kMalformed, id KEY: not that; kInvalid, KEY_TYPE: a key of another type, which is named; kUsage, KEY_PASSPHRASE:
/// encrypted and no passphrase; kInvalid, KEY_PASSPHRASE: the passphrase does not open it.
[[nodiscard]] Result<SigningKey> signing_key_from_pem(std::string_view pem,
                                                      const std::optional<std::string>& passphrase = std::nullopt);
/// "BEGIN PUBLIC KEY" (openssl pkey -pubout), one block; errors as above. A private key is refused, too.
[[nodiscard]] Result<PublicKey> public_key_from_pem(std::string_view pem);
/// The same from files of at most 64 KiB ("-": standard input); errors name the file.
[[nodiscard]] Result<SigningKey> read_signing_key(const std::string& path,
                                                  const std::optional<std::string>& passphrase = std::nullopt);
[[nodiscard]] Result<PublicKey> read_public_key(const std::string& path);

/// False for every signature that the key did not make over exactly these bytes. kUnavailable, OPENSSL, without OpenSSL's library,
/// as all functions above that read keys or use them.
[[nodiscard]] Result<bool> verify_signature(const PublicKey& key, Bytes message, const Signature& signature);

}  // namespace modnet
