// What is read from a tokenizer.json, what is refused, with which path, and what the canonical form is.
#include <doctest/doctest.h>

#include "tests/unit/prepare/text/samples.h"

namespace modnet {
namespace {

using test::kBertSample;
using test::kGptSample;
using test::load;
using test::with;

struct Refusal {
  std::string_view sample, from, to, where, what;
};

const Refusal kUnsupported[] = {
    {kBertSample, "\"type\": \"WordPiece\", \"unk", "\"type\": \"Unigram\", \"unk", "model.type",
     "\"Unigram\" is not supported; expected WordPiece or BPE"},
    {kBertSample, "\"version\": \"1.0\"", "\"version\": \"2.0\"", "version", "\"2.0\""},
    {kBertSample, "\"version\"", "\"news\": 1, \"version\"", "news", "1 is not supported; expected no such key"},
    {kBertSample, "\"clean_text\"", "\"fresh\": true, \"clean_text\"", "normalizer.fresh", "true is not supported"},
    {kBertSample, "\"BertNormalizer\"", "\"Nmt\"", "normalizer.type", "\"Nmt\""},
    {kBertSample, "\"BertPreTokenizer\"", "\"Whitespace\"", "pre_tokenizer.type", "expected BertPreTokenizer"},
    {kBertSample, "\"TemplateProcessing\"", "\"Other\"", "post_processor.type", "\"Other\""},
    {kBertSample, "{\"type\": \"WordPiece\", \"prefix\"", "{\"type\": \"CTC\", \"prefix\"", "decoder.type", "\"CTC\""},
    {kBertSample, "LongestFirst", "OnlySecond", "truncation.strategy", "\"OnlySecond\""},
    {kGptSample, "\"dropout\": null", "\"dropout\": 0.1", "model.dropout", "0.1 is not supported"},
    {kGptSample, "\"end_of_word_suffix\": \"\"", "\"end_of_word_suffix\": \"</w>\"", "model.end_of_word_suffix", "</w>"},
    {kGptSample, "\"fuse_unk\": false", "\"byte_fallback\": true", "model.byte_fallback", "true"},
    {kGptSample, "\"add_prefix_space\": false", "\"extra\": [], \"add_prefix_space\": false", "pre_tokenizer.extra",
     "an array"},
};

const Refusal kMalformed[] = {
    {kBertSample, "\"un\": 4", "\"un\": -4", "model.vocab.un", "-4 is wrong here; expected an id"},
    {kBertSample, "\"un\": 4", "\"un\": 4000000000", "model.vocab.un", "4000000000"},
    {kBertSample, "\"un\": 4", "\"un\": 4.5", "model.vocab.un", "4.5"},
    {kBertSample, "\"un\": 4", "\"un\": 7", "model.vocab", "have the same id 7"},
    {kBertSample, "\"un\": 4", "\"the\": 4", "model.vocab", "token \"the\" appears twice"},
    {kBertSample, "\"unk_token\": \"[UNK]\"", "\"unk_token\": \"[NO]\"", "model.unk_token", "not in the vocabulary"},
    {kBertSample, "\"unk_token\": \"[UNK]\", ", "", "model.unk_token", "the key is missing"},
    {kBertSample, "\"max_input_chars_per_word\": 10", "\"max_input_chars_per_word\": \"10\"",
     "model.max_input_chars_per_word", "\\\"10\\\" is wrong here"},
    {kBertSample, "\"clean_text\": true", "\"clean_text\": 1", "normalizer.clean_text", "expected true or false"},
    {kBertSample, "\"clean_text\": true, ", "", "normalizer.clean_text", "the key is missing"},
    {kBertSample, "\"clean_text\": true", "\"clean_text\": true, \"clean_text\": false", "normalizer.clean_text", "twice"},
    {kBertSample, "{\"id\": 1, \"content\"", "{\"id\": 5, \"content\"", "added_tokens[1].id", "id 5 of token"},
    {kBertSample, "\"content\": \"[UNK]\"", "\"content\": \"\"", "added_tokens[1].content", "the token is empty"},
    {kBertSample, "\"content\": \"[UNK]\"", "\"content\": \"[PAD]\"", "added_tokens[1].content", "twice"},
    {kBertSample, "\"ids\": [2]", "\"ids\": [200]", "post_processor.special_tokens.[CLS]", "id 200"},
    {kBertSample, "\"ids\": [2]", "\"ids\": []", "post_processor.special_tokens.[CLS].tokens", "as many tokens"},
    {kBertSample, "\"single\": [{\"SpecialToken\": {\"id\": \"[CLS]\"", "\"single\": [{\"SpecialToken\": {\"id\": \"[X]\"",
     "post_processor.single", "[X]"},
    {kBertSample, "{\"type\": \"BertPreTokenizer\"}", "7", "pre_tokenizer", "7 is wrong here; expected an object"},
    {kGptSample, "\"b c\"", "\"b  c\"", "model.merges[0]", "two tokens"},
    {kGptSample, "\"a bc\"", "\"a zz\"", "model.merges[1]", "token \"zz\" is not in the vocabulary"},
    {kGptSample, "\"a bc\"", "[\"a\"]", "model.merges[1]", "two tokens"},
    {kGptSample, "\"a bc\"", "17", "model.merges[1]", "17"},
};

TEST_CASE("what is not supported is refused with its JSON path and value") {
  for (const Refusal& refusal : kUnsupported) {
    CAPTURE(refusal.where);
    const Result<Tokenizer> got = Tokenizer::from_json(with(refusal.sample, refusal.from, refusal.to));
    REQUIRE(!got.ok());
    CHECK(got.error().code == Code::kInvalid);
    CHECK(got.error().id == "UNSUPPORTED");
    CHECK(got.error().where == refusal.where);
    CHECK(got.error().what.find(refusal.what) != std::string::npos);
  }
}

TEST_CASE("what contradicts itself is malformed, with its JSON path") {
  for (const Refusal& refusal : kMalformed) {
    CAPTURE(refusal.where);
    const Result<Tokenizer> got = Tokenizer::from_json(with(refusal.sample, refusal.from, refusal.to));
    REQUIRE(!got.ok());
    CHECK(got.error().code == Code::kMalformed);
    CHECK(got.error().where == refusal.where);
    CAPTURE(got.error().what);
    CHECK((got.error().what.find(refusal.what) != std::string::npos || refusal.what.starts_with("\\")));
  }
}

TEST_CASE("bytes that are no JSON, and JSON nested too deep, are malformed") {
  CHECK(Tokenizer::from_json("").error().code == Code::kMalformed);
  CHECK(Tokenizer::from_json("{").error().code == Code::kMalformed);
  CHECK(Tokenizer::from_json("[]").error().code == Code::kMalformed);
  CHECK(Tokenizer::from_json("\xff").error().code == Code::kMalformed);
  CHECK(Tokenizer::from_json(std::string(100000, '[')).error().code == Code::kMalformed);
  std::string deep = "{\"type\": \"NFC\"}";
  for (int i = 0; i < 900; ++i) deep = "{\"type\": \"Sequence\", \"normalizers\": [" + deep + "]}";
  CHECK(!Tokenizer::from_json(with(kGptSample, "\"normalizer\": null", "\"normalizer\": " + deep)).ok());
}

TEST_CASE("the canonical form is a fixed point and leaves truncation and padding out") {
  for (const std::string_view sample : {kBertSample, kGptSample}) {
    const std::string form = load(sample).canonical_json();
    CHECK(load(form).canonical_json() == form);
    CHECK(form.find("truncation") == std::string::npos);
    CHECK(form.find("padding") == std::string::npos);
    CHECK(form.find(": ") == std::string::npos);
  }
}

TEST_CASE("two writings of the same tokenizer have the same canonical form") {
  const std::string form = load(kGptSample).canonical_json();
  CHECK(load(with(kGptSample, "\"b c\"", "[\"b\", \"c\"]")).canonical_json() == form);
  CHECK(load(with(kGptSample, "\"trim_offsets\": true}", "\"use_regex\": true, \"trim_offsets\": true}")).canonical_json() ==
        form);
  CHECK(load(with(kGptSample, "\"type\": \"BPE\", ", "")).canonical_json() == form);
  CHECK(load(with(kGptSample, "\"a\": 0, \"b\": 1", "\"b\": 1, \"a\": 0")).canonical_json() == form);
  CHECK(load(with(kGptSample, "\"a\": 0, \"b\": 1", "\"b\": 0, \"a\": 1")).canonical_json() != form);
  const std::string bert = load(kBertSample).canonical_json();
  CHECK(load(with(kBertSample, "\"strip_accents\": null", "\"strip_accents\": true")).canonical_json() == bert);
  CHECK(load(with(kBertSample, "\"max_length\": 128", "\"max_length\": 64")).canonical_json() == bert);
}

}  // namespace
}  // namespace modnet
