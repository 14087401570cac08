// SHA-256, XXH3 and the domain-separated hash that every modnet digest is made with (modnet-module.5, DIGESTS).
// Tested by tests/unit/base/digest_test.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/base/reader.h"

namespace modnet {

using Digest = std::array<uint8_t, 32>;   // SHA-256; all zero means "none"
using Hash128 = std::array<uint8_t, 16>;  // XXH3-128, canonical (big-endian) form

[[nodiscard]] Digest sha256(Bytes bytes);
[[nodiscard]] uint64_t xxh3_64(Bytes bytes);
[[nodiscard]] Hash128 xxh3_128(Bytes bytes);

[[nodiscard]] std::string hex(std::span<const uint8_t> bytes);
/// 64 hex digits → digest; nothing for anything else.
[[nodiscard]] std::optional<Digest> digest_from_hex(std::string_view text);
[[nodiscard]] bool is_zero(const Digest& digest);

/// Streaming SHA-256.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(Bytes bytes);
  [[nodiscard]] Digest finish();  // the object is spent afterwards

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// SHA-256 over a domain word and length-prefixed fields: u64 length, bytes, for the word and for each field.
/// Numbers are fields of 8 little-endian bytes. So no two different lists of fields give the same bytes.
class DomainHash {
 public:
  explicit DomainHash(std::string_view domain) { text(domain); }
  DomainHash& text(std::string_view value) { return bytes(as_bytes(value)); }
  DomainHash& bytes(Bytes value);
  DomainHash& number(uint64_t value);
  DomainHash& real(double value);  // the IEEE bits
  DomainHash& digest(const Digest& value);
  [[nodiscard]] Digest finish() { return sha_.finish(); }

 private:
  Sha256 sha_;
};

}  // namespace modnet
