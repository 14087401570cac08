// Small modules with something of everything: for unit tests, golden files and the fuzz corpus. Built from fixed
// numbers, so their bytes never change.
#pragma once

#include <string>
#include <vector>

#include "formats/module/records.h"
#include "formats/module/write.h"

namespace modnet::test {

/// A contract that uses every record and every field.
[[nodiscard]] Contract full_contract();
/// A graph with two nodes, an absent input, two taps and an attribute of each type.
[[nodiscard]] Graph full_graph();
/// Two ragged items of token ids and their outputs.
[[nodiscard]] Probes sample_probes();
/// Two measurements: of a port, and of a component's port. `fingerprint` is the first one's.
[[nodiscard]] std::vector<EvidenceRecord> sample_evidence(const Digest& fingerprint);

/// "encoder": one asset. "backbone": a tensor of every dtype, one of them empty, one of rank 0.
[[nodiscard]] std::string encoder_bytes();
[[nodiscard]] std::string backbone_bytes(Compression compression = {});
/// A head with every contract record, probes that it names, and lineage.
[[nodiscard]] std::string head_bytes();
/// A tensor of 1.5 MiB in two chunks, the first of which compresses well, and an asset.
[[nodiscard]] std::string chunked_bytes(Compression compression);
/// The same module with signatures of these keys (tests/support/signing_keys.h) and no others.
[[nodiscard]] std::string signed_by(const std::string& file, const std::vector<uint8_t>& keys);
/// encoder, backbone and a head in two slots that share one range; all four kinds of trailers, signed by keys 1 and 2.
[[nodiscard]] std::string composite_bytes();
/// A backbone as `convert` leaves it: f16 and bf16 weights, the root and probes of another, evidence and lineage.
[[nodiscard]] std::string converted_bytes();
/// A composite that holds composite_bytes() and an optional feature.
[[nodiscard]] std::string nested_bytes();

struct Golden {
  std::string name;  // of the file, without ".mnet"
  std::string bytes;
  bool compressed = false;  // bytes are promised for one zstd version only
};
/// Every golden file, as this build writes it.
[[nodiscard]] std::vector<Golden> golden_modules();

}  // namespace modnet::test
