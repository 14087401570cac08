// How long a text an imported model takes, and what of a tokenizer's files has no say in it.
#include "libmod/graph/flat.h"
#include "libmod/prepare/runner.h"
#include "tests/unit/import/import_tiny.h"

using namespace modnet;
using namespace modnet::test;
using nlohmann::json;

namespace {

json truncation(int64_t length, const char* direction = "Right") {
  return {{"direction", direction}, {"max_length", length}, {"strategy", "LongestFirst"}, {"stride", 0}};
}
json padding() {
  return {{"strategy", {{"Fixed", 16}}},
          {"direction", "Left"},
          {"pad_to_multiple_of", 8},
          {"pad_id", 3},
          {"pad_type_id", 1},
          {"pad_token", "[SEP]"}};
}

/// What the encoder module makes of a text.
std::vector<int32_t> tokens_of(const TinyImport& made, std::string_view text) {
  const auto view = ModuleView::open(as_bytes(made.encoder));
  REQUIRE(view.ok());
  auto graph = flatten(*view);
  REQUIRE(graph.ok());
  ThreadPool pool(1);
  RunnerOptions options;
  options.context.pool = &pool;
  auto runner = Runner::make(std::move(graph).value(), {"tokens"}, options);
  REQUIRE(runner.ok());
  PortColumn column;
  column.port = "text";
  column.texts = {&text, 1};
  std::vector<OutputColumn> outputs;
  REQUIRE(runner->run({&column, 1}, 1, &outputs).ok());
  return outputs.at(0).ids;
}

}  // namespace

TEST_CASE(
    "the length is the sentence config's, else the tokenizer config's, else the tokenizer's, within the positions") {
  TinyModel model;
  CHECK(good_import(model).model->max_length == 20);  // the position table
  model.tokenizer["truncation"] = truncation(13);
  CHECK(good_import(model).model->max_length == 13);
  model.files["tokenizer_config.json"] = R"({"model_max_length": 12})";
  CHECK(good_import(model).model->max_length == 12);
  model.files["tokenizer_config.json"] = R"({"model_max_length": 1000000000000000019884624838656})";
  CHECK(good_import(model).model->max_length == 13);
  model.sentence({{"pooling_mode", "mean"}});
  model.files["sentence_bert_config.json"] = R"({"max_seq_length": 15})";
  CHECK(good_import(model).model->max_length == 15);
  model.files["sentence_bert_config.json"] = R"({"max_seq_length": 512})";
  const TinyImport made = good_import(model);
  CHECK(made.model->max_length == 20);
  CHECK(TinyImport::port(made.encoder, Direction::kOutput, "tokens").sequence->max_length == 20);
  CHECK(TinyImport::port(made.backbone, Direction::kInput, "tokens").sequence->max_length == 20);
}

TEST_CASE("a text over the length is cut to it, special tokens included") {
  TinyModel model;
  model.files["tokenizer_config.json"] = R"({"model_max_length": 4})";
  CHECK(tokens_of(good_import(model), "a b c cat") == std::vector<int32_t>{2, 4, 5, 3});
}

TEST_CASE("RoBERTa's positions begin after the padding id, so fewer tokens fit") {
  TinyModel model;
  model.config["model_type"] = "roberta";
  model.config["pad_token_id"] = 1;
  CHECK(good_import(model).model->max_length == 18);
  model.config["pad_token_id"] = 19;
  CHECK(says(refused_import(model), "max_position_embeddings"));
}

TEST_CASE("a smaller length may be asked for, a longer one is refused") {
  const TinyModel model;
  ImportOptions options;
  options.max_length = 7;
  const TinyImport made = good_import(model, options);
  CHECK(made.model->max_length == 7);
  CHECK(made.embedding().space->fingerprint == good_import(model).embedding().space->fingerprint);  // the same vectors
  options.max_length = 21;
  options.pooling = Pooling::kMean;
  const auto longer = try_import(model, options);
  REQUIRE(!longer.ok());
  CHECK(longer.error().code == Code::kUsage);
  options.max_length = 2;  // [CLS] and [SEP] alone
  CHECK(!try_import(model, options).ok());
}

TEST_CASE("padding and truncation stored in tokenizer.json change neither tokenizer, preparation nor space") {
  TinyModel model;
  const TinyImport plain = good_import(model);
  model.tokenizer["padding"] = padding();
  const TinyImport padded = good_import(model);
  CHECK(padded.encoder == plain.encoder);
  CHECK(padded.backbone == plain.backbone);
  model.tokenizer["truncation"] = truncation(9);
  const TinyImport cut = good_import(model);
  CHECK(cut.model->tokenizer == plain.model->tokenizer);
  CHECK(cut.preparation() == plain.preparation());
  CHECK(cut.embedding().space->fingerprint == plain.embedding().space->fingerprint);
}

TEST_CASE("a prompt is part of the preparation and of the space") {
  TinyModel model;
  model.sentence({{"pooling_mode", "mean"}});
  const TinyImport plain = good_import(model);
  model.files["config_sentence_transformers.json"] =
      R"({"prompts": {"query": "the "}, "default_prompt_name": "query"})";
  const TinyImport prompted = good_import(model);
  CHECK(prompted.preparation() != plain.preparation());
  CHECK(prompted.embedding().space->fingerprint != plain.embedding().space->fingerprint);
  CHECK(TinyImport::port(prompted.encoder, Direction::kInput, "text").preparation->prefixes ==
        std::vector<std::string>{"the "});
  CHECK(tokens_of(prompted, "Cat") == std::vector<int32_t>{2, 10, 11, 3});
  CHECK(tokens_of(plain, "Cat") == std::vector<int32_t>{2, 11, 3});
}

TEST_CASE("a tokenizer_config.json that says other than tokenizer.json is refused by key") {
  TinyModel model;
  const auto with = [&](const std::string& text) {
    model.files["tokenizer_config.json"] = text;
    return model;
  };
  const json same = {{"do_lower_case", true},
                     {"strip_accents", nullptr},
                     {"tokenize_chinese_chars", true},
                     {"truncation_side", "right"}};
  CHECK(!good_import(with(same.dump())).backbone.empty());
  for (const char* text :
       {R"({"do_lower_case": false})", R"({"strip_accents": true})", R"({"tokenize_chinese_chars": false})",
        R"({"truncation_side": "left"})", R"({"split_special_tokens": true})"}) {
    CAPTURE(text);
    const Error error = refused_import(with(text));
    CHECK(error.id == "IMPORT_UNKNOWN");
    CHECK(error.file.ends_with("tokenizer_config.json"));
    CHECK(says(error, json::parse(text).items().begin().key()));
  }
  CHECK(says(refused_import(with("[]")), "object"));
  model.files.erase("tokenizer_config.json");
  model.tokenizer["truncation"] = truncation(9, "Left");
  const Error left = refused_import(model);
  CHECK(says(left, "truncation.direction"));
  CHECK(left.file.ends_with("tokenizer.json"));
}

TEST_CASE("a tokenizer of another kind, or with more ids than the model has rows, is refused") {
  TinyModel model;
  model.tokenizer["model"]["type"] = "Unigram";
  const Error kind = refused_import(model);
  CHECK(kind.where == "model.type");
  CHECK(kind.file.ends_with("tokenizer.json"));
  TinyModel longer;
  longer.tokenizer["model"]["vocab"]["dog"] = 12;
  const Error rows = refused_import(longer);
  CHECK(says(rows, "13 token ids"));
  CHECK(rows.file.ends_with("tokenizer.json"));
}
