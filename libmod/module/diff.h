// What is different between two modules, as data: contract, tensors, graph, assets, components, then what is not content: card,
// other trailers, identity, layout. Decided by digests, so the payload of what is equal is never read.
// Tested by tests/unit/module_rules/diff_test.cc; printed by commands/diff.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/read.h"
#include "libmod/module/asset_diff.h"
#include "libmod/module/field_diff.h"
#include "libmod/module/graph_diff.h"
#include "libmod/module/tensor_diff.h"

namespace modnet {

enum class Statistics : uint8_t { kNo, kYes };

/// A trailer that is on one side only, or has other bytes.
struct TrailerChange {
  TrailerKind kind = TrailerKind::kInvalid;
  std::optional<TrailerEntry> before, after;
};

/// Tensors and assets of equal content that are stored in another way.
struct Recoding {
  Codec before = Codec::kInvalid, after = Codec::kInvalid;
  int64_t segments = 0;
  uint64_t bytes_before = 0, bytes_after = 0;  // stored
};

struct ModuleDiff;

/// A slot whose component differs. kRenamed: the same content in another slot.
struct ComponentChange {
  Change change = Change::kChanged;
  std::optional<ComponentRecord> before, after;
  std::unique_ptr<ModuleDiff> inside;  // kChanged; also where only the file differs and the content is the same
  std::string shown_at;                // kChanged, instead of `inside`: the slots of an equal pair that was compared before
};

struct ModuleDiff {
  Kind kind_before = Kind::kInvalid, kind_after = Kind::kInvalid;
  ModuleDigests before, after;
  std::vector<FieldChange> contract;  // "inputs.NAME.FIELD", "outputs.NAME.FIELD", "requirements.FIELD"
  TensorDiff tensors;
  GraphDiff graph;
  std::vector<AssetChange> assets;
  std::vector<ComponentChange> components;  // in the order of the slots
  int64_t equal_components = 0;             // slots whose component file is the same
  std::vector<FieldChange> identity;        // kind, name, version, licence, lineage
  std::vector<FieldChange> card;            // where both cards are JSON
  std::vector<LineChange> card_lines;       // where they are not, or no field differs
  std::vector<TrailerChange> trailers;      // the card's, too
  std::vector<FieldChange> layout;          // format, features, media types, names of nodes, bytes of the index
  std::vector<Recoding> recodings;

  [[nodiscard]] bool same_file() const { return before.file == after.file; }
  [[nodiscard]] bool same_content() const { return before.content == after.content; }
};

/// Equal files are not looked into. kDigest: something that has to be read (a changed asset, a card, a component's index; with
/// kYes a changed tensor) is damaged. kUnavailable: more than 4,096 different pairs of components.
[[nodiscard]] Result<ModuleDiff> diff_modules(const ModuleView& before, const ModuleView& after, Statistics statistics,
                                              const SideNames& names = {});

/// The contract's part alone.
[[nodiscard]] std::vector<FieldChange> diff_contracts(const Contract& before, const Contract& after);

}  // namespace modnet
