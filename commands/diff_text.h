// How a difference reads: sections of aligned lines, each marked + - ~ or >, cut to what a person reads at once.
// Tested by tests/cli/inspect-diff*.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "commands/console.h"
#include "libmod/module/asset_diff.h"

namespace modnet {

/// '+' only after, '-' only before, '~' other, '>' other name or place, ' ' a remark. `what` and `how` are escaped already.
struct DiffLine {
  char mark = ' ';
  std::string what, how;
};

/// The title in bold, then the lines with `how` in one column; after `most` lines (0: no limit) how many more there are.
[[nodiscard]] std::string diff_section(const Console& console, std::string_view indent, std::string_view title,
                                       const std::vector<DiffLine>& lines, int64_t most);

/// A value for people: escaped, digests to twelve digits, long texts cut at a character.
[[nodiscard]] std::string value_text(const std::string& json);

[[nodiscard]] std::string_view asset_form_name(AssetForm form);  // "tokenizer", "json", "text", "binary"

}  // namespace modnet
