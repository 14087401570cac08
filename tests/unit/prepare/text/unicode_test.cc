// Characters: UTF-8, lower case, classes, normal forms.
#include "libmod/prepare/text/unicode.h"

#include <doctest/doctest.h>

#include <utility>

namespace modnet::text {
namespace {

std::vector<uint32_t> decode(std::string_view text) {
  std::vector<uint32_t> out;
  for (size_t at = 0; at < text.size();) out.push_back(next_char(text, at));
  return out;
}

std::string normal(NormalForm form, std::string_view text) {
  std::vector<uint32_t> chars = decode(text);
  REQUIRE(normalize_chars(form, chars).ok());
  std::string out;
  for (const uint32_t c : chars) append_utf8(c, out);
  return out;
}

TEST_CASE("every code point survives UTF-8, forwards and backwards") {
  int64_t wrong = 0;
  for (uint32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    std::string text = "x";
    append_utf8(c, text);
    size_t at = 1;
    if (next_char(text, at) != c || at != text.size() || char_before(text, text.size()) != c) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(count_chars("aé漢😀") == 4);
}

TEST_CASE("classes are those of the tokenizers library") {
  const CharTable& table = CharTable::get();
  for (const uint32_t c : {0x20u, 0x9u, 0xdu, 0x85u, 0xa0u, 0x2028u, 0x3000u}) CHECK((table.flags(c) & kWhite) != 0);
  CHECK((table.flags(0x200b) & kWhite) == 0);
  CHECK((table.flags('$') & kPunctuation) != 0);     // all ASCII symbols are punctuation to BERT
  CHECK((table.flags(0x20ac) & kPunctuation) == 0);  // the euro sign is not
  CHECK((table.flags(0x301) & (kNonspacing | kMark)) == (kNonspacing | kMark));
  CHECK((table.flags(0x1734) & kNonspacing) != 0);  // a nonspacing mark until Unicode 13
  CHECK((table.flags(0xfffd) & kRemoved) != 0);
  CHECK((table.flags(0xad) & kRemoved) != 0);
  CHECK((table.flags('\t') & kRemoved) == 0);
  CHECK((table.flags(0x6f22) & kLetter) != 0);
  CHECK((table.flags(0xbd) & kNumber) != 0);
  CHECK((table.flags('_') & kWord) != 0);
}

TEST_CASE("lower case is by code point, without context") {
  const CharTable& table = CharTable::get();
  const std::pair<uint32_t, uint32_t> pairs[] = {{'A', 'a'}, {'z', 'z'}, {0xc9, 0xe9}, {0x3a3, 0x3c3}, {0x1e9e, 0xdf},
                                                 {0x212a, 'k'}, {0x10400, 0x10428}, {0x1c4, 0x1c6}, {0x1c5, 0x1c6}};
  for (const auto& [upper, lower] : pairs) CHECK(table.lower(upper) == lower);
  std::vector<uint32_t> out;
  append_lower(0x130, table, out);
  CHECK(out == std::vector<uint32_t>{'i', 0x307});
}

TEST_CASE("normal forms decompose, order marks and compose") {
  CHECK(normal(NormalForm::kNfd, "é") == "e\u0301");
  CHECK(normal(NormalForm::kNfc, "e\u0301") == "é");
  CHECK(normal(NormalForm::kNfd, "q\u0307\u0323") == "q\u0323\u0307");
  CHECK(normal(NormalForm::kNfc, "q\u0307\u0323") == "q\u0323\u0307");
  CHECK(normal(NormalForm::kNfkc, "ﬁ①㍿") == "fi1株式会社");
  CHECK(normal(NormalForm::kNfkd, "가") == "\u1100\u1161");
  CHECK(normal(NormalForm::kNfc, "\u1100\u1161\u11a8") == "각");
  CHECK(normal(NormalForm::kNfd, "plain") == "plain");
  CHECK(normal(NormalForm::kNfd, "") == "");
}

TEST_CASE("code points younger than the library's Unicode version stay as they are") {
  CHECK(normal(NormalForm::kNfd, "\U00011938") == "\U00011938");
  CHECK(normal(NormalForm::kNfkc, "㋿") == "㋿");
}

TEST_CASE("a long run of marks is ordered in reasonable time") {
  std::string text = "a";
  for (int i = 0; i < 100000; ++i) text += i % 2 == 0 ? "\u0301" : "\u0323";
  const std::string got = normal(NormalForm::kNfd, text);
  CHECK(got.size() == text.size());
  CHECK(got.substr(1, 4) == "\u0323\u0323");
}

}  // namespace
}  // namespace modnet::text
