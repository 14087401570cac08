// What a module is, as numbers: digests over records in a fixed field order, never over FlatBuffer bytes
// (modnet-module.5, DIGESTS; DESIGN section 4). Each is a DomainHash: domain word, then length-prefixed fields.
// Tested by tests/unit/module/digests_test.cc and recomputed by tests/golden/read_module.py.
#pragma once

#include <string_view>
#include <vector>

#include "formats/base/digest.h"
#include "formats/module/records.h"

namespace modnet {

/// "modnet.graph.v1": inputs, outputs, nodes (without their names), taps. No port records.
[[nodiscard]] Digest graph_digest(const Graph& graph);

/// Adds one attribute of a node to a digest, as graph_digest does.
void hash_attribute(DomainHash* hash, const Attribute& attribute);

/// "modnet.body.v1": kind, graph, and the sorted lists of tensors (name, dtype, shape, raw digest), assets (name, raw
/// digest) and components (slot, content). Uses no other field of the records; any order of the lists is accepted.
[[nodiscard]] Digest body_digest(Kind kind, const Graph& graph, const std::vector<TensorRecord>& tensors,
                                 const std::vector<AssetRecord>& assets,
                                 const std::vector<ComponentRecord>& components);
[[nodiscard]] Digest body_digest(const ModuleIndex& index);

/// "modnet.contract.v1": every field of every port (fingerprints among them) and of the requirements.
[[nodiscard]] Digest contract_digest(const Contract& contract);

/// "modnet.content.v1": contract, body.
[[nodiscard]] Digest content_digest(const Digest& contract, const Digest& body);
[[nodiscard]] Digest content_digest(const ModuleIndex& index);

/// "modnet.space.v1": the fingerprint of an embedding space. `preparation` is the digest of the preparation that the
/// module requires (zero: none), `tap` the graph value of the port. Of the dims only fixed sizes count, a symbol is 0:
/// length limits and names of symbols do not change a space.
[[nodiscard]] Digest space_fingerprint(const Digest& body, const Digest& preparation, std::string_view tap,
                                       Pooling pooling, bool normalized, const std::vector<Dim>& dims);
/// The fingerprint that an output port with a space record must have in a module of its own (not a head, not a
/// composite): tap = port.value, preparation = that of the first input port that has one.
[[nodiscard]] Digest port_fingerprint(const Digest& body, const Contract& contract, const Port& port);

/// "modnet.probes.v1": count, inputs, outputs with their bytes. The source's name does not count.
[[nodiscard]] Digest probes_digest(const Probes& probes);

}  // namespace modnet
