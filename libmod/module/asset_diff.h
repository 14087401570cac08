// Which assets of two modules differ, by digest, and what is different in those that do: vocabulary entries and merges of a
// tokenizer, fields of other JSON, lines of other text. Only assets whose digests differ are read.
// Tested by tests/unit/module_rules/asset_diff_test.cc and tests/fuzz/asset_diff_fuzz.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/read.h"
#include "libmod/module/field_diff.h"

namespace modnet {

/// One entry of a vocabulary (its id) or of a list of merges (its rank). A merge has moved when its order among the others did.
struct EntryChange {
  Change change = Change::kAdded;  // kAdded, kRemoved, kMoved
  std::string text;                // not escaped
  std::optional<int64_t> before, after;
  bool operator==(const EntryChange&) const = default;
};

enum class AssetForm : uint8_t { kBinary = 1, kText = 2, kJson = 3, kTokenizer = 4 };

/// What is different between two texts: the first form that shows a difference.
struct AssetDetail {
  AssetForm form = AssetForm::kBinary;
  std::vector<EntryChange> vocabulary, merges;  // kTokenizer; in the order of the new side's numbers, removed ones first
  std::vector<FieldChange> fields;              // kTokenizer (all but those two), kJson
  std::vector<LineChange> lines;                // kText
};
[[nodiscard]] AssetDetail diff_asset_bytes(std::string_view before, std::string_view after);

struct AssetSide {
  std::string name;
  uint64_t bytes = 0;
  Digest digest{};
};
struct AssetChange {
  Change change = Change::kChanged;  // kAdded, kRemoved, kChanged, kRenamed (equal bytes)
  std::optional<AssetSide> before, after;
  AssetDetail detail;  // kChanged
};

/// In the order of the names. kDigest: a changed asset that does not match its checksum.
[[nodiscard]] Result<std::vector<AssetChange>> diff_assets(const ModuleView& before, const ModuleView& after, const SideNames& names);

}  // namespace modnet
