// A BERT of a few numbers as a user would download it, written file by file so that a test can change one thing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/file_bytes.h"
#include "tests/support/temp_dir.h"

namespace modnet::test {

struct TinyTensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
};

/// A safetensors file of f32 tensors.
[[nodiscard]] inline std::string safetensors_of(const std::map<std::string, TinyTensor>& tensors) {
  nlohmann::json header = nlohmann::json::object();
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = data.size();
    for (const float value : tensor.values) data += le(value);
    header[name] = {{"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  return safetensors_bytes(header.dump(), data);
}

struct TinyModel {
  nlohmann::json config = {{"model_type", "bert"},          {"vocab_size", 12},         {"hidden_size", 8},
                           {"num_hidden_layers", 1},        {"num_attention_heads", 2}, {"intermediate_size", 16},
                           {"max_position_embeddings", 20}, {"type_vocab_size", 2},     {"hidden_act", "gelu"}};
  nlohmann::json tokenizer = word_pieces();
  std::map<std::string, TinyTensor> tensors;
  std::map<std::string, std::string> files;  // more files, by path in the folder; they win

  TinyModel() {
    add("embeddings.word_embeddings.weight", {12, 8});
    add("embeddings.position_embeddings.weight", {20, 8});
    add("embeddings.token_type_embeddings.weight", {2, 8});
    add_pair("embeddings.LayerNorm", {8});
    const std::string layer = "encoder.layer.0.";
    for (const char* name :
         {"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"})
      add_pair(layer + name, {8, 8});
    add_pair(layer + "attention.output.LayerNorm", {8});
    add_pair(layer + "intermediate.dense", {16, 8});
    add_pair(layer + "output.dense", {8, 16});
    add_pair(layer + "output.LayerNorm", {8});
    add_pair("pooler.dense", {8, 8});
  }

  /// A WordPiece tokenizer of twelve tokens.
  [[nodiscard]] static nlohmann::json word_pieces() {
    using nlohmann::json;
    json out = json::parse(R"({
      "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
      "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                     "strip_accents": null, "lowercase": true},
      "pre_tokenizer": {"type": "BertPreTokenizer"},
      "post_processor": {"type": "TemplateProcessing", "single": [], "pair": [], "special_tokens": {
        "[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
        "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
      "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
      "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100, "vocab": {
        "[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "b": 5, "c": 6, "##a": 7, "##b": 8, "##c": 9,
        "the": 10, "cat": 11}}})");
    for (int id = 0; id < 4; ++id) {
      json token = {{"id", id}, {"special", true}};
      for (const char* flag : {"single_word", "lstrip", "rstrip", "normalized"}) token[flag] = false;
      for (const auto& [content, number] : out["model"]["vocab"].items())
        if (number == id) token["content"] = content;
      out["added_tokens"].push_back(token);
    }
    const auto piece = [](const char* kind, const char* id, int type) {
      json inner = {{"id", id}, {"type_id", type}};
      json item = json::object();
      item[kind] = inner;
      return item;
    };
    json& post = out["post_processor"];
    for (const char* form : {"single", "pair"}) {
      post[form].push_back(piece("SpecialToken", "[CLS]", 0));
      post[form].push_back(piece("Sequence", "A", 0));
      post[form].push_back(piece("SpecialToken", "[SEP]", 0));
    }
    post["pair"].push_back(piece("Sequence", "B", 1));
    post["pair"].push_back(piece("SpecialToken", "[SEP]", 1));
    return out;
  }

  /// A tensor of small numbers that depend on its name.
  void add(const std::string& name, std::vector<int64_t> shape) {
    TinyTensor tensor{std::move(shape), {}};
    int64_t count = 1;
    for (const int64_t dim : tensor.shape) count *= dim;
    uint32_t state = 2166136261u;
    for (const char c : name) state = (state ^ static_cast<uint8_t>(c)) * 16777619u;
    for (int64_t i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      tensor.values.push_back(static_cast<float>(static_cast<int32_t>(state >> 8) - (1 << 23)) /
                              static_cast<float>(1 << 23));
    }
    tensors[name] = std::move(tensor);
  }
  void add_pair(const std::string& name, std::vector<int64_t> shape) {
    const int64_t width = shape[0];
    add(name + ".weight", std::move(shape));
    add(name + ".bias", {width});
  }
  /// The files of a sentence-transformers folder: pooling as given, and whether the embedding is normalised.
  void sentence(const nlohmann::json& pooling, const std::vector<std::string>& more = {"Normalize"}) {
    nlohmann::json modules = {module(0, "Transformer", ""), module(1, "Pooling", "1_Pooling")};
    for (const std::string& type : more)
      modules.push_back(module(modules.size(), type, std::to_string(modules.size()) + "_" + type));
    files["modules.json"] = modules.dump();
    files["1_Pooling/config.json"] = pooling.dump();
  }
  [[nodiscard]] static nlohmann::json module(size_t at, const std::string& type, const std::string& path) {
    return {
        {"idx", at}, {"name", std::to_string(at)}, {"path", path}, {"type", "sentence_transformers.models." + type}};
  }

  /// Writes everything into `dir` and returns the folder's path. A file with no bytes in `files` is left out.
  std::string write(const TempDir& dir) const {
    std::map<std::string, std::string> all = {{"config.json", config.dump()},
                                              {"tokenizer.json", tokenizer.dump()},
                                              {"model.safetensors", safetensors_of(tensors)}};
    for (const auto& [name, bytes] : files) all[name] = bytes;
    for (const auto& [name, bytes] : all) {
      if (bytes.empty()) continue;
      std::filesystem::create_directories(std::filesystem::path(dir / name).parent_path());
      dir.write(name, bytes);
    }
    return dir.path();
  }
};

}  // namespace modnet::test
