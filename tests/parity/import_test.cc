// Every model folder of ../shared/parity/models through the import: families that modnet knows give the hidden states
// and embeddings of transformers and sentence-transformers; all others are refused by name.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "formats/base/file.h"
#include "formats/weights/safetensors.h"
#include "tests/parity/imported.h"
#include "tests/support/skip.h"

using namespace modnet;
using nlohmann::json;

namespace {

const char* const kEncoders[] = {"bert",    "bert_v4config", "bert_mlm",   "bert_seqcls", "bert_qa",
                                 "roberta", "roberta_mlm",   "distilbert", "mpnet"};
const char* const kSentence[] = {"st_cls", "st_max", "st_mean_norm", "st_mean_dense_norm"};
const char* const kOtherPoolings[] = {"st_concat", "st_lasttoken", "st_sqrtlen", "st_weightedmean"};

std::string models() {
  const std::optional<std::string> shared = test::shared_dir();
  if (!shared || !std::filesystem::is_directory(*shared + "/parity/models")) {
    test::skip_case("there are no reference models");
    return {};
  }
  return *shared + "/parity/models/";
}

struct Arrays {
  MappedFile file;
  Safetensors content;
};
Arrays read_arrays(const std::string& path) {
  Arrays out;
  auto file = MappedFile::open(path);
  REQUIRE_MESSAGE(file.ok(), path);
  out.file = std::move(file).value();
  auto content = read_safetensors(out.file.bytes());
  REQUIRE_MESSAGE(content.ok(), path);
  out.content = std::move(content).value();
  return out;
}

template <typename T>
std::vector<T> numbers(const ForeignTensor& tensor) {
  std::vector<T> out(tensor.data.size() / sizeof(T));
  if (!out.empty()) std::memcpy(out.data(), tensor.data.data(), tensor.data.size());
  return out;
}

/// The rows of a padded batch that the mask keeps, packed.
struct Ragged {
  std::vector<int32_t> ids, types;
  std::vector<int64_t> offsets = {0};
  std::vector<int64_t> kept;  // row numbers in the padded batch
};
Ragged pack(const Safetensors& in) {
  const ForeignTensor* ids = in.find("input_ids");
  REQUIRE(ids != nullptr);
  REQUIRE(ids->dtype == DType::kI64);
  const auto values = numbers<int64_t>(*ids);
  const ForeignTensor* mask = in.find("attention_mask");
  const ForeignTensor* types = in.find("token_type_ids");
  const auto mask_values = mask != nullptr ? numbers<int64_t>(*mask) : std::vector<int64_t>(values.size(), 1);
  const auto type_values = types != nullptr ? numbers<int64_t>(*types) : std::vector<int64_t>(values.size(), 0);
  Ragged out;
  const int64_t width = ids->shape[1];
  for (int64_t item = 0; item < ids->shape[0]; ++item) {
    for (int64_t at = 0; at < width; ++at) {
      const auto place = static_cast<size_t>(item * width + at);
      if (mask_values[place] == 0) continue;
      REQUIRE((at == 0 || mask_values[place - 1] == 1));  // right padding only: positions count from the first token
      out.ids.push_back(static_cast<int32_t>(values[place]));
      out.types.push_back(static_cast<int32_t>(type_values[place]));
      out.kept.push_back(item * width + at);
    }
    out.offsets.push_back(static_cast<int64_t>(out.ids.size()));
  }
  return out;
}

std::vector<PortColumn> columns_of(const Ragged& batch) {
  return {{"tokens", DType::kI32, batch.ids.data(), batch.offsets, {}},
          {"token_types", DType::kI32, batch.types.data(), batch.offsets, {}}};
}

/// Rows `kept` of `want` ([.., width]) against `got`, |a − b| ≤ atol + rtol · |b|. Returns the worst |a − b|.
double compare(const std::vector<float>& got, const ForeignTensor& want, const std::vector<int64_t>& kept,
               int64_t width, const json& spec) {
  const auto expected = numbers<float>(want);
  REQUIRE(want.shape.back() == width);
  REQUIRE(got.size() == kept.size() * static_cast<size_t>(width));
  const double atol = spec.at("atol").get<double>(), rtol = spec.at("rtol").get<double>();
  double worst = 0;
  int64_t outside = 0;
  for (size_t row = 0; row < kept.size(); ++row)
    for (int64_t i = 0; i < width; ++i) {
      const double a = got[row * static_cast<size_t>(width) + static_cast<size_t>(i)],
                   b = expected[static_cast<size_t>(kept[row] * width + i)];
      worst = std::max(worst, std::fabs(a - b));
      if (!(std::fabs(a - b) <= atol + rtol * std::fabs(b))) ++outside;
    }
  CAPTURE(worst);
  CHECK(outside == 0);
  return worst;
}

std::vector<std::string> texts_of(const json& group) { return group.at("texts").get<std::vector<std::string>>(); }

OutputColumn encode(const test::Imported& model, const std::vector<std::string>& texts, const ComputeContext& context) {
  auto runner = test::runner_of(*model.encoder, {"tokens"}, context);
  REQUIRE(runner.ok());
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  PortColumn column;
  column.port = "text";
  column.texts = views;
  std::vector<OutputColumn> outputs;
  const auto counts = runner->run({&column, 1}, static_cast<int64_t>(texts.size()), &outputs);
  REQUIRE(counts.ok());
  return std::move(outputs.at(0));
}

json case_of(const std::string& folder) {
  std::ifstream file(folder + "/case.json");
  return json::parse(file);
}

}  // namespace

TEST_CASE("encoders of the BERT family give the hidden states of transformers at every real token") {
  const std::string root = models();
  if (root.empty()) return;
  ThreadPool pool(2);
  ImportOptions options;
  options.name = "tiny";
  options.pooling = Pooling::kNone;
  options.context.pool = &pool;
  for (const std::string entry : kEncoders) {
    CAPTURE(entry);
    const std::string folder = root + entry + "-s0";
    const json spec = case_of(folder);
    auto model = test::import_to_memory(folder + "/model", options);
    REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : test::text_of(model.error())));
    int64_t compared = 0;
    for (const json& call : spec.at("calls")) {
      const std::string name = call.at("name").get<std::string>();
      CAPTURE(name);
      const Arrays in = read_arrays(folder + "/io/" + name + ".in.safetensors"),
                   out = read_arrays(folder + "/io/" + name + ".out.safetensors");
      std::vector<std::string> wanted, references;
      for (const auto& [output, unused] : call.at("outputs").items()) {
        if (output == "last_hidden_state")
          wanted.emplace_back("token_embeddings");
        else if (output.starts_with("hidden_states."))
          wanted.push_back("hidden." + output.substr(14));
        else
          continue;  // heads and poolers are not imported
        references.push_back(output);
      }
      if (wanted.empty()) continue;
      const Ragged batch = pack(in.content);
      auto runner = test::runner_of(*(*model)->backbone, wanted, options.context);
      REQUIRE_MESSAGE(runner.ok(), (runner.ok() ? "" : test::text_of(runner.error())));
      std::vector<OutputColumn> got;
      const auto columns = columns_of(batch);
      const auto counts = runner->run(columns, static_cast<int64_t>(batch.offsets.size()) - 1, &got);
      REQUIRE_MESSAGE(counts.ok(), (counts.ok() ? "" : test::text_of(counts.error())));
      for (size_t i = 0; i < wanted.size(); ++i) {
        CAPTURE(references[i]);
        const ForeignTensor* want = out.content.find(references[i]);
        REQUIRE(want != nullptr);
        CHECK(got[i].offsets == batch.offsets);
        compare(got[i].values, *want, batch.kept, got[i].width, call.at("outputs").at(references[i]));
        ++compared;
      }
    }
    CHECK(compared >= 3);
    // Heads and poolers are left out, and said to be.
    const auto& dropped = (*model)->model->dropped;
    const auto lists = [&](std::string_view name) {
      return std::find(dropped.begin(), dropped.end(), name) != dropped.end();
    };
    if (entry == "bert") CHECK(lists("pooler.dense.weight"));
    if (entry == "bert_seqcls") CHECK(lists("classifier.weight"));
    if (entry == "bert_qa") CHECK(lists("qa_outputs.bias"));
    if (entry == "distilbert") CHECK(dropped.empty());
  }
}

TEST_CASE("imported encoders give the token ids that the reference inputs were made of") {
  const std::string root = models();
  if (root.empty()) return;
  ThreadPool pool(1);
  ImportOptions options;
  options.name = "tiny";
  options.pooling = Pooling::kNone;
  options.context.pool = &pool;
  for (const std::string entry : kEncoders) {
    if (entry == "mpnet") continue;  // its inputs hold a pad id that no text gives
    CAPTURE(entry);
    const std::string folder = root + entry + "-s0";
    const json spec = case_of(folder);
    auto model = test::import_to_memory(folder + "/model", options);
    REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : test::text_of(model.error())));
    const char* const calls[] = {"padded", "single"};
    for (size_t i = 0; i < 2; ++i) {
      const Arrays in = read_arrays(folder + "/io/" + calls[i] + ".in.safetensors");
      const Ragged batch = pack(in.content);
      const OutputColumn tokens = encode(**model, texts_of(spec.at("texts").at(i)), options.context);
      CHECK(tokens.ids == batch.ids);
      CHECK(tokens.offsets == batch.offsets);
    }
  }
}

TEST_CASE("sentence-transformers folders give their embeddings, from ids and from texts") {
  const std::string root = models();
  if (root.empty()) return;
  ThreadPool pool(2);
  ImportOptions options;
  options.name = "tiny";
  options.context.pool = &pool;
  for (const std::string entry : kSentence) {
    CAPTURE(entry);
    const std::string folder = root + entry + "-s0";
    const json spec = case_of(folder);
    auto model = test::import_to_memory(folder + "/model", options);
    REQUIRE_MESSAGE(model.ok(), (model.ok() ? "" : test::text_of(model.error())));
    CHECK((*model)->model->max_length == 24);
    const Arrays in = read_arrays(folder + "/io/encode.in.safetensors"),
                 out = read_arrays(folder + "/io/encode.out.safetensors");
    const Ragged batch = pack(in.content);
    const OutputColumn tokens = encode(**model, texts_of(spec.at("texts").at(0)), options.context);
    CHECK(tokens.ids == batch.ids);
    CHECK(tokens.offsets == batch.offsets);

    auto runner = test::runner_of(*(*model)->backbone, {"embedding"}, options.context);
    REQUIRE_MESSAGE(runner.ok(), (runner.ok() ? "" : test::text_of(runner.error())));
    std::vector<OutputColumn> got;
    const auto columns = columns_of(batch);
    const auto counts = runner->run({columns.data(), 1}, static_cast<int64_t>(batch.offsets.size()) - 1, &got);
    REQUIRE_MESSAGE(counts.ok(), (counts.ok() ? "" : test::text_of(counts.error())));
    const ForeignTensor* want = out.content.find("embeddings");
    REQUIRE(want != nullptr);
    std::vector<int64_t> rows(static_cast<size_t>(want->shape[0]));
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<int64_t>(i);
    compare(got.at(0).values, *want, rows, got.at(0).width, spec.at("calls").at(0).at("outputs").at("embeddings"));
    const SpaceRecord space = *got.at(0).port.space;
    CHECK(space.normalized == (entry == "st_mean_norm" || entry == "st_mean_dense_norm"));
  }
}

TEST_CASE("poolings that modnet does not compute stop the import with the key's name") {
  const std::string root = models();
  if (root.empty()) return;
  ThreadPool pool(1);
  ImportOptions options;
  options.name = "tiny";
  options.context.pool = &pool;
  for (const std::string entry : kOtherPoolings) {
    CAPTURE(entry);
    const auto model = import_hf_folder(root + entry + "-s0/model", options);
    REQUIRE(!model.ok());
    CHECK(model.error().code == Code::kMalformed);
    CHECK(model.error().id == "IMPORT_UNKNOWN");
    CHECK(model.error().what.find("pooling_mode") != std::string::npos);
    CHECK(model.error().file.ends_with("1_Pooling/config.json"));
  }
}

TEST_CASE("every other folder is refused by the name of what is not understood") {
  const std::string root = models();
  if (root.empty()) return;
  ThreadPool pool(1);
  ImportOptions options;
  options.name = "tiny";
  options.pooling = Pooling::kNone;
  options.context.pool = &pool;
  std::set<std::string> known;
  for (const char* entry : kEncoders) known.insert(entry);
  for (const char* entry : kSentence) known.insert(entry);
  for (const char* entry : kOtherPoolings) known.insert(entry);
  int64_t refused = 0;
  for (const auto& item : std::filesystem::directory_iterator(root)) {
    const std::string name = item.path().filename().string();
    const std::string entry = name.substr(0, name.rfind("-s"));
    if (!item.is_directory() || known.contains(entry)) continue;
    CAPTURE(entry);
    const auto model = import_hf_folder(item.path().string() + "/model", options);
    REQUIRE(!model.ok());
    CAPTURE(test::text_of(model.error()));
    CHECK((model.error().code == Code::kMalformed || model.error().code == Code::kInvalid));
    if (entry == "xlm_roberta") {
      CHECK(model.error().where == "model.type");
      CHECK(model.error().file.ends_with("tokenizer.json"));
    } else {
      CHECK(model.error().id == "IMPORT_UNKNOWN");
      CHECK(model.error().where == "model_type");
      CHECK(model.error().file.ends_with("config.json"));
    }
    ++refused;
  }
  CHECK(refused >= 30);
}
