// Who vouches for a module, and is that enough? A policy is data: named keys, and what modules of each kind must show. A
// key that the policy does not name is worth nothing, however right its signature is.
// This reads index and trailers only; that the payload is what the index says is for verify_module() to find out.
// Tested by tests/unit/module_rules/trust_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/base/ed25519.h"
#include "formats/base/result.h"
#include "formats/module/read.h"
#include "formats/module/records.h"

namespace modnet {

struct TrustedKey {
  std::string name;  // as the policy calls it
  PublicKey key{};
};

/// What modules of one kind must show. Empty: nothing.
struct TrustDemand {
  std::vector<std::string> all = {};  // every one of these keys must have signed
  std::vector<std::string> any = {};  // at least one of these
  bool components = false;       // each component must fulfil the policy for its own kind, too
  bool signed_evidence = false;  // recorded evidence counts only under a signature of a named key
};

struct TrustPolicy {
  std::vector<TrustedKey> keys;
  std::map<Kind, TrustDemand> kinds;
  std::optional<TrustDemand> others;  // kinds that are not listed; without it the policy refuses them
};

/// One signature that is there.
struct Signer {
  std::string path;     // "" for the module itself, "backbone", "inner/backbone" for components
  PublicKey key{};
  Signature signature{};
  std::string name;     // of the policy's key; empty: unknown to it
  bool holds = false;   // the signature is one over what the module says
};

struct TrustReport {
  std::vector<Signer> signers;  // the module's by key, then those of components in order of slots, each component once
  /// In order: SIGNATURE (kDigest) for each that does not hold; SIGNATURE_REQUIRED (kNo) for each demand that is not met.
  std::vector<Error> findings;
  /// The module's own recorded evidence is under a signature of a key that the policy names.
  bool evidence_signed = false;
  [[nodiscard]] bool passed() const { return findings.empty(); }
};

/// `policy` null: signatures are listed and checked, nothing is demanded. Errors are those of opening a component or of
/// reading a trailer; they name no file.
[[nodiscard]] Result<TrustReport> check_trust(const ModuleView& view, const TrustPolicy* policy);

}  // namespace modnet
