// Cuts text into words, as BERT does (white space, punctuation) and as GPT-2's regular expression does.
// Both are loops over bytes with a table for ASCII and the character table for the rest.
// Tested by tests/unit/prepare/split_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libmod/prepare/text/normalize.h"

namespace modnet::text {

/// BERT's normaliser and pre-tokenizer in one pass. Read-only after construction.
class BertSplitter {
 public:
  /// `step`: kind kBert; an all-off step only splits.
  explicit BertSplitter(const NormalizerStep& step);

  /// Calls word(std::string_view) → bool for each word until it says false. `text`: valid UTF-8.
  /// `buffer` and `chars` are scratch; a view lives until the next call.
  template <typename Word>
  [[nodiscard]] Status split(std::string_view text, std::string& buffer, std::vector<uint32_t>& chars,
                             Word&& word) const {
    buffer.clear();
    const auto flush = [&] {
      if (buffer.empty()) return true;
      const bool go_on = word(std::string_view(buffer));
      buffer.clear();
      return go_on;
    };
    const size_t n = text.size();
    for (size_t i = 0; i < n;) {
      const auto c = static_cast<uint8_t>(text[i]);
      switch (actions_[c]) {
        case kPart: {
          size_t end = i + 1;
          while (end < n && actions_[static_cast<uint8_t>(text[end])] == kPart) ++end;
          const size_t old = buffer.size();
          buffer.resize(old + (end - i));
          for (size_t k = 0; k < end - i; ++k) buffer[old + k] = lower_[static_cast<uint8_t>(text[i + k])];
          i = end;
          break;
        }
        case kSpace:
          ++i;
          if (!flush()) return ok();
          break;
        case kSplit:
          if (!flush() || !word(text.substr(i, 1))) return ok();
          ++i;
          break;
        case kDrop: ++i; break;
        default: {
          // Up to the next ASCII character that stays: such a character neither decomposes nor changes places.
          chars.clear();
          while (i < n && (static_cast<uint8_t>(text[i]) >= 0x80 || actions_[static_cast<uint8_t>(text[i])] == kDrop))
            chars.push_back(next_char(text, i));
          MODNET_TRY(normalize_bert(step_, chars));
          for (const uint32_t part : chars) {
            const uint16_t flags = table_->flags(part);
            if ((flags & kWhite) != 0) {
              if (!flush()) return ok();
            } else if ((flags & kPunctuation) != 0) {
              if (!flush()) return ok();
              append_utf8(part, buffer);
              if (!flush()) return ok();
            } else {
              append_utf8(part, buffer);
            }
          }
        }
      }
    }
    flush();
    return ok();
  }

 private:
  enum Action : uint8_t { kPart, kSpace, kSplit, kDrop, kOther };
  NormalizerStep step_;
  const CharTable* table_;
  std::array<uint8_t, 256> actions_{};
  std::array<char, 256> lower_{};
};

/// Where the match of GPT-2's expression that begins at `begin` ends:
/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+. `text`: valid UTF-8, begin < its size.
[[nodiscard]] size_t gpt2_word_end(std::string_view text, size_t begin, const CharTable& table);

}  // namespace modnet::text
