// A folder written by the test: what is understood becomes two modules, what is not stops with its name.
#include "tests/unit/import/import_tiny.h"

using namespace modnet;
using namespace modnet::test;
using nlohmann::json;

namespace {

/// The names of the module's tensors.
std::vector<std::string> tensor_names(const std::string& file) {
  auto view = ModuleView::open(as_bytes(file));
  REQUIRE(view.ok());
  std::vector<std::string> names;
  for (const TensorRecord& tensor : view->index().tensors) names.push_back(tensor.name);
  return names;
}

bool lists(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The same weights in two files with an index.
void shard(TinyModel& model) {
  std::map<std::string, TinyTensor> parts[2];
  json map = json::object();
  int at = 0;
  for (const auto& [name, tensor] : model.tensors) {
    const int part = at++ % 2;
    parts[part][name] = tensor;
    map[name] = "model-0000" + std::to_string(part + 1) + "-of-00002.safetensors";
  }
  model.files["model.safetensors"] = "";
  model.files["model-00001-of-00002.safetensors"] = safetensors_of(parts[0]);
  model.files["model-00002-of-00002.safetensors"] = safetensors_of(parts[1]);
  model.files["model.safetensors.index.json"] = json({{"metadata", {{"total_size", 1}}}, {"weight_map", map}}).dump();
}

void rename(TinyModel& model, const std::string& from, const std::string& to) {
  auto node = model.tensors.extract(from);
  REQUIRE(!node.empty());
  node.key() = to;
  model.tensors.insert(std::move(node));
}

}  // namespace

TEST_CASE("a plain folder becomes an encoder and a backbone with probes") {
  const TinyImport made = good_import(TinyModel());
  CHECK(made.model->family == "bert");
  CHECK(made.model->space == "tiny/mean@1");
  CHECK(made.model->dropped == std::vector<std::string>{"pooler.dense.bias", "pooler.dense.weight"});
  const auto encoder = ModuleView::open(as_bytes(made.encoder)), backbone = ModuleView::open(as_bytes(made.backbone));
  REQUIRE(encoder.ok());
  REQUIRE(backbone.ok());
  CHECK(encoder->index().identity.kind == Kind::kEncoder);
  CHECK(backbone->index().identity.kind == Kind::kBackbone);
  CHECK(backbone->index().tensors.size() == 21);
  CHECK(made.embedding().dims.back().size == 8);
  CHECK(!made.embedding().space->normalized);
  CHECK(made.embedding().space->fingerprint == made.embedding().space->root);
  const auto probes = backbone->probes();
  REQUIRE(probes.ok());
  CHECK(probes->count >= 64);
  CHECK(probes->inputs.at(0).port == "tokens");
  CHECK(probes->outputs.size() == 3);  // embedding, and the mean and first row of the token embeddings
}

TEST_CASE("the same folder gives the same bytes again, on any number of threads") {
  TinyModel model;
  model.sentence({{"pooling_mode", "cls"}});
  const TinyImport first = good_import(model), second = good_import(model, {}, 2);
  CHECK(first.encoder == second.encoder);
  CHECK(first.backbone == second.backbone);
}

TEST_CASE("a folder without modules.json needs --pooling") {
  const auto made = try_import(TinyModel(), {});
  REQUIRE(!made.ok());
  CHECK(made.error().code == Code::kUsage);
  CHECK(made.error().fix.find("--pooling") != std::string::npos);
}

TEST_CASE("other poolings and taps are other spaces of the same dimension") {
  TinyModel model;
  model.sentence({{"pooling_mode", "mean"}});
  const TinyImport mean = good_import(model);
  ImportOptions options;
  options.pooling = Pooling::kCls;
  const TinyImport cls = good_import(model, options);
  options.pooling = Pooling::kMax;
  const TinyImport max = good_import(model, options);
  options.pooling.reset();
  options.tap = "hidden.0";
  const TinyImport tap = good_import(model, options);
  const Port ports[] = {mean.embedding(), cls.embedding(), max.embedding(), tap.embedding()};
  CHECK(ports[0].space->id == "tiny/mean-l2");
  CHECK(ports[1].space->id == "tiny/cls-l2");
  CHECK(ports[3].space->id == "tiny/mean-l2-hidden.0");
  for (size_t a = 0; a < 4; ++a) {
    CHECK(ports[a].dims.back().size == 8);
    for (size_t b = a + 1; b < 4; ++b) {
      CHECK(ports[a].space->id != ports[b].space->id);
      CHECK(ports[a].space->fingerprint != ports[b].space->fingerprint);
    }
  }
  // Layers behind the tap are left out.
  CHECK(!lists(tensor_names(tap.backbone), "encoder.layer.0.output.dense.weight"));
  CHECK(lists(tap.model->dropped, "encoder.layer.0.output.dense.weight"));
  options.tap = "hidden.2";
  const auto beyond = try_import(model, options);
  REQUIRE(!beyond.ok());
  CHECK(beyond.error().code == Code::kUsage);
}

TEST_CASE("without pooling the token embeddings are the only output") {
  TinyModel model;
  model.sentence({{"pooling_mode", "mean"}});
  ImportOptions options;
  options.pooling = Pooling::kNone;
  const TinyImport made = good_import(model, options);
  const auto view = ModuleView::open(as_bytes(made.backbone));
  REQUIRE(view.ok());
  int64_t outputs = 0;
  for (const Port& port : view->index().contract.ports) outputs += port.direction == Direction::kOutput ? 1 : 0;
  CHECK(outputs == 1);
  CHECK(made.model->space == "tiny/tokens@1");
}

TEST_CASE("an unknown key of config.json stops the import with its name") {
  TinyModel model;
  model.config["rope_theta"] = 10000;
  const Error error = refused_import(model);
  CHECK(error.code == Code::kMalformed);
  CHECK(error.id == "IMPORT_UNKNOWN");
  CHECK(says(error, "'rope_theta'"));
  CHECK(error.file.ends_with("config.json"));
}

TEST_CASE("values that would make another model stop the import with the key's name") {
  const std::pair<const char*, json> changes[] = {{"model_type", "t5"},
                                                  {"is_decoder", true},
                                                  {"add_cross_attention", true},
                                                  {"position_embedding_type", "relative_key"},
                                                  {"hidden_act", "quick_gelu"},
                                                  {"hidden_size", "8"},
                                                  {"num_attention_heads", 3},
                                                  {"vocab_size", -1},
                                                  {"layer_norm_eps", 0},
                                                  {"pruned_heads", {{"0", {1}}}},
                                                  {"max_position_embeddings", 1e30}};
  for (const auto& [key, value] : changes) {
    CAPTURE(key);
    TinyModel model;
    model.config[key] = value;
    const Error error = refused_import(model);
    CHECK(error.id == "IMPORT_UNKNOWN");
    CHECK(says(error, "'" + std::string(key) + "'"));
    CHECK(error.file.ends_with("config.json"));
  }
  TinyModel without;
  without.config.erase("hidden_size");
  CHECK(says(refused_import(without), "'hidden_size'"));
}

TEST_CASE("missing, misshapen and surplus tensors are refused by name") {
  TinyModel missing;
  missing.tensors.erase("encoder.layer.0.output.dense.bias");
  CHECK(says(refused_import(missing), "'encoder.layer.0.output.dense.bias'"));
  TinyModel shape;
  shape.add("encoder.layer.0.intermediate.dense.weight", {8, 16});
  CHECK(says(refused_import(shape), "expected shape [16,8], got [8,16]"));
  for (const char* name :
       {"encoder.layer.1.output.dense.bias", "encoder.layer.0.adapter.weight", "embeddings.rotary.weight"}) {
    TinyModel surplus;
    surplus.add(name, {8});
    const Error error = refused_import(surplus);
    CHECK(error.id == "IMPORT_UNKNOWN");
    CHECK(says(error, name));
  }
  TinyModel fewer;
  fewer.config["num_hidden_layers"] = 0;  // the checkpoint has one
  CHECK(refused_import(fewer).id == "IMPORT_UNKNOWN");
}

TEST_CASE("heads, stored buffers and the prefix of task models do not matter") {
  const TinyImport plain = good_import(TinyModel());
  TinyModel task;
  std::vector<std::string> names;
  for (const auto& [name, tensor] : task.tensors) names.push_back(name);
  for (const std::string& name : names) rename(task, name, "bert." + name);
  rename(task, "bert.encoder.layer.0.output.LayerNorm.weight", "bert.encoder.layer.0.output.LayerNorm.gamma");
  rename(task, "bert.encoder.layer.0.output.LayerNorm.bias", "bert.encoder.layer.0.output.LayerNorm.beta");
  task.add("classifier.weight", {3, 8});
  task.add("bert.embeddings.position_ids", {1, 20});
  // The same weights as plain's, whose numbers came from their names.
  for (const std::string& name : names) {
    std::string stored = "bert." + name;
    if (name == "encoder.layer.0.output.LayerNorm.weight") stored = "bert.encoder.layer.0.output.LayerNorm.gamma";
    if (name == "encoder.layer.0.output.LayerNorm.bias") stored = "bert.encoder.layer.0.output.LayerNorm.beta";
    REQUIRE(task.tensors.contains(stored));
  }
  const TinyImport made = good_import(task);
  CHECK(made.backbone == plain.backbone);
  CHECK(lists(made.model->dropped, "classifier.weight"));
  CHECK(lists(made.model->dropped, "bert.embeddings.position_ids"));
}

TEST_CASE("a sharded checkpoint gives the same modules") {
  TinyModel model;
  shard(model);
  CHECK(good_import(model).backbone == good_import(TinyModel()).backbone);
  model.files["model-00002-of-00002.safetensors"] = "";
  const auto made = try_import(model, {});
  CHECK(!made.ok());
}

TEST_CASE("pickled weights are refused with what to do") {
  TinyModel model;
  model.files["model.safetensors"] = "";
  CHECK(says(refused_import(model), "model.safetensors"));
  model.files["pytorch_model.bin"] = "PK";
  const Error error = refused_import(model);
  CHECK(error.code == Code::kUnreadable);
  CHECK(says(error, "pytorch_model.bin"));
  CHECK(error.fix.find("safetensors") != std::string::npos);
}

TEST_CASE("dense layers are checked against the widths before them") {
  const auto with_dense = [](int64_t inputs, const char* extra) {
    TinyModel model;
    model.sentence({{"pooling_mode", "mean"}}, {"Dense", "Normalize"});
    model.files["2_Dense/config.json"] = json({{"in_features", inputs}, {"out_features", 5}, {"bias", true}}).dump();
    TinyModel dense;
    dense.tensors.clear();
    dense.add("linear.weight", {5, 8});
    dense.add(extra, {5});
    model.files["2_Dense/model.safetensors"] = safetensors_of(dense.tensors);
    return model;
  };
  const TinyImport made = good_import(with_dense(8, "linear.bias"));
  CHECK(made.embedding().dims.back().size == 5);
  CHECK(made.embedding().space->id == "tiny/mean-dense-l2");
  CHECK(says(refused_import(with_dense(9, "linear.bias")), "in_features"));
  CHECK(says(refused_import(with_dense(8, "linear.scale")), "'linear.scale'"));
  TinyModel width;
  width.sentence({{"pooling_mode", "mean"}, {"embedding_dimension", 9}});
  CHECK(says(refused_import(width), "width"));
}

TEST_CASE("broken files are errors that name them") {
  for (const char* name :
       {"config.json", "tokenizer.json", "model.safetensors", "modules.json", "tokenizer_config.json"})
    for (const std::string& bytes :
         {std::string("{"), std::string("{}\0x", 4), std::string("\xff\xfe"), std::string("[[[[")}) {
      CAPTURE(name);
      CAPTURE(bytes);
      TinyModel model;
      model.files[name] = bytes;
      ImportOptions options;
      options.pooling = Pooling::kMean;
      const Error error = refused_import(model, options);
      CHECK((error.code == Code::kMalformed || error.code == Code::kInvalid));
      CHECK(error.file.ends_with(name));
    }
  for (const char* name : {"config.json", "tokenizer.json"}) {
    TinyModel model;
    model.files[name] = "";
    const Error error = refused_import(model);
    CHECK(error.code == Code::kUnreadable);
    CHECK(error.file.ends_with(name));
  }
  CHECK(import_hf_folder("/nowhere/at/all", {}).error().code == Code::kUnreadable);
  CHECK(!import_hf_folder(std::string(5000, 'x'), {}).ok());
}
