// What a caller of Tokenizer may rely on: framing, truncation, roles, workspaces, threads, hostile texts.
#include "libmod/prepare/text/tokenizer.h"

#include <doctest/doctest.h>

#include <thread>

#include "tests/unit/prepare/text/samples.h"

namespace modnet {
namespace {

using test::ids;
using test::kBertSample;
using test::kGptSample;
using test::load;
using test::with;
using Ids = std::vector<int32_t>;

TEST_CASE("a text is framed by the template's special tokens, an empty one too") {
  const Tokenizer tokenizer = load(kBertSample);
  CHECK(tokenizer.encode("The, unaffable")->ids == Ids{2, 7, 9, 4, 5, 6, 3});
  CHECK(tokenizer.encode("The, unaffable")->type_ids == Ids(7, 0));
  CHECK(tokenizer.encode("")->ids == Ids{2, 3});
  CHECK(tokenizer.encode(" \t\n")->ids == Ids{2, 3});
  CHECK(tokenizer.special_count() == 2);
}

TEST_CASE("truncation counts special tokens and says whether it dropped any") {
  const Tokenizer tokenizer = load(kBertSample);
  EncodeOptions options;
  options.max_length = 4;
  Result<Encoding> got = tokenizer.encode("the a i", options);
  CHECK(got->ids == Ids{2, 7, 11, 3});
  CHECK(got->truncated);
  options.side = TruncationSide::kLeft;
  got = tokenizer.encode("the a i", options);
  CHECK(got->ids == Ids{2, 11, 14, 3});
  CHECK(got->truncated);
  options.max_length = 5;
  CHECK(!tokenizer.encode("the a i", options)->truncated);
  options.max_length = 2;
  CHECK(tokenizer.encode("the", options)->ids == Ids{2, 3});
  CHECK(tokenizer.encode("the", options)->truncated);
  CHECK(!tokenizer.encode("", options)->truncated);
  options.max_length = 1;
  CHECK(tokenizer.encode("the", options).error().code == Code::kUsage);
  options.special = SpecialTokens::kNone;
  options.max_length = 0;
  CHECK(tokenizer.encode("the", options)->ids.empty());
}

TEST_CASE("special tokens are found by role") {
  const Tokenizer bert = load(kBertSample);
  CHECK(bert.special_ids().cls == 2);
  CHECK(bert.special_ids().sep == 3);
  CHECK(bert.special_ids().pad == 0);
  CHECK(bert.special_ids().unk == 1);
  CHECK(!bert.special_ids().mask.has_value());
  const Tokenizer gpt = load(kGptSample);
  CHECK(gpt.special_ids().eos == 9);
  CHECK(!gpt.special_ids().cls.has_value());
  CHECK(!gpt.special_ids().pad.has_value());
}

TEST_CASE("a tokenizer describes itself") {
  const Tokenizer bert = load(kBertSample);
  CHECK(bert.method() == "wordpiece");
  CHECK(bert.unicode_norm() == "bert(clean_text,handle_chinese_chars,strip_accents,lowercase)");
  CHECK(bert.vocab_size() == 15);
  CHECK(bert.file_max_length() == 128);
  CHECK(bert.id_of("##aff") == 5);
  CHECK(!bert.id_of("nosuch").has_value());
  CHECK(bert.token_of(12) == "漢");
  CHECK(bert.token_of(99).empty());
  const Tokenizer gpt = load(kGptSample);
  CHECK(gpt.method() == "byte-bpe");
  CHECK(gpt.unicode_norm() == "none");
  CHECK(!gpt.file_max_length().has_value());
}

TEST_CASE("a hole in the ids counts in the size of the vocabulary") {
  CHECK(load(with(kBertSample, "\"i\": 14", "\"i\": 400")).vocab_size() == 401);
}

TEST_CASE("text that is not UTF-8 is refused with the offset") {
  const Tokenizer tokenizer = load(kBertSample);
  for (const std::string_view bad : {"ab\xff", "ab\xc3", "ab\xed\xa0\x80", "ab\xc0\xaf", "ab\xf4\x90\x80\x80"}) {
    const Result<Encoding> got = tokenizer.encode(bad);
    REQUIRE(!got.ok());
    CHECK(got.error().code == Code::kInvalid);
    CHECK(got.error().where == "offset 2");
  }
}

TEST_CASE("a text of only unseen characters, and a huge word, become unknown tokens") {
  const Tokenizer tokenizer = load(kBertSample);
  CHECK(ids(tokenizer, "жжж ééé") == Ids{1, 1});
  CHECK(ids(tokenizer, std::string(11, 'a')) == Ids{1});
  CHECK(ids(tokenizer, std::string(10, 'a')) == Ids{11, 10, 10, 10, 10, 10, 10, 10, 10, 10});
  CHECK(ids(tokenizer, std::string(1 << 20, 'a')) == Ids{1});
}

TEST_CASE("a workspace may serve one tokenizer after another") {
  const Tokenizer one = load(kBertSample);
  const Tokenizer other = load(with(kBertSample, "\"the\": 7", "\"the\": 77"));
  Tokenizer::Workspace workspace;
  Encoding encoding;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(one.encode("the", {}, workspace, encoding).ok());
    CHECK(encoding.ids == Ids{2, 7, 3});
    REQUIRE(other.encode("the", {}, workspace, encoding).ok());
    CHECK(encoding.ids == Ids{2, 77, 3});
  }
}

TEST_CASE("many threads may use one tokenizer") {
  const Tokenizer tokenizer = load(kBertSample);
  const Ids expected = tokenizer.encode("the unaffable, café 漢字")->ids;
  std::vector<int64_t> same(4);
  std::vector<std::thread> threads;
  for (int64_t& count : same)
    threads.emplace_back([&] {
      Tokenizer::Workspace workspace;
      Encoding encoding;
      for (int i = 0; i < 200; ++i)
        if (tokenizer.encode("the unaffable, café 漢字", {}, workspace, encoding).ok() && encoding.ids == expected)
          ++count;
    });
  for (std::thread& thread : threads) thread.join();
  for (const int64_t count : same) CHECK(count == 200);
}

TEST_CASE("added tokens are found in the raw text before anything else") {
  const Tokenizer tokenizer = load(kBertSample);
  CHECK(ids(tokenizer, "the[SEP]the[sep]") == Ids{7, 3, 7, 1, 1, 1});
  CHECK(ids(load(kGptSample), "a<|endoftext|>bc") == Ids{0, 9, 6});
}

TEST_CASE("a normalised added token is found in any writing that normalises to it") {
  const std::string json = with(kBertSample, "\"normalized\": false, \"special\": true}],",
                                "\"normalized\": false, \"special\": true}, {\"id\": 15, \"content\": \"New York\", "
                                "\"single_word\": true, \"lstrip\": false, \"rstrip\": false, \"normalized\": true, "
                                "\"special\": false}],");
  const Tokenizer tokenizer = load(json);
  CHECK(ids(tokenizer, "the NÉW york a") == Ids{7, 15, 11});
  CHECK(ids(tokenizer, "new yorka") == Ids{1, 1});
  CHECK(tokenizer.vocab_size() == 16);
}

TEST_CASE("an added token of which normalisation leaves nothing is refused") {
  const std::string json = with(kBertSample, "\"content\": \"[PAD]\", \"single_word\": false, \"lstrip\": false, "
                                "\"rstrip\": false, \"normalized\": false",
                                "\"content\": \"[PAD]\", \"single_word\": false, \"lstrip\": false, "
                                "\"rstrip\": false, \"normalized\": true");
  CHECK(Tokenizer::from_json(json).ok());
  const std::string empty = with(json, "{\"type\": \"BertNormalizer\", \"clean_text\": true, \"handle_chinese_chars\": "
                                 "true, \"strip_accents\": null, \"lowercase\": true}",
                                 "{\"type\": \"Replace\", \"pattern\": {\"String\": \"[PAD]\"}, \"content\": \"\"}");
  CHECK(Tokenizer::from_json(empty).error().what == "token \"[PAD]\" normalises to nothing");
}

TEST_CASE("add_prefix_space puts a space before text that lacks one") {
  const Tokenizer tokenizer = load(with(kGptSample, "\"add_prefix_space\": false", "\"add_prefix_space\": true"));
  CHECK(ids(tokenizer, "a") == Ids{5});
  CHECK(ids(tokenizer, " a") == Ids{5});
  CHECK(ids(tokenizer, "").empty());
  CHECK(ids(load(kGptSample), "a") == Ids{0});
}

}  // namespace
}  // namespace modnet
