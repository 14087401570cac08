// Finds added tokens in a text. Tested by tests/unit/prepare/added_tokens_test.cc.
#include "libmod/prepare/text/added_tokens.h"

#include <algorithm>
#include <cstring>

namespace modnet::text {

int32_t AddedTokenMatcher::step(int32_t node, uint8_t byte) const {
  for (int32_t child = nodes_[static_cast<size_t>(node)].child; child >= 0;
       child = nodes_[static_cast<size_t>(child)].sibling)
    if (nodes_[static_cast<size_t>(child)].byte == byte) return child;
  return -1;
}

void AddedTokenMatcher::add(std::string_view pattern, const AddedToken& token) {
  if (pattern.empty()) return;
  const auto fresh = [&](uint8_t byte) {
    Node node;
    node.byte = byte;
    nodes_.push_back(node);
    return static_cast<int32_t>(nodes_.size() - 1);
  };
  const auto first = static_cast<uint8_t>(pattern[0]);
  if (root_[first] < 0) {
    root_[first] = fresh(first);
    first_bytes_.push_back(first);
  }
  int32_t node = root_[first];
  for (const char c : pattern.substr(1)) {
    int32_t next = step(node, static_cast<uint8_t>(c));
    if (next < 0) {
      next = fresh(static_cast<uint8_t>(c));
      nodes_[static_cast<size_t>(next)].sibling = nodes_[static_cast<size_t>(node)].child;
      nodes_[static_cast<size_t>(node)].child = next;
    }
    node = next;
  }
  Node& last = nodes_[static_cast<size_t>(node)];
  if (last.token >= 0) return;
  last.token = static_cast<int32_t>(rules_.size());
  rules_.push_back({token.id, token.single_word, token.lstrip, token.rstrip});
}

int32_t AddedTokenMatcher::longest(std::string_view text, size_t at, size_t* end) const {
  int32_t found = -1;
  int32_t node = root_[static_cast<uint8_t>(text[at])];
  for (size_t i = at + 1; node >= 0; ++i) {
    if (nodes_[static_cast<size_t>(node)].token >= 0) {
      found = nodes_[static_cast<size_t>(node)].token;
      *end = i;
    }
    if (i == text.size()) break;
    node = step(node, static_cast<uint8_t>(text[i]));
  }
  return found;
}

bool AddedTokenMatcher::absent(std::string_view text) const {
  if (first_bytes_.size() <= 3)
    return std::all_of(first_bytes_.begin(), first_bytes_.end(), [&](uint8_t byte) {
      return text.empty() || std::memchr(text.data(), byte, text.size()) == nullptr;
    });
  return std::none_of(text.begin(), text.end(), [&](char c) { return root_[static_cast<uint8_t>(c)] >= 0; });
}

void AddedTokenMatcher::split(std::string_view text, std::vector<TextPiece>& out) const {
  const CharTable& table = CharTable::get();
  const auto put = [&](size_t begin, size_t end, int32_t id) {
    out.push_back({static_cast<int64_t>(begin), static_cast<int64_t>(end), id});
  };
  size_t done = 0;  // text before this is in a piece
  for (size_t at = 0; at < text.size();) {
    size_t end = 0;
    const int32_t found = longest(text, at, &end);
    if (found < 0) {
      ++at;
      continue;
    }
    size_t begin = at;
    at = end;  // the search goes on behind the match, whatever becomes of it
    const Rule& rule = rules_[static_cast<size_t>(found)];
    if (rule.single_word) {
      size_t next = end;
      if (begin > 0 && (table.flags(char_before(text, begin)) & kWord) != 0) continue;
      if (end < text.size() && (table.flags(next_char(text, next)) & kWord) != 0) continue;
    }
    if (rule.lstrip) {
      size_t left = begin;
      while (left > 0 && (table.flags(char_before(text, left)) & kWhite) != 0) {
        do --left;
        while ((static_cast<uint8_t>(text[left]) & 0xc0) == 0x80);
      }
      begin = std::max(left, done);
    }
    if (rule.rstrip) {
      for (size_t next = end; end < text.size(); end = next)
        if ((table.flags(next_char(text, next)) & kWhite) == 0) break;
    }
    if (done < begin) put(done, begin, -1);
    put(begin, end, rule.id);
    done = end;
  }
  if (done < text.size()) put(done, text.size(), -1);
}

}  // namespace modnet::text
