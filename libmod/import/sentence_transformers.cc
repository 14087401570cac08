#include "libmod/import/sentence_transformers.h"

#include <array>
#include <filesystem>

#include "formats/base/file.h"
#include "libmod/import/strict_json.h"

namespace modnet {
namespace {

constexpr int64_t kMaxConfig = int64_t{16} << 20;

/// A JSON file of the folder; nothing when it is not there.
Result<std::optional<nlohmann::json>> optional_config(const std::string& path) {
  std::error_code failed;  // a path that cannot even be looked at is an error of read_file
  if (!std::filesystem::exists(path, failed) && !failed) return std::optional<nlohmann::json>();
  MODNET_ASSIGN(const std::string text, read_file(path, kMaxConfig));
  MODNET_ASSIGN(nlohmann::json parsed, parse_config(text, path));
  return std::optional<nlohmann::json>(std::move(parsed));
}

Error not_understood(const std::string& file, const std::string& where, const std::string& what) {
  return Error{Code::kMalformed,
               "IMPORT_UNKNOWN",
               what,
               where,
               file,
               "a model that differs in it would silently compute something else"};
}

Status read_pooling(const std::string& path, SentenceConfig& config) {
  MODNET_ASSIGN(const auto parsed, optional_config(path));
  if (!parsed || !parsed->is_object()) return not_understood(path, "", "the pooling has no configuration");
  StrictObject object(*parsed, path);
  struct Mode {
    std::string key, name;
  };
  std::vector<Mode> modes;
  const nlohmann::json* listed = object.raw("pooling_mode");  // since version 6: one text or a list
  if (listed != nullptr) {
    for (const auto& one : listed->is_array() ? *listed : nlohmann::json::array({*listed})) {
      if (!one.is_string()) return object.unknown("pooling_mode", "mean, cls or max");
      modes.push_back({"pooling_mode", one.get<std::string>()});
    }
  }
  struct Old {
    std::string_view key, mode;
  };
  constexpr Old kOld[] = {{"pooling_mode_cls_token", "cls"},
                          {"pooling_mode_mean_tokens", "mean"},
                          {"pooling_mode_max_tokens", "max"},
                          {"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
                          {"pooling_mode_weightedmean_tokens", "weightedmean"},
                          {"pooling_mode_lasttoken", "lasttoken"}};
  for (const Old& old : kOld) {
    // The older versions take the mean where the file does not say that they should not.
    MODNET_ASSIGN(const bool set, object.boolean_or(old.key, listed == nullptr && old.mode == "mean"));
    if (set) modes.push_back({std::string(old.key), std::string(old.mode)});
  }
  if (modes.size() != 1) {
    std::string names;
    for (const Mode& mode : modes) names += (names.empty() ? "" : ", ") + mode.name;
    return not_understood(
        path, "pooling_mode",
        "key 'pooling_mode': expected exactly one of mean, cls and max, got " + (names.empty() ? "none" : names));
  }
  if (modes[0].name == "mean")
    config.pooling = Pooling::kMean;
  else if (modes[0].name == "cls")
    config.pooling = Pooling::kCls;
  else if (modes[0].name == "max")
    config.pooling = Pooling::kMax;
  else
    return not_understood(path, modes[0].key,
                          "key '" + modes[0].key + "': expected mean, cls or max, got '" + modes[0].name + "'");
  MODNET_ASSIGN(const int64_t old_width, object.integer_or("word_embedding_dimension", 1, 1 << 16, 0));
  MODNET_ASSIGN(const int64_t new_width, object.integer_or("embedding_dimension", 1, 1 << 16, 0));
  config.pooled_width = old_width > 0 ? old_width : new_width;
  MODNET_ASSIGN(const bool include_prompt, object.boolean_or("include_prompt", true));
  if (!include_prompt && !config.prompt.empty()) return object.unknown("include_prompt", "true");
  return object.finish();
}

Status read_dense(const std::string& folder, const std::string& path, SentenceConfig& config) {
  const std::string file = folder + "/" + path + "/config.json";
  MODNET_ASSIGN(const auto parsed, optional_config(file));
  if (!parsed || !parsed->is_object()) return not_understood(file, "", "the dense layer has no configuration");
  StrictObject object(*parsed, file);
  DenseLayer layer;
  layer.folder = path;
  MODNET_ASSIGN(layer.inputs, object.integer("in_features", 1, 1 << 16));
  MODNET_ASSIGN(layer.outputs, object.integer("out_features", 1, 1 << 16));
  MODNET_ASSIGN(layer.bias, object.boolean_or("bias", true));
  MODNET_ASSIGN(const std::string activation,
                object.text_or("activation_function", "torch.nn.modules.activation.Tanh"));
  const std::string name =
      activation.starts_with("torch.nn.modules.") ? activation.substr(activation.rfind('.') + 1) : "";
  if (name == "Tanh")
    layer.activation = UnaryOp::kTanh;
  else if (name == "ReLU")
    layer.activation = UnaryOp::kRelu;
  else if (name == "GELU")
    layer.activation = UnaryOp::kGelu;
  else if (name == "SiLU")
    layer.activation = UnaryOp::kSilu;
  else if (name == "Sigmoid")
    layer.activation = UnaryOp::kSigmoid;
  else if (name != "Identity")
    return object.unknown("activation_function", "Identity, Tanh, ReLU, GELU, SiLU or Sigmoid");
  MODNET_TRY(object.must_be("module_input_name", "sentence_embedding"));
  MODNET_TRY(object.must_be("module_output_name", "sentence_embedding"));
  config.dense.push_back(std::move(layer));
  return object.finish();
}

/// Folder names in modules.json stay inside of the model's folder.
Status check_folder(const std::string& file, const std::string& path) {
  if (path.empty()) return ok();
  if (path.front() == '/' || path.find("..") != std::string::npos || path.find('\0') != std::string::npos)
    return not_understood(file, "path", "the path '" + path + "' leaves the model's folder");
  return ok();
}

Status read_prompts(const std::string& folder, SentenceConfig& config) {
  const std::string file = folder + "/config_sentence_transformers.json";
  MODNET_ASSIGN(const auto parsed, optional_config(file));
  if (!parsed) return ok();
  if (!parsed->is_object()) return not_understood(file, "", "expected an object");
  StrictObject object(*parsed, file);
  constexpr std::array<std::string_view, 2> kBookkeeping = {"__version__", "model_type"};
  object.ignore(kBookkeeping);
  MODNET_ASSIGN(const std::string metric, object.text_or("similarity_fn_name", "cosine"));
  if (metric == "cosine")
    config.metric = Metric::kCosine;
  else if (metric == "dot")
    config.metric = Metric::kDot;
  else if (metric == "euclidean")
    config.metric = Metric::kL2;
  else
    return object.unknown("similarity_fn_name", "cosine, dot or euclidean");
  const nlohmann::json* prompts = object.raw("prompts");
  if (prompts != nullptr && !prompts->is_object()) return object.unknown("prompts", "an object");
  MODNET_ASSIGN(const std::string name, object.text_or("default_prompt_name", ""));
  if (!name.empty()) {
    const auto it = prompts == nullptr ? nlohmann::json::const_iterator() : prompts->find(name);
    if (prompts == nullptr || it == prompts->end() || !it->is_string())
      return object.unknown("default_prompt_name", "the name of a prompt");
    config.prompt = it->get<std::string>();
  }
  return object.finish();
}

/// The transformer's settings. Old versions named the file after the family; the first that is there counts, as there.
Status read_length(const std::string& folder, SentenceConfig& config) {
  std::string file;
  std::optional<nlohmann::json> parsed;
  for (const char* family : {"bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet"}) {
    file = folder + "/sentence_" + family + "_config.json";
    MODNET_ASSIGN(parsed, optional_config(file));
    if (parsed) break;
  }
  if (!parsed) return ok();
  if (!parsed->is_object()) return not_understood(file, "", "expected an object");
  StrictObject object(*parsed, file);
  if (object.raw("max_seq_length") != nullptr) {
    MODNET_ASSIGN(config.max_length, object.integer("max_seq_length", 1, int64_t{1} << 40));
  }
  MODNET_TRY(object.must_be("do_lower_case", false));
  MODNET_TRY(object.must_be("transformer_task", "feature-extraction"));
  MODNET_TRY(object.must_be("module_output_name", "token_embeddings"));
  if (const nlohmann::json* modality = object.raw("modality_config"); modality != nullptr) {
    const nlohmann::json expected = {{"text", {{"method", "forward"}, {"method_output_name", "last_hidden_state"}}}};
    if (*modality != expected) return object.unknown("modality_config", expected.dump());
  }
  return object.finish();
}

}  // namespace

Result<SentenceConfig> read_sentence_config(const std::string& folder) {
  SentenceConfig config;
  const std::string file = folder + "/modules.json";
  MODNET_ASSIGN(const auto modules, optional_config(file));
  if (!modules) return config;
  config.present = true;
  if (!modules->is_array() || modules->empty()) return not_understood(file, "", "expected a list of modules");
  MODNET_TRY(read_prompts(folder, config));
  bool pooled = false;
  for (size_t i = 0; i < modules->size(); ++i) {
    const std::string where = "[" + std::to_string(i) + "].";
    if (!(*modules)[i].is_object()) return not_understood(file, where, "expected an object");
    StrictObject object((*modules)[i], file, where);
    MODNET_TRY(object.must_be("idx", i));
    constexpr std::array<std::string_view, 1> kNames = {"name"};
    object.ignore(kNames);
    MODNET_ASSIGN(const std::string type, object.text("type"));
    MODNET_ASSIGN(const std::string path, object.text_or("path", ""));
    MODNET_TRY(check_folder(file, path));
    MODNET_TRY(object.finish());
    const std::string name = type.substr(type.rfind('.') + 1);
    if (!type.starts_with("sentence_transformers.")) return object.unknown("type", "a module of sentence_transformers");
    if (name == "Transformer" && i == 0) {
      config.transformer_folder = path;
    } else if (name == "Pooling" && i == 1) {
      MODNET_TRY(read_pooling(folder + "/" + path + "/config.json", config));
      pooled = true;
    } else if (name == "Dense" && pooled && !config.normalize) {
      MODNET_TRY(read_dense(folder, path, config));
    } else if (name == "Normalize" && pooled && !config.normalize) {
      config.normalize = true;
      const std::string normalize_file = folder + "/" + path + "/config.json";
      MODNET_ASSIGN(const auto parsed, optional_config(normalize_file));
      if (parsed && parsed->is_object()) {
        StrictObject settings(*parsed, normalize_file);
        MODNET_TRY(settings.must_be("module_input_name", "sentence_embedding"));
        MODNET_TRY(settings.must_be("module_output_name", "sentence_embedding"));
        MODNET_TRY(settings.finish());
      }
    } else {
      return object.unknown("type", "Transformer, Pooling, then Dense and Normalize, in this order");
    }
  }
  if (!pooled) return not_understood(file, "", "the list of modules has no Pooling");
  MODNET_TRY(
      read_length(config.transformer_folder.empty() ? folder : folder + "/" + config.transformer_folder, config));
  return config;
}

}  // namespace modnet
