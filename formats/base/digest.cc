#include "formats/base/digest.h"

#include <algorithm>
#include <bit>
#include <cstring>

// The plain functions, not EVP: those load OpenSSL's configuration first, 1.3 ms in a command that needs 3 (inspect).
#define OPENSSL_SUPPRESS_DEPRECATED 1
#include <openssl/sha.h>
#define XXH_INLINE_ALL 1
#include <xxhash.h>

#include "formats/base/both_digests.h"
#include "formats/base/digest_avx2.h"

namespace modnet {

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) { SHA256_Init(&state_->context); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(Bytes bytes) { SHA256_Update(&state_->context, bytes.data(), bytes.size()); }

Digest Sha256::finish() {
  Digest out{};
  SHA256_Final(out.data(), &state_->context);
  return out;
}

Digest sha256(Bytes bytes) {
  Sha256 sha;
  sha.update(bytes);
  return sha.finish();
}

uint64_t xxh3_64(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

namespace {

Hash128 canonical(XXH128_hash_t hash) {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  Hash128 out{};
  std::memcpy(out.data(), bytes.digest, out.size());
  return out;
}

}  // namespace

Hash128 xxh3_128(Bytes bytes) {
#if MODNET_XXH3_AVX2
  constexpr size_t kWorthIt = 256;
  static const bool wide = __builtin_cpu_supports("avx2") != 0;
  if (wide && bytes.size() >= kWorthIt) {
    Hash128 out{};
    modnet_xxh3_128_avx2(bytes.data(), bytes.size(), out.data());
    return out;
  }
#endif
  return canonical(XXH3_128bits(bytes.data(), bytes.size()));
}

BothDigests xxh3_and_sha256(Bytes bytes) {
  constexpr size_t kPiece = size_t{1} << 16;  // stays in the second-level cache between the two
  XXH3_state_t fast;
  XXH3_INITSTATE(&fast);
  XXH3_128bits_reset(&fast);
  Sha256 sha;
  for (size_t at = 0; at < bytes.size(); at += kPiece) {
    const Bytes piece = bytes.subspan(at, std::min(kPiece, bytes.size() - at));
    XXH3_128bits_update(&fast, piece.data(), piece.size());
    sha.update(piece);
  }
  return {canonical(XXH3_128bits_digest(&fast)), sha.finish()};
}

std::string hex(std::span<const uint8_t> bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::optional<Digest> digest_from_hex(std::string_view text) {
  if (text.size() != 64) return std::nullopt;
  Digest out{};
  for (size_t i = 0; i < 64; ++i) {
    const char c = text[i];
    int value = -1;
    if (c >= '0' && c <= '9') value = c - '0';
    if (c >= 'a' && c <= 'f') value = c - 'a' + 10;
    if (value < 0) return std::nullopt;
    out[i / 2] = static_cast<uint8_t>(out[i / 2] << 4 | value);
  }
  return out;
}

bool is_zero(const Digest& digest) { return digest == Digest{}; }

DomainHash& DomainHash::bytes(Bytes value) {
  const uint64_t length = value.size();
  sha_.update({reinterpret_cast<const std::byte*>(&length), sizeof length});
  sha_.update(value);
  return *this;
}
DomainHash& DomainHash::number(uint64_t value) {
  return bytes({reinterpret_cast<const std::byte*>(&value), sizeof value});
}
DomainHash& DomainHash::real(double value) { return number(std::bit_cast<uint64_t>(value)); }
DomainHash& DomainHash::digest(const Digest& value) {
  return bytes({reinterpret_cast<const std::byte*>(value.data()), value.size()});
}

}  // namespace modnet
