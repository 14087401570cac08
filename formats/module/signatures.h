// The signatures trailer: who vouches for a module's statement (modnet-module.5, SIGNATURES). A signature says nothing by
// itself about trust: whose key it is, the caller must know (libmod/module/trust.h).
// Tested by tests/unit/module/signatures_test.cc and tests/fuzz/signatures_fuzz.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/base/ed25519.h"
#include "formats/base/reader.h"
#include "formats/base/result.h"
#include "formats/module/read.h"
#include "formats/module/statement.h"

namespace modnet {

struct SignatureRecord {
  PublicKey key{};
  uint32_t statement = kStatementVersion;
  Signature signature{};
  bool operator==(const SignatureRecord&) const = default;
};

inline constexpr int64_t kMaxSignatures = 1024;

/// Sorted by key, so any order gives the same bytes; no bytes for no signatures. kInvalid: one key twice, or too many.
[[nodiscard]] Result<std::string> encode_signatures(std::vector<SignatureRecord> signatures);
/// 1 to kMaxSignatures records, strictly ascending by key, and nothing else. kMalformed otherwise; kUnavailable, id
/// STATEMENT_VERSION, for a statement that this build does not know.
[[nodiscard]] Result<std::vector<SignatureRecord>> decode_signatures(Bytes bytes);

/// Of a module (not of its components), by key; none is no error. Not compared with the statement.
[[nodiscard]] Result<std::vector<SignatureRecord>> signatures_of(const ModuleView& view);
/// Does the signature's own key really vouch for this statement? kUnavailable where that cannot be computed.
[[nodiscard]] Result<bool> signature_holds(const SignatureRecord& record, const Digest& statement);
/// A signature for the module as it is; the caller has verified that its bytes are what its digests say.
[[nodiscard]] Result<SignatureRecord> make_signature(const ModuleView& view, const SigningKey& key);

}  // namespace modnet
