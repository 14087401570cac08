#include "formats/base/digest.h"

#include <bit>
#include <cstring>

#include <openssl/evp.h>
#define XXH_INLINE_ALL 1
#include <xxhash.h>

namespace modnet {

struct Sha256::State {
  EVP_MD_CTX* context = nullptr;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  static const EVP_MD* const kMethod = EVP_sha256();
  state_->context = EVP_MD_CTX_new();
  if (state_->context == nullptr || EVP_DigestInit_ex(state_->context, kMethod, nullptr) != 1) std::abort();
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(Bytes bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) std::abort();
}

Digest Sha256::finish() {
  Digest out{};
  unsigned length = 0;
  if (EVP_DigestFinal_ex(state_->context, out.data(), &length) != 1 || length != out.size()) std::abort();
  return out;
}

Digest sha256(Bytes bytes) {
  Sha256 sha;
  sha.update(bytes);
  return sha.finish();
}

uint64_t xxh3_64(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Hash128 xxh3_128(Bytes bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  Hash128 out{};
  std::memcpy(out.data(), canonical.digest, out.size());
  return out;
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
