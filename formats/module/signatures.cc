#include "formats/module/signatures.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace modnet {
namespace {

constexpr std::string_view kMagic = "MNSG";
constexpr int64_t kEntryBytes = 104;  // statement version, zero, key, signature

void put(std::string* out, uint32_t value) { out->append(reinterpret_cast<const char*>(&value), sizeof value); }

template <size_t N>
std::array<uint8_t, N> array_of(Bytes bytes) {
  std::array<uint8_t, N> out{};
  std::memcpy(out.data(), bytes.data(), N);
  return out;
}

std::string place(int64_t offset) { return "signatures, byte " + std::to_string(offset); }

}  // namespace

Result<std::string> encode_signatures(std::vector<SignatureRecord> signatures) {
  if (signatures.empty()) return std::string();
  if (static_cast<int64_t>(signatures.size()) > kMaxSignatures) return invalid("more than 1024 signatures");
  std::sort(signatures.begin(), signatures.end(),
            [](const SignatureRecord& a, const SignatureRecord& b) { return a.key < b.key; });
  std::string out(kMagic);
  put(&out, static_cast<uint32_t>(signatures.size()));
  for (size_t i = 0; i < signatures.size(); ++i) {
    if (i > 0 && signatures[i].key == signatures[i - 1].key)
      return invalid("two signatures of the key " + key_id(signatures[i].key));
    put(&out, signatures[i].statement);
    put(&out, 0);
    out.append(reinterpret_cast<const char*>(signatures[i].key.data()), signatures[i].key.size());
    out.append(reinterpret_cast<const char*>(signatures[i].signature.data()), signatures[i].signature.size());
  }
  return out;
}

Result<std::vector<SignatureRecord>> decode_signatures(Bytes bytes) {
  Reader reader(bytes);
  MODNET_ASSIGN(const Bytes magic, reader.take(4, "signatures"));
  if (as_text(magic) != kMagic) return malformed("the signatures trailer does not begin with MNSG", place(0));
  MODNET_ASSIGN(const uint32_t count, reader.number<uint32_t>("number of signatures"));
  if (count == 0 || count > kMaxSignatures)
    return malformed("impossible number of signatures; expected 1 to 1024, got " + std::to_string(count), place(4));
  if (reader.remaining() != kEntryBytes * int64_t{count})
    return malformed("expected " + std::to_string(kEntryBytes * int64_t{count}) + " bytes of " + std::to_string(count) +
                         " signatures, got " + std::to_string(reader.remaining()),
                     place(8));
  std::vector<SignatureRecord> out(count);
  for (size_t i = 0; i < count; ++i) {
    const int64_t at = reader.offset();
    MODNET_ASSIGN(out[i].statement, reader.number<uint32_t>("statement version"));
    MODNET_ASSIGN(const uint32_t zero, reader.number<uint32_t>("reserved"));
    MODNET_ASSIGN(const Bytes key, reader.take(32, "key"));
    MODNET_ASSIGN(const Bytes signature, reader.take(64, "signature"));
    if (out[i].statement == 0 || zero != 0)
      return malformed("signature with statement version 0 or reserved bits set", place(at));
    if (out[i].statement != kStatementVersion)
      return Error{Code::kUnavailable,
                   "STATEMENT_VERSION",
                   "a signature over a statement of version " + std::to_string(out[i].statement) +
                       ", which this build cannot check",
                   place(at),
                   {},
                   "use a newer modnet"};
    out[i].key = array_of<32>(key);
    out[i].signature = array_of<64>(signature);
    if (i > 0 && out[i].key <= out[i - 1].key)
      return malformed("signatures are not sorted by key, or one key occurs twice", place(at));
  }
  return out;
}

Result<std::vector<SignatureRecord>> signatures_of(const ModuleView& view) {
  if (view.find_trailer(TrailerKind::kSignatures) == nullptr) return std::vector<SignatureRecord>{};
  MODNET_ASSIGN(const Bytes bytes, view.trailer(TrailerKind::kSignatures));
  const std::string copy(as_text(bytes));  // steady while it is read
  return decode_signatures(as_bytes(copy));
}

Result<bool> signature_holds(const SignatureRecord& record, const Digest& statement) {
  if (record.statement != kStatementVersion) return false;
  return verify_signature(record.key, as_bytes(statement_text(statement)), record.signature);
}

Result<SignatureRecord> make_signature(const ModuleView& view, const SigningKey& key) {
  const std::string text = statement_text(statement_digest(view));
  SignatureRecord out;
  out.key = key.public_key();
  MODNET_ASSIGN(out.signature, key.sign(as_bytes(text)));
  return out;
}

}  // namespace modnet
