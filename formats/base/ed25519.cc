#include "formats/base/ed25519.h"

#include <cstring>
#include <utility>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "formats/base/file.h"
#include "formats/base/shared_library.h"

namespace modnet {
namespace {

constexpr int64_t kMaxKeyBytes = 64 << 10;
constexpr std::string_view kBegin = "-----BEGIN ";
constexpr const char* kMake = "make one with: openssl genpkey -algorithm ed25519 -out KEY.pem";
constexpr const char* kMakePublic = "make one with: openssl pkey -in KEY.pem -pubout -out PUB.pem";

// The functions of libcrypto that are used. The library is opened when the first key is read: its tables are 17,000 relocations,
// a third of the time of a command that needs no key.
#define MODNET_CRYPTO_FUNCTIONS(EACH)                                                                                          \
  EACH(BIO_free) EACH(BIO_new_mem_buf) EACH(ERR_clear_error) EACH(EVP_DigestSign) EACH(EVP_DigestSignInit_ex)                  \
  EACH(EVP_DigestVerify) EACH(EVP_DigestVerifyInit_ex) EACH(EVP_MD_CTX_free) EACH(EVP_MD_CTX_new) EACH(EVP_PKEY_free)          \
  EACH(EVP_PKEY_get0_type_name) EACH(EVP_PKEY_get_raw_public_key) EACH(EVP_PKEY_is_a) EACH(EVP_PKEY_new_raw_public_key_ex)     \
  EACH(OSSL_LIB_CTX_new) EACH(PEM_read_bio_PUBKEY_ex) EACH(PEM_read_bio_PrivateKey_ex)

struct Crypto {
#define MODNET_MEMBER(name) decltype(&::name) name = nullptr;
  MODNET_CRYPTO_FUNCTIONS(MODNET_MEMBER)
#undef MODNET_MEMBER
  /// A context of our own: no configuration file is read, and none can bring in other algorithms.
  OSSL_LIB_CTX* context = nullptr;
  std::string missing;  // why the library cannot be used; empty when it can
};

Crypto open_crypto() {
  Crypto out;
  SharedLibrary library("libcrypto.so." + std::to_string(OPENSSL_VERSION_MAJOR));
#define MODNET_FIND(name) library.find(#name, out.name);
  MODNET_CRYPTO_FUNCTIONS(MODNET_FIND)
#undef MODNET_FIND
  out.missing = library.missing();
  if (out.missing.empty()) out.context = out.OSSL_LIB_CTX_new();
  return out;
}

const Crypto& crypto() {
  static const Crypto functions = open_crypto();
  return functions;
}

/// Before anything else is called.
Status need_crypto() {
  if (crypto().missing.empty()) return ok();
  return Error{Code::kUnavailable, "OPENSSL", crypto().missing, {}, {}, "install OpenSSL's library: keys and signatures need it"};
}

struct Free {
  void operator()(EVP_PKEY* p) const { crypto().EVP_PKEY_free(p); }
  void operator()(EVP_MD_CTX* p) const { crypto().EVP_MD_CTX_free(p); }
  void operator()(BIO* p) const { crypto().BIO_free(p); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;

Error key_error(std::string what, std::string fix) {
  return Error{Code::kMalformed, "KEY", std::move(what), {}, {}, std::move(fix)};
}
Error openssl_error(std::string_view doing) {
  crypto().ERR_clear_error();
  return Error{Code::kUnavailable, "OPENSSL", std::string(doing) + " failed in libcrypto", {}, {}, {}};
}

/// The word between BEGIN and the dashes of the only PEM block.
Result<std::string> label_of(std::string_view pem, const std::string& expected, const char* fix) {
  const size_t begin = pem.find(kBegin);
  const size_t end = begin == std::string_view::npos ? begin : pem.find("-----", begin + kBegin.size());
  if (end == std::string_view::npos || end - begin > 80)
    return key_error("not a PEM file; expected '-----BEGIN " + expected + "-----'", fix);
  if (pem.find(kBegin, end) != std::string_view::npos)
    return key_error("more than one PEM block; expected one", "split the file");
  return std::string(pem.substr(begin + kBegin.size(), end - begin - kBegin.size()));
}

Status check_type(const EVP_PKEY* key, const char* fix) {
  if (crypto().EVP_PKEY_is_a(key, "ED25519") == 1) return ok();
  const char* name = crypto().EVP_PKEY_get0_type_name(key);
  return Error{Code::kInvalid,
               "KEY_TYPE",
               "a key of type " + std::string(name == nullptr ? "unknown" : name) + "; expected ED25519",
               {},
               {},
               fix};
}

Error other_block(const std::string& label, const std::string& expected, const char* fix) {
  return Error{
      Code::kInvalid, "KEY_TYPE", "holds '" + label + "'; expected '" + expected + "' of type ED25519", {}, {}, fix};
}

struct Passphrase {
  const std::optional<std::string>* text;
  bool asked = false;
};
int give_passphrase(char* buffer, int size, int, void* data) {
  auto* passphrase = static_cast<Passphrase*>(data);
  passphrase->asked = true;
  const std::optional<std::string>& text = *passphrase->text;
  if (!text || text->size() > static_cast<size_t>(size)) return -1;
  std::memcpy(buffer, text->data(), text->size());
  return static_cast<int>(text->size());
}

Result<PublicKey> raw_public(const EVP_PKEY* key) {
  PublicKey out{};
  size_t size = out.size();
  if (crypto().EVP_PKEY_get_raw_public_key(key, out.data(), &size) != 1 || size != out.size())
    return openssl_error("reading a key");
  return out;
}

template <typename Parse>
auto read_pem(const std::string& path, Parse parse) -> decltype(parse(std::string_view())) {
  const std::string name = path == "-" ? "(standard input)" : path;
  Result<std::string> text = read_file(path, kMaxKeyBytes);
  if (!text.ok()) return std::move(text).error().in_file(name);
  auto out = parse(std::string_view(*text));
  explicit_bzero(text->data(), text->size());
  if (!out.ok()) return std::move(out).error().in_file(name);
  return out;
}

}  // namespace

struct SigningKey::State {
  Key key;
};
SigningKey::SigningKey(std::unique_ptr<State> state, const PublicKey& key) : state_(std::move(state)), public_(key) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

Digest key_digest(const PublicKey& key) { return sha256({reinterpret_cast<const std::byte*>(key.data()), key.size()}); }
std::string key_id(const PublicKey& key) { return hex(key_digest(key)).substr(0, 16); }

Result<Signature> SigningKey::sign(Bytes message) const {
  const std::unique_ptr<EVP_MD_CTX, Free> context(crypto().EVP_MD_CTX_new());
  Signature out{};
  size_t size = out.size();
  if (context == nullptr ||
      crypto().EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, crypto().context, nullptr, state_->key.get(), nullptr) != 1 ||
      crypto().EVP_DigestSign(context.get(), out.data(), &size, reinterpret_cast<const unsigned char*>(message.data()),
                     message.size()) != 1 ||
      size != out.size())
    return openssl_error("signing");
  return out;
}

Result<SigningKey> signing_key_from_pem(std::string_view pem, const std::optional<std::string>& passphrase) {
  MODNET_ASSIGN(const std::string label, label_of(pem, "PRIVATE KEY", kMake));
  if (label != "PRIVATE KEY" && label != "ENCRYPTED PRIVATE KEY") return other_block(label, "PRIVATE KEY", kMake);
  MODNET_TRY(need_crypto());
  const std::unique_ptr<BIO, Free> source(crypto().BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Passphrase asked{&passphrase};
  Key key(crypto().PEM_read_bio_PrivateKey_ex(source.get(), nullptr, give_passphrase, &asked, crypto().context, nullptr));
  crypto().ERR_clear_error();
  if (key == nullptr) {
    if (asked.asked && !passphrase)
      return Error{Code::kUsage,
                   "KEY_PASSPHRASE",
                   "the key is encrypted, and there is no passphrase",
                   {},
                   {},
                   "use --passphrase-env NAME or --passphrase-file FILE"};
    if (asked.asked) return Error{Code::kInvalid, "KEY_PASSPHRASE", "the passphrase does not open the key", {}, {}, {}};
    return key_error("the PEM block does not hold a private key", kMake);
  }
  MODNET_TRY(check_type(key.get(), kMake));
  MODNET_ASSIGN(const PublicKey public_key, raw_public(key.get()));
  return SigningKey(std::make_unique<SigningKey::State>(SigningKey::State{std::move(key)}), public_key);
}

Result<PublicKey> public_key_from_pem(std::string_view pem) {
  MODNET_ASSIGN(const std::string label, label_of(pem, "PUBLIC KEY", kMakePublic));
  if (label != "PUBLIC KEY") return other_block(label, "PUBLIC KEY", kMakePublic);
  MODNET_TRY(need_crypto());
  const std::unique_ptr<BIO, Free> source(crypto().BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Key key(crypto().PEM_read_bio_PUBKEY_ex(source.get(), nullptr, nullptr, nullptr, crypto().context, nullptr));
  crypto().ERR_clear_error();
  if (key == nullptr) return key_error("the PEM block does not hold a public key", kMakePublic);
  MODNET_TRY(check_type(key.get(), kMakePublic));
  return raw_public(key.get());
}

Result<SigningKey> read_signing_key(const std::string& path, const std::optional<std::string>& passphrase) {
  return read_pem(path, [&](std::string_view pem) { return signing_key_from_pem(pem, passphrase); });
}
Result<PublicKey> read_public_key(const std::string& path) {
  return read_pem(path, [](std::string_view pem) { return public_key_from_pem(pem); });
}

Result<bool> verify_signature(const PublicKey& key, Bytes message, const Signature& signature) {
  MODNET_TRY(need_crypto());
  const Key pkey(crypto().EVP_PKEY_new_raw_public_key_ex(crypto().context, "ED25519", nullptr, key.data(), key.size()));
  const std::unique_ptr<EVP_MD_CTX, Free> context(crypto().EVP_MD_CTX_new());
  const bool good =
      pkey != nullptr && context != nullptr &&
      crypto().EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, crypto().context, nullptr, pkey.get(), nullptr) == 1 &&
      crypto().EVP_DigestVerify(context.get(), signature.data(), signature.size(),
                       reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
  crypto().ERR_clear_error();
  return good;
}

}  // namespace modnet
