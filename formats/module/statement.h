// What a signature says: one digest over everything in a module that somebody may rely on, and the line of text that is
// signed (modnet-module.5, SIGNATURES). It is taken over values, so the same module with another compression or another
// encoding of its index makes the same statement; signatures themselves are left out, so that several people can sign.
// Tested by tests/unit/module/signatures_test.cc and recomputed by tests/golden/read_module.py.
#pragma once

#include <cstdint>
#include <string>

#include "formats/base/digest.h"
#include "formats/module/read.h"

namespace modnet {

/// On disk with every signature; another list of fields gets another number.
inline constexpr uint32_t kStatementVersion = 1;

/// "modnet.statement.v1": format major, kind, name, version, licence, contract, content, every trailer but signatures
/// (kind, SHA-256), lineage, features, components (slot, file digest), media types of assets, names of nodes.
[[nodiscard]] Digest statement_digest(const ModuleView& view);
/// The bytes that are signed: "modnet.statement.v1 sha256:HEX\n".
[[nodiscard]] std::string statement_text(const Digest& digest);

}  // namespace modnet
