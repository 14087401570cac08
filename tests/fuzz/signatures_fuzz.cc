// Signatures trailers and key files: each input is taken as both. A trailer that is read is written again to the same
// bytes; a key that is read has an id. The corpus holds a trailer of two signatures and keys as OpenSSL writes them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "formats/module/signatures.h"

using namespace modnet;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const Result<std::vector<SignatureRecord>> records = decode_signatures(bytes);
  if (records.ok()) {
    const Result<std::string> again = encode_signatures(*records);
    if (!again.ok() || *again != as_text(bytes)) std::abort();
    (void)signature_holds(records->front(), Digest{});
  }
  if (const Result<PublicKey> key = public_key_from_pem(as_text(bytes)); key.ok() && key_id(*key).size() != 16)
    std::abort();
  if (const Result<SigningKey> key = signing_key_from_pem(as_text(bytes), std::string("geheim")); key.ok())
    if (!key->sign(bytes).ok()) std::abort();
  return 0;
}
