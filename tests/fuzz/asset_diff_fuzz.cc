// Differences of assets: each input is two texts with the line "==" between them. A text has no difference to itself; what one
// direction calls added, the other calls removed; a form that shows a difference has one. The corpus holds a tokenizer.json of
// each kind, other JSON, and text.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libmod/module/asset_diff.h"

using namespace modnet;

namespace {

size_t count_of(const std::vector<EntryChange>& entries, Change change) {
  return static_cast<size_t>(std::count_if(entries.begin(), entries.end(), [&](const EntryChange& entry) { return entry.change == change; }));
}

size_t differences(const AssetDetail& detail) {
  return detail.vocabulary.size() + detail.merges.size() + detail.fields.size() + detail.lines.size();
}

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr std::string_view kBetween = "\n==\n";
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t at = std::min(text.find(kBetween), text.size());
  const std::string_view before = text.substr(0, at), after = text.substr(std::min(at + kBetween.size(), size));
  for (const std::string_view one : {before, after}) {
    const AssetDetail none = diff_asset_bytes(one, one);
    require(none.form == AssetForm::kBinary && differences(none) == 0);
  }
  const AssetDetail there = diff_asset_bytes(before, after), back = diff_asset_bytes(after, before);
  require((there.form == AssetForm::kBinary) == (differences(there) == 0));
  require(there.form == back.form);
  require(count_of(there.vocabulary, Change::kAdded) == count_of(back.vocabulary, Change::kRemoved));
  require(count_of(there.merges, Change::kRemoved) == count_of(back.merges, Change::kAdded));
  return 0;
}
