// Small tokenizers as JSON text, and shorthands for the tests of this folder.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "libmod/prepare/text/tokenizer.h"

namespace modnet::test {

inline constexpr std::string_view kBertSample = R"({
 "version": "1.0", "truncation": {"max_length": 128, "strategy": "LongestFirst", "stride": 0},
 "padding": {"strategy": {"Fixed": 128}, "pad_id": 0},
 "added_tokens": [
  {"id": 0, "content": "[PAD]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
  {"id": 1, "content": "[UNK]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
  {"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true},
  {"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
 "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
 "pre_tokenizer": {"type": "BertPreTokenizer"},
 "post_processor": {"type": "TemplateProcessing",
  "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
  "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
  "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}, "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
 "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
 "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 10,
  "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "un": 4, "##aff": 5, "##able": 6, "the": 7, "cafe": 8, ",": 9, "##a": 10, "a": 11, "漢": 12, "字": 13, "i": 14}}
})";

inline constexpr std::string_view kGptSample = R"({
 "version": "1.0", "truncation": null, "padding": null,
 "added_tokens": [{"id": 9, "content": "<|endoftext|>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
 "normalizer": null,
 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
 "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": false},
 "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true},
 "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": false,
  "vocab": {"a": 0, "b": 1, "c": 2, "Ġ": 3, "ab": 4, "Ġa": 5, "bc": 6, "abc": 7, "Ċ": 8, "<|endoftext|>": 9},
  "merges": ["b c", "a bc", "Ġ a", "a b"]}
})";

/// `text` with the first `from` replaced; `from` must be there.
inline std::string with(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const size_t at = out.find(from);
  REQUIRE(at != std::string::npos);
  return out.replace(at, from.size(), to);
}

inline Tokenizer load(std::string_view json) {
  Result<Tokenizer> tokenizer = Tokenizer::from_json(json);
  if (!tokenizer.ok()) FAIL(tokenizer.error().where, ": ", tokenizer.error().what);
  return std::move(tokenizer).value();
}

/// Ids without special tokens.
inline std::vector<int32_t> ids(const Tokenizer& tokenizer, std::string_view text) {
  EncodeOptions options;
  options.special = SpecialTokens::kNone;
  Result<Encoding> got = tokenizer.encode(text, options);
  REQUIRE(got.ok());
  return got->ids;
}

}  // namespace modnet::test
