// Vocabulary, added-token search, splitting, WordPiece and BPE: the parts of a tokenizer, each on its own.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "libmod/prepare/text/added_tokens.h"
#include "libmod/prepare/text/bpe.h"
#include "libmod/prepare/text/normalize.h"
#include "libmod/prepare/text/split.h"
#include "libmod/prepare/text/word_cache.h"
#include "libmod/prepare/text/wordpiece.h"

namespace modnet::text {
namespace {

using Words = std::vector<std::string>;
using Ids = std::vector<int32_t>;

TEST_CASE("a string table finds what was added, whatever its length, and nothing else") {
  StringTable table;
  for (int32_t i = 0; i < 2000; ++i) table.add(std::string(static_cast<size_t>(i % 37), 'x') + std::to_string(i), i * 3);
  REQUIRE(table.build().ok());
  for (int32_t i = 0; i < 2000; ++i) {
    const std::string text = std::string(static_cast<size_t>(i % 37), 'x') + std::to_string(i);
    CHECK(table.find(text) == i * 3);
    CHECK(table.text_of(i * 3) == text);
    CHECK(table.find(text + "y") == -1);
    CHECK(table.text_of(i * 3 + 1).empty());
  }
  CHECK(table.max_id() == 5997);
  CHECK(StringTable().find("x") == -1);
}

TEST_CASE("a string table knows the string of an id, in whatever order ids come and however far apart") {
  for (const int32_t step : {1, 2, 1000}) {
    StringTable table;
    for (int32_t i = 0; i < 1000; ++i) table.add("t" + std::to_string(i), i * 7 % 1000 * step);
    REQUIRE(table.build().ok());
    for (int32_t i = 0; i < 1000; ++i) CHECK(table.text_of(i * 7 % 1000 * step) == "t" + std::to_string(i));
    CHECK(table.text_of(1000 * step).empty());
    CHECK(table.text_of(-1).empty());
  }
}

TEST_CASE("a string table refuses a string or an id that comes twice") {
  StringTable strings, numbers, far;
  strings.add("a", 1);
  strings.add("a", 2);
  CHECK(strings.build().error().code == Code::kMalformed);
  numbers.add("b", 1);
  numbers.add("a", 1);
  CHECK(numbers.build().error().what == "tokens \"b\" and \"a\" have the same id 1");
  far.add("b", 100);
  far.add("c", 3);
  far.add("a", 100);
  CHECK(far.build().error().what == "tokens \"b\" and \"a\" have the same id 100");
}

TEST_CASE("the word cache returns what was put, and nothing for a word with the same slot") {
  WordCache cache;
  cache.clear();
  const Ids some{1, 2, 3};
  cache.put("word", 5, some);
  CHECK(std::ranges::equal(cache.find("word", 5), some));
  CHECK(cache.find("wore", 5).empty());
  CHECK(cache.find("word", 6).empty());
  cache.put("other", 5, Ids(10, 1));  // too many to keep: what was there stays
  CHECK(cache.find("other", 5).empty());
  CHECK(cache.find("word", 5).size() == 3);
}

AddedToken added(int32_t id, const char* flags) {
  AddedToken token;
  token.id = id;
  const std::string_view letters = flags;
  token.single_word = letters.find('w') != std::string_view::npos;
  token.lstrip = letters.find('l') != std::string_view::npos;
  token.rstrip = letters.find('r') != std::string_view::npos;
  return token;
}

Words pieces(const AddedTokenMatcher& matcher, std::string_view text) {
  std::vector<TextPiece> found;
  matcher.split(text, found);
  Words out;
  for (const TextPiece& piece : found) {
    const auto part = text.substr(static_cast<size_t>(piece.begin), static_cast<size_t>(piece.end - piece.begin));
    out.push_back((piece.id < 0 ? "" : std::to_string(piece.id) + ":") + std::string(part));
  }
  return out;
}

TEST_CASE("added tokens match leftmost, then longest") {
  AddedTokenMatcher matcher;
  for (const auto& [text, id] : {std::pair{"ab", 1}, {"abc", 2}, {"bcd", 3}}) matcher.add(text, added(id, ""));
  CHECK(pieces(matcher, "xabcdab") == Words{"x", "2:abc", "d", "1:ab"});
  CHECK(pieces(matcher, "bcdbc") == Words{"3:bcd", "bc"});
  CHECK(pieces(matcher, "").empty());
  CHECK(matcher.absent("xyz"));
  CHECK(!matcher.absent("xya"));
}

TEST_CASE("added tokens take spaces and mind words as their flags say") {
  AddedTokenMatcher matcher;
  matcher.add("<l>", added(1, "l"));
  matcher.add("<r>", added(2, "r"));
  matcher.add("yo", added(3, "w"));
  CHECK(pieces(matcher, "a \u00a0<l> b") == Words{"a", "1: \u00a0<l>", " b"});
  CHECK(pieces(matcher, "a <r>\t\u3000b") == Words{"a ", "2:<r>\t\u3000", "b"});
  CHECK(pieces(matcher, "<r> <l>") == Words{"2:<r> ", "1:<l>"});
  CHECK(pieces(matcher, "yo yoyo yoé _yo -yo-") == Words{"3:yo", " yoyo yoé _yo -", "3:yo", "-"});
}

Words bert(const NormalizerStep& step, std::string_view text) {
  Words out;
  std::string buffer;
  std::vector<uint32_t> chars;
  REQUIRE(BertSplitter(step).split(text, buffer, chars, [&](std::string_view word) {
    out.emplace_back(word);
    return true;
  }).ok());
  return out;
}

TEST_CASE("BERT's splitting in one pass equals normalising first and splitting then") {
  std::mt19937 random(7);
  const std::string_view parts[] = {"A", "b", " ", ".", "é", "e\u0301", "\u0323", "漢", "\x01", "\u00ad", "İ", "\u2028",
                                    "\t", "\u302e", "\u0f71", "\u0f72", "Σ", "€", "\u1734", "\ufffd"};
  for (int flags = 0; flags < 24; ++flags) {
    NormalizerStep step;
    step.kind = NormalizerKind::kBert;
    step.clean_text = (flags & 1) != 0;
    step.handle_chinese_chars = (flags & 2) != 0;
    step.lowercase = (flags & 4) != 0;
    if (flags >= 8) step.strip_accents = flags >= 16;
    NormalizerStep off;
    off.kind = NormalizerKind::kBert;
    for (int i = 0; i < 200; ++i) {
      std::string text;
      for (int k = 0; k < 12; ++k) text += parts[random() % std::size(parts)];
      const Result<std::string> first = normalize_text({step}, text);
      REQUIRE(first.ok());
      CHECK(bert(step, text) == bert(off, *first));
    }
  }
}

TEST_CASE("BERT splits off punctuation, Chinese characters and nothing else") {
  NormalizerStep step;
  step.kind = NormalizerKind::kBert;
  step.clean_text = step.handle_chinese_chars = step.lowercase = true;
  CHECK(bert(step, "Don't pay $5.00—ÉTÉ 漢字ab") ==
        Words{"don", "'", "t", "pay", "$", "5", ".", "00", "—", "ete", "漢", "字", "ab"});
  CHECK(bert(step, "a\u200db\u0000c") == Words{"ab"});
  CHECK(bert(step, "") == Words{});
}

Words gpt2(std::string_view text) {
  Words out;
  for (size_t at = 0; at < text.size();) {
    const size_t end = gpt2_word_end(text, at, CharTable::get());
    REQUIRE(end > at);
    out.emplace_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

TEST_CASE("GPT-2's expression: contractions, one leading space, the last space goes with the word") {
  CHECK(gpt2("I'll won't 'S 're") == Words{"I", "'ll", " won", "'t", " '", "S", " '", "re"});
  CHECK(gpt2("  a   b ") == Words{" ", " a", "  ", " b", " "});
  CHECK(gpt2("x1.5½!? y") == Words{"x", "1", ".", "5½", "!?", " y"});
  CHECK(gpt2("a\n\nb\t\u00a0c") == Words{"a", "\n", "\n", "b", "\t", "\u00a0", "c"});
  CHECK(gpt2("''s") == Words{"''", "s"});
  CHECK(gpt2("é漢 ٣") == Words{"é漢", " ٣"});
}

Spec bpe_spec(std::initializer_list<std::string_view> vocab,
              std::initializer_list<std::pair<std::string_view, std::string_view>> merges) {
  Spec spec;
  spec.kind = Spec::Kind::kByteBpe;
  int32_t id = 0;
  for (const std::string_view token : vocab) spec.vocab.add(token, id++);
  REQUIRE(spec.vocab.build().ok());
  for (const auto& [left, right] : merges) spec.merges.emplace_back(spec.vocab.find(left), spec.vocab.find(right));
  return spec;
}

Ids bpe(const Spec& spec, std::string_view word) {
  Ids out;
  BpeScratch scratch;
  ByteBpe(spec).encode(word, scratch, out);
  return out;
}

TEST_CASE("every byte has a printable symbol of its own") {
  std::vector<uint32_t> seen;
  for (int byte = 0; byte < 256; ++byte) seen.push_back(byte_symbol(static_cast<uint8_t>(byte)));
  CHECK(seen['\n'] == 0x10a);
  CHECK(seen[' '] == 0x120);
  CHECK(seen['a'] == 'a');
  CHECK(seen[0xad] == 0x143);
  std::sort(seen.begin(), seen.end());
  CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
}

TEST_CASE("BPE merges the best pair first, leftmost among equals") {
  const Spec spec = bpe_spec({"a", "b", "c", "bc", "ab", "aa", "abc"}, {{"b", "c"}, {"a", "a"}, {"a", "bc"}, {"a", "b"}});
  CHECK(bpe(spec, "abc") == Ids{6});
  CHECK(bpe(spec, "aaa") == Ids{5, 0});
  CHECK(bpe(spec, "aabb") == Ids{5, 1, 1});
}

TEST_CASE("a byte without a symbol becomes the unknown token, fused or not, or nothing") {
  Spec spec = bpe_spec({"a", "b", "?"}, {});
  CHECK(bpe(spec, "axyb") == Ids{0, 1});
  spec.unk_token = "?";
  CHECK(bpe(spec, "axyb") == Ids{0, 2, 2, 1});
  spec.fuse_unk = true;
  CHECK(bpe(spec, "axyb") == Ids{0, 2, 1});
}

TEST_CASE("ignore_merges takes a whole word of the vocabulary that no merge reaches") {
  Spec spec = bpe_spec({"a", "b", "ab", "Ġ", "Ġab"}, {});
  CHECK(bpe(spec, " ab") == Ids{3, 0, 1});
  spec.ignore_merges = true;
  CHECK(bpe(spec, " ab") == Ids{4});
}

// All adjacent pairs tried in order of rank: slow and obvious.
Ids slow_bpe(const Spec& spec, std::string_view word) {
  Ids ids;
  for (const char c : word) ids.push_back(spec.vocab.find(std::string(1, c)));
  while (true) {
    size_t best_rank = spec.merges.size(), at = 0;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      const auto it = std::find(spec.merges.begin(), spec.merges.end(), std::pair(ids[i], ids[i + 1]));
      const auto rank = static_cast<size_t>(it - spec.merges.begin());
      if (rank < best_rank) best_rank = rank, at = i;
    }
    if (best_rank == spec.merges.size()) return ids;
    const std::string joined = std::string(spec.vocab.text_of(ids[at])) + std::string(spec.vocab.text_of(ids[at + 1]));
    ids[at] = spec.vocab.find(joined);
    ids.erase(ids.begin() + static_cast<int64_t>(at) + 1);
  }
}

TEST_CASE("short and long words are merged as a slow search does") {
  std::mt19937 random(3);
  Spec spec;
  spec.kind = Spec::Kind::kByteBpe;
  Words tokens{"a", "b", "c"};
  std::vector<std::pair<std::string, std::string>> merges;
  while (tokens.size() < 60) {
    const std::string left = tokens[random() % tokens.size()], right = tokens[random() % tokens.size()];
    const std::string joined = left + right;
    if (joined.size() > 8 || std::find(tokens.begin(), tokens.end(), joined) != tokens.end()) continue;
    tokens.push_back(joined);
    merges.emplace_back(left, right);
  }
  for (size_t i = 0; i < tokens.size(); ++i) spec.vocab.add(tokens[i], static_cast<int32_t>(i));
  REQUIRE(spec.vocab.build().ok());
  std::shuffle(merges.begin(), merges.end(), random);
  for (const auto& [left, right] : merges) spec.merges.emplace_back(spec.vocab.find(left), spec.vocab.find(right));
  for (size_t size : {1ul, 2ul, 7ul, 30ul, ByteBpe::kScanned, ByteBpe::kScanned + 1, 300ul})
    for (int i = 0; i < 30; ++i) {
      std::string word;
      while (word.size() < size) word += "abc"[random() % 3];
      CHECK(bpe(spec, word) == slow_bpe(spec, word));
    }
}

TEST_CASE("a megabyte without a space is merged in reasonable time") {
  const Spec spec = bpe_spec({"a", "aa", "aaaa"}, {{"a", "a"}, {"aa", "aa"}});
  const Ids got = bpe(spec, std::string(1 << 20, 'a'));
  CHECK(got.size() == 1 << 18);
  CHECK(got.front() == 2);
}

TEST_CASE("WordPiece takes the longest piece each time, or the whole word is unknown") {
  Spec spec;
  int32_t id = 0;
  for (const std::string_view token : {"[UNK]", "un", "unaff", "##aff", "##able", "##é", "é", "a"}) spec.vocab.add(token, id++);
  REQUIRE(spec.vocab.build().ok());
  spec.unk_token = "[UNK]";
  spec.continuing_prefix = "##";
  spec.max_chars_per_word = 9;
  const WordPiece pieces(spec);
  const auto encode = [&](std::string_view word) {
    Ids out;
    pieces.encode(word, hash_bytes(word.data(), word.size()), out);
    return out;
  };
  CHECK(encode("unaffable") == Ids{2, 4});
  CHECK(encode("unable") == Ids{1, 4});
  CHECK(encode("unabled") == Ids{0});
  CHECK(encode("aff") == Ids{0});
  CHECK(encode("ééééééééé") == Ids{6, 5, 5, 5, 5, 5, 5, 5, 5});
  CHECK(encode("éééééééééé") == Ids{0});
}

TEST_CASE("normalisation steps run in order") {
  NormalizerStep lower, replace, prepend, strip, form;
  replace.kind = NormalizerKind::kReplace;
  replace.pattern = "aa";
  replace.content = "b";
  prepend.kind = NormalizerKind::kPrepend;
  prepend.content = ">";
  strip.kind = NormalizerKind::kStrip;
  strip.strip_left = strip.strip_right = true;
  form.kind = NormalizerKind::kForm;
  form.form = NormalForm::kNfkc;
  CHECK(*normalize_text({lower, replace}, "AAAx") == "bax");
  CHECK(*normalize_text({replace, lower}, "AAAx") == "aaax");
  CHECK(*normalize_text({strip, prepend}, " \u00a0x\u3000") == ">x");
  CHECK(*normalize_text({strip, prepend}, " ") == "");
  CHECK(*normalize_text({form}, "①") == "1");
  CHECK(describe_steps({form, lower}) == "NFKC, lowercase");
  CHECK(describe_steps({}) == "none");
}

}  // namespace
}  // namespace modnet::text
