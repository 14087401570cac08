// What a sentence-transformers folder says: both layouts of the pooling, dense layers, prompts, lengths, and refusals.
#include "libmod/import/sentence_transformers.h"

#include <doctest/doctest.h>

#include "tests/support/tiny_model.h"

using namespace modnet;
using nlohmann::json;
using test::TempDir;
using test::TinyModel;

namespace {

/// The configuration of a folder with these files.
Result<SentenceConfig> read(const TinyModel& model) {
  const TempDir dir;
  return read_sentence_config(model.write(dir));
}

SentenceConfig good(const TinyModel& model) {
  auto config = read(model);
  REQUIRE_MESSAGE(config.ok(), (config.ok() ? "" : config.error().what));
  return *config;
}

/// The error's key or place and its file must hold these texts.
void refused(const TinyModel& model, std::string_view key, std::string_view file) {
  const auto config = read(model);
  REQUIRE(!config.ok());
  CAPTURE(config.error().what);
  CAPTURE(config.error().file);
  CHECK(config.error().code == Code::kMalformed);
  CHECK(config.error().id == "IMPORT_UNKNOWN");
  CHECK(config.error().what.find(key) != std::string::npos);
  CHECK(config.error().file.ends_with(file));
}

TinyModel with_pooling(const json& pooling) {
  TinyModel model;
  model.sentence(pooling);
  return model;
}

TinyModel with_dense(const json& dense) {
  TinyModel model;
  model.sentence({{"pooling_mode", "mean"}}, {"Dense", "Normalize"});
  model.files["2_Dense/config.json"] = dense.dump();
  return model;
}

json old_pooling(const char* on) {
  json out = {{"word_embedding_dimension", 8}};
  for (const char* key : {"pooling_mode_cls_token", "pooling_mode_mean_tokens", "pooling_mode_max_tokens",
                          "pooling_mode_mean_sqrt_len_tokens"})
    out[key] = std::string_view(key) == on;
  return out;
}

}  // namespace

TEST_CASE("a folder without modules.json says nothing about pooling") { CHECK(!good(TinyModel()).present); }

TEST_CASE("both layouts of the pooling config mean the same") {
  const struct {
    const char *name, *old_key;
    Pooling pooling;
  } rows[] = {{"mean", "pooling_mode_mean_tokens", Pooling::kMean},
              {"cls", "pooling_mode_cls_token", Pooling::kCls},
              {"max", "pooling_mode_max_tokens", Pooling::kMax}};
  for (const auto& row : rows) {
    CAPTURE(row.name);
    for (const json& pooling : {json{{"embedding_dimension", 8}, {"pooling_mode", row.name}, {"include_prompt", true}},
                                json{{"pooling_mode", {row.name}}}, old_pooling(row.old_key)}) {
      const SentenceConfig config = good(with_pooling(pooling));
      CHECK(config.present);
      CHECK(config.pooling == row.pooling);
      CHECK(config.normalize);
      CHECK(config.metric == Metric::kCosine);
    }
  }
  CHECK(good(with_pooling(old_pooling("pooling_mode_cls_token"))).pooled_width == 8);
}

TEST_CASE("an old pooling config that does not mention the mean takes it") {
  CHECK(good(with_pooling({{"word_embedding_dimension", 8}})).pooling == Pooling::kMean);
  refused(with_pooling({{"pooling_mode_cls_token", true}}), "pooling_mode", "1_Pooling/config.json");
}

TEST_CASE("poolings that are not computed, several, and none are refused by key") {
  for (const char* mode : {"lasttoken", "weightedmean", "mean_sqrt_len_tokens", "other"})
    refused(with_pooling({{"pooling_mode", mode}}), "pooling_mode", "1_Pooling/config.json");
  refused(with_pooling(old_pooling("pooling_mode_mean_sqrt_len_tokens")), "pooling_mode_mean_sqrt_len_tokens",
          "1_Pooling/config.json");
  refused(with_pooling(old_pooling("none of them")), "pooling_mode", "1_Pooling/config.json");
  refused(with_pooling({{"pooling_mode", {"cls", "mean"}}}), "cls, mean", "1_Pooling/config.json");
  refused(with_pooling({{"pooling_mode", 3}}), "pooling_mode", "1_Pooling/config.json");
  refused(with_pooling({{"pooling_mode", "mean"}, {"pooling_mode_max_tokens", true}}), "pooling_mode",
          "1_Pooling/config.json");
  refused(with_pooling({{"pooling_mode", "mean"}, {"pooling_temperature", 2}}), "pooling_temperature",
          "1_Pooling/config.json");
  TinyModel without;
  without.sentence({});
  without.files["1_Pooling/config.json"] = "";
  refused(without, "pooling", "1_Pooling/config.json");
}

TEST_CASE("modules in another order, of other kinds or with other keys are refused") {
  const auto with_modules = [](const json& modules) {
    TinyModel model;
    model.sentence({{"pooling_mode", "mean"}});
    model.files["modules.json"] = modules.dump();
    return model;
  };
  const json transformer = TinyModel::module(0, "Transformer", ""),
             pooling = TinyModel::module(1, "Pooling", "1_Pooling");
  CHECK(good(with_modules({transformer, pooling})).normalize == false);
  refused(with_modules(json::array({transformer})), "Pooling", "modules.json");
  refused(with_modules(json::array()), "list", "modules.json");
  refused(with_modules({{"a", 1}}), "list", "modules.json");
  refused(with_modules({transformer, TinyModel::module(1, "Normalize", "2_Normalize"),
                        TinyModel::module(2, "Pooling", "1_Pooling")}),
          "type", "modules.json");
  refused(with_modules({transformer, pooling, TinyModel::module(2, "LayerNorm", "2_LayerNorm")}), "LayerNorm",
          "modules.json");
  json other = transformer;
  other["type"] = "custom_st.Transformer";
  refused(with_modules({other, pooling}), "custom_st.Transformer", "modules.json");
  other = transformer;
  other["kwargs"] = {"prompt"};
  refused(with_modules({other, pooling}), "kwargs", "modules.json");
  other = transformer;
  other["idx"] = 5;
  refused(with_modules({other, pooling}), "idx", "modules.json");
}

TEST_CASE("paths in modules.json stay inside the folder") {
  for (const char* path : {"../1_Pooling", "/etc", "a/../../b"}) {
    TinyModel model;
    model.sentence({{"pooling_mode", "mean"}});
    model.files["modules.json"] =
        json({TinyModel::module(0, "Transformer", ""), TinyModel::module(1, "Pooling", path)}).dump();
    refused(model, path, "modules.json");
  }
  TinyModel model;
  model.sentence({{"pooling_mode", "mean"}});
  model.files["modules.json"] =
      json({TinyModel::module(0, "Transformer", ""), TinyModel::module(1, "Pooling", std::string(5000, 'x'))}).dump();
  CHECK(!read(model).ok());  // a name that no file system takes is an error, not an exception
}

TEST_CASE("dense layers keep their sizes, bias and activation") {
  const SentenceConfig config = good(with_dense({{"in_features", 8},
                                                 {"out_features", 5},
                                                 {"bias", false},
                                                 {"activation_function", "torch.nn.modules.activation.ReLU"}}));
  REQUIRE(config.dense.size() == 1);
  CHECK(config.dense[0].folder == "2_Dense");
  CHECK(config.dense[0].inputs == 8);
  CHECK(config.dense[0].outputs == 5);
  CHECK(!config.dense[0].bias);
  CHECK(config.dense[0].activation == UnaryOp::kRelu);
  CHECK(config.normalize);
  CHECK(good(with_dense({{"in_features", 8}, {"out_features", 5}})).dense[0].activation == UnaryOp::kTanh);
  CHECK(
      !good(with_dense(
                {{"in_features", 8}, {"out_features", 5}, {"activation_function", "torch.nn.modules.linear.Identity"}}))
           .dense[0]
           .activation);
  const char* const file = "2_Dense/config.json";
  refused(with_dense(
              {{"in_features", 8}, {"out_features", 5}, {"activation_function", "torch.nn.modules.activation.PReLU"}}),
          "activation_function", file);
  refused(with_dense({{"in_features", 8}, {"out_features", 5}, {"activation_function", "my.own.Tanh"}}),
          "activation_function", file);
  refused(with_dense({{"in_features", 8}, {"out_features", 5}, {"module_input_name", "token_embeddings"}}),
          "module_input_name", file);
  refused(with_dense({{"in_features", 8}, {"out_features", 5}, {"dropout", 0.5}}), "dropout", file);
  refused(with_dense({{"in_features", 8}, {"out_features", 0}}), "out_features", file);
}

TEST_CASE("the default prompt is put before every text; other prompts are not") {
  const auto with_settings = [](const json& settings, const json& pooling = {{"pooling_mode", "mean"}}) {
    TinyModel model;
    model.sentence(pooling);
    model.files["config_sentence_transformers.json"] = settings.dump();
    return model;
  };
  const json prompts = {{"query", "query: "}, {"passage", ""}};
  CHECK(
      good(with_settings({{"__version__", {{"pytorch", "2"}}}, {"prompts", prompts}, {"default_prompt_name", nullptr}}))
          .prompt.empty());
  CHECK(good(with_settings({{"prompts", prompts}, {"default_prompt_name", "query"}})).prompt == "query: ");
  CHECK(good(with_settings({{"similarity_fn_name", "dot"}})).metric == Metric::kDot);
  CHECK(good(with_settings({{"similarity_fn_name", "euclidean"}})).metric == Metric::kL2);
  const char* const file = "config_sentence_transformers.json";
  refused(with_settings({{"prompts", prompts}, {"default_prompt_name", "other"}}), "default_prompt_name", file);
  refused(with_settings({{"default_prompt_name", "query"}}), "default_prompt_name", file);
  refused(with_settings({{"similarity_fn_name", "manhattan"}}), "similarity_fn_name", file);
  refused(with_settings({{"truncate_dim", 4}}), "truncate_dim", file);
  refused(with_settings({{"prompts", prompts}, {"default_prompt_name", "query"}},
                        {{"pooling_mode", "mean"}, {"include_prompt", false}}),
          "include_prompt", "1_Pooling/config.json");
  CHECK(good(with_settings(json::object(), {{"pooling_mode", "mean"}, {"include_prompt", false}})).prompt.empty());
}

TEST_CASE("the length comes from the transformer's settings under any of their names") {
  const auto with_file = [](const char* name, const json& settings) {
    TinyModel model;
    model.sentence({{"pooling_mode", "mean"}});
    model.files[name] = settings.dump();
    return model;
  };
  CHECK(!good(with_pooling({{"pooling_mode", "mean"}})).max_length);
  CHECK(good(with_file("sentence_bert_config.json", {{"max_seq_length", 9}, {"do_lower_case", false}})).max_length ==
        9);
  CHECK(good(with_file("sentence_roberta_config.json", {{"max_seq_length", 11}})).max_length == 11);
  CHECK(!good(with_file("sentence_bert_config.json", {{"max_seq_length", nullptr}})).max_length);
  refused(with_file("sentence_bert_config.json", {{"max_seq_length", 0}}), "max_seq_length",
          "sentence_bert_config.json");
  refused(with_file("sentence_bert_config.json", {{"do_lower_case", true}}), "do_lower_case",
          "sentence_bert_config.json");
  refused(with_file("sentence_bert_config.json", {{"model_args", {{"attn", 1}}}}), "model_args",
          "sentence_bert_config.json");
  refused(with_file("sentence_bert_config.json", {{"transformer_task", "text-generation"}}), "transformer_task",
          "sentence_bert_config.json");
  refused(with_file("sentence_bert_config.json", {{"modality_config", {{"text", {{"method", "generate"}}}}}}),
          "modality_config", "sentence_bert_config.json");
}
