// Finds added tokens ("[MASK]", "<|endoftext|>") in a text: leftmost, longest, with the library's rules for words and
// spaces around them. Tested by tests/unit/prepare/added_tokens_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "libmod/prepare/text/spec.h"

namespace modnet::text {

/// A stretch of text: an added token, or (id < 0) text between two of them. Never empty text between.
struct TextPiece {
  int64_t begin = 0, end = 0;  // bytes
  int32_t id = -1;
};

/// A trie over token contents. Read-only after construction.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher() { root_.fill(-1); }
  /// One pattern; where two are the same text the first one counts.
  void add(std::string_view pattern, const AddedToken& token);
  [[nodiscard]] bool empty() const { return nodes_.empty(); }

  /// Cuts valid UTF-8 into pieces, appended to `out`. Tokens may overlap in bytes where a token's own spaces were
  /// already taken by rstrip of the one before, as in the library.
  void split(std::string_view text, std::vector<TextPiece>& out) const;
  /// True when no token can begin in the text (a quick look at first bytes).
  [[nodiscard]] bool absent(std::string_view text) const;

 private:
  struct Node {
    int32_t child = -1, sibling = -1, token = -1;
    uint8_t byte = 0;
  };
  struct Rule {
    int32_t id;
    bool single_word, lstrip, rstrip;
  };
  [[nodiscard]] int32_t step(int32_t node, uint8_t byte) const;
  [[nodiscard]] int32_t longest(std::string_view text, size_t at, size_t* end) const;

  std::array<int32_t, 256> root_;
  std::vector<Node> nodes_;
  std::vector<Rule> rules_;
  std::vector<uint8_t> first_bytes_;
};

}  // namespace modnet::text
