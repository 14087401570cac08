// Changing what a module file says beside its content: trailers, and the identity in its index. Segments are copied as
// they lie, so the content digest and every byte of payload stay; only what is changed is written anew. `sign` and `card`
// are made of it. Tested by tests/unit/module/edit_test.cc.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "formats/base/file.h"
#include "formats/base/output.h"
#include "formats/base/result.h"
#include "formats/module/read.h"
#include "formats/module/records.h"

namespace modnet {

/// Trailers to write; no bytes take one away. Those that are not named stay, also of kinds that this build does not know.
using TrailerChanges = std::map<TrailerKind, std::string>;

/// Writes `view` to a fresh output with other trailers and, where one is given, another identity (name, version, licence,
/// lineage; the kind is content and must stay). The bytes of `view` must lie in `file`: the whole of it, or a component.
/// Everything else is copied by ranges, unread and unverified: damage goes along, so verify first where that matters.
/// Without an identity the index is copied, too. The same module and changes give the same bytes. The caller commits.
/// A module that has signatures: `changes` must name them (kInvalid, id "SIGNED"), because they cover everything else;
/// no bytes drop them.
/// kInvalid: a kind that changes, an identity that readers would refuse, a trailer of kind 0.
[[nodiscard]] Result<ModuleDigests> rewrite_trailers(const ModuleView& view, const MappedFile& file,
                                                     const TrailerChanges& changes,
                                                     const std::optional<Identity>& identity, Output& output);
/// The whole file in memory: tests and small modules.
[[nodiscard]] Result<std::string> rewrite_trailers_to_memory(const ModuleView& view, const TrailerChanges& changes,
                                                             const std::optional<Identity>& identity = std::nullopt);

}  // namespace modnet
