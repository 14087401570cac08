// Characters as the tokenizers library sees them: classes, lower case, normal forms, UTF-8.
// Classes and lower case come from generated tables, because the library mixes several Unicode versions; utf8proc does
// the (de)composition of those code points that the library's own version of the normal forms knows.
// Tested by tests/unit/prepare/unicode_test.cc and tests/parity/tokenizer_parity.py.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"

namespace modnet::text {

/// What a code point is. Bits of the generated table; the order is that of make_unicode_tables.py.
enum CharFlag : uint16_t {
  kWhite = 1 << 0,        // White_Space
  kPunctuation = 1 << 1,  // split off by BERT
  kNonspacing = 1 << 2,   // Mn: removed with BERT's accents
  kMark = 1 << 3,         // M: removed by the StripAccents normaliser
  kRemoved = 1 << 4,      // control and friends: removed by BERT's clean_text
  kLetter = 1 << 5,       // \p{L}
  kNumber = 1 << 6,       // \p{N}
  kWord = 1 << 7,         // \w
  kDecomposes = 1 << 8,   // changes, or changes places, under NFD
  kNormalizes = 1 << 9,   // takes part in any of the normal forms
};

/// Flags and lower case of every code point. Immutable; about 130 KB.
class CharTable {
 public:
  /// The one table, made at first use.
  [[nodiscard]] static const CharTable& get();

  [[nodiscard]] uint16_t flags(uint32_t c) const { return flags_[static_cast<size_t>(page_[c >> 8]) << 8 | (c & 255)]; }
  /// Simple lower case; U+0130 is the one code point that becomes two (see append_lower).
  [[nodiscard]] uint32_t lower(uint32_t c) const {
    return c + static_cast<uint32_t>(lower_[static_cast<size_t>(lower_page_[c >> 8]) << 8 | (c & 255)]);
  }

 private:
  CharTable();
  std::array<uint16_t, 0x1100> page_{}, lower_page_{};
  std::vector<uint16_t> flags_;
  std::vector<int32_t> lower_;
};

/// Blocks of Chinese characters that BERT puts spaces around.
[[nodiscard]] inline bool is_cjk(uint32_t c) {
  if (c < 0x3400) return false;
  return (c >= 0x4e00 && c <= 0x9fff) || c <= 0x4dbf || (c >= 0xf900 && c <= 0xfaff) ||
         (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
         (c >= 0x2f800 && c <= 0x2fa1f);
}

/// The code point at `at`, which it moves past it. `text` must be valid UTF-8.
[[nodiscard]] inline uint32_t next_char(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[i])); };
  const uint32_t a = byte(at);
  if (a < 0x80) return ++at, a;
  if (a < 0xe0) {
    at += 2;
    return (a & 31) << 6 | (byte(at - 1) & 63);
  }
  if (a < 0xf0) {
    at += 3;
    return (a & 15) << 12 | (byte(at - 2) & 63) << 6 | (byte(at - 1) & 63);
  }
  at += 4;
  return (a & 7) << 18 | (byte(at - 3) & 63) << 12 | (byte(at - 2) & 63) << 6 | (byte(at - 1) & 63);
}
/// The code point that ends at `end` > 0.
[[nodiscard]] inline uint32_t char_before(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xc0) == 0x80) --at;
  return next_char(text, at);
}

void append_utf8(uint32_t c, std::string& out);
[[nodiscard]] int64_t count_chars(std::string_view text);
inline void append_lower(uint32_t c, const CharTable& table, std::vector<uint32_t>& out) {
  if (c == 0x130) {
    out.push_back('i');
    out.push_back(0x307);
  } else {
    out.push_back(table.lower(c));
  }
}

enum class NormalForm : uint8_t { kNfc, kNfd, kNfkc, kNfkd };

/// Brings `chars` into a normal form, in place, as version 9 of Unicode has it. kUnavailable when memory runs out.
[[nodiscard]] Status normalize_chars(NormalForm form, std::vector<uint32_t>& chars);

}  // namespace modnet::text
