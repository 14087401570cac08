// Small text helpers: UTF-8 validation, escaping for terminals and reports, base64.
// Tested by tests/unit/base/text_test.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/base/reader.h"
#include "formats/base/result.h"

namespace modnet {

/// Byte offset of the first byte that is not well-formed UTF-8 (no surrogates, no overlongs, ≤ U+10FFFF), or -1.
[[nodiscard]] int64_t utf8_error(std::string_view text);
[[nodiscard]] inline bool is_utf8(std::string_view text) { return utf8_error(text) < 0; }

/// Text from a file made safe to print: C0, DEL, C1, bidi controls, line separators, BOM and bad UTF-8
/// become \xNN or \u{NNNN}; everything else stays.
[[nodiscard]] std::string escape_text(std::string_view text);

/// The text of a JSON document with the characters that escape_text() would escape written as \uNNNN where they stand in its
/// strings (JSON itself escapes only those below 0x20): the values stay the same. So is
/// the "#" of "##[", which begins a command in the log of some CI runners. `json` must be valid UTF-8.
[[nodiscard]] std::string escape_json(std::string_view json);

[[nodiscard]] std::string base64_encode(Bytes bytes);
/// Standard alphabet with padding; kMalformed for anything else.
[[nodiscard]] Result<std::string> base64_decode(std::string_view text);

}  // namespace modnet
