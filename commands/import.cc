#include "commands/import.h"

#include <filesystem>

#include <nlohmann/json.hpp>

#include "commands/chain.h"
#include "commands/label.h"
#include "formats/base/text.h"
#include "libmod/contract/names.h"
#include "libmod/contract/versions.h"
#include "libmod/import/hf_folder.h"
#include "libmod/module/semantics.h"

namespace modnet {
namespace {

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

/// The last part of a path, without trailing slashes.
std::string base_name(std::string path) {
  path = without_slashes(std::move(path));
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

Result<ImportOptions> read_options(const Invocation& invocation, const Engine& engine) {
  const Arguments& args = invocation.args;
  ImportOptions options;
  options.name = args.has("name") ? args.text("name") : base_name(invocation.output());
  MODNET_TRY(check_name(options.name, "a module"));
  options.version = args.text("version");
  if (auto version = parse_version(options.version); !version.ok()) return usage(version.error().what);
  options.licence = args.text("licence");
  if (args.has("pooling")) options.pooling = from_name<Pooling>(args.text("pooling"));
  options.tap = args.text("tap");
  if (args.has("max-length")) options.max_length = args.integer("max-length");
  options.context = engine.options.context;
  options.compression = compression_of(invocation);
  return options;
}

struct Written {
  std::string path;
  ModuleDigests digests;
  int64_t bytes = 0;
};

Result<int> run(Invocation& invocation) {
  MODNET_ASSIGN(const Engine engine, make_engine(invocation));
  MODNET_ASSIGN(const ImportOptions options, read_options(invocation, engine));
  const std::string source = invocation.args.word("SRC"), folder = without_slashes(invocation.output());
  const std::string paths[2] = {folder + "/encoder.mnet", folder + "/backbone.mnet"};
  if (invocation.overwrite() == Overwrite::kNo)
    for (const std::string& path : paths)
      if (std::filesystem::exists(path)) return Error{Code::kUsage, "OUTPUT_EXISTS", "the output exists already", {}, path, "use -f to replace it"};
  MODNET_ASSIGN(const std::unique_ptr<ImportedModel> model, import_hf_folder(source, options));
  std::vector<Written> written;
  if (!invocation.dry_run()) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    if (failed) return Error{Code::kUnavailable, "CANNOT_WRITE", "cannot make the folder: " + failed.message(), {}, folder, {}};
    // Both are written before either is committed, so a failure leaves none.
    std::vector<const MappedFile*> inputs;
    for (const auto& file : model->files) inputs.push_back(file.get());
    MODNET_ASSIGN(const std::unique_ptr<Output> encoder, invocation.open_target(paths[0]));
    MODNET_ASSIGN(const std::unique_ptr<Output> backbone, invocation.open_target(paths[1]));
    MODNET_ASSIGN(const ModuleDigests encoder_digests, model->encoder.write(*encoder));
    MODNET_ASSIGN(const ModuleDigests backbone_digests, model->backbone.write(*backbone));
    written = {{paths[0], encoder_digests, encoder->position()}, {paths[1], backbone_digests, backbone->position()}};
    MODNET_TRY(encoder->commit(inputs));
    MODNET_TRY(backbone->commit(inputs));
  }
  Console& console = invocation.console;
  std::string text = escape_text(options.name) + ": " + model->family + ", " + count_text(model->parameters) + " parameters, space " + model->space + ", at most " +
                     std::to_string(model->max_length) + " tokens\n";
  if (invocation.dry_run()) text += "would write " + paths[0] + " and " + paths[1] + "\n";
  for (const Written& one : written) text += one.path + "  " + bytes_text(one.bytes) + "  content sha256:" + short_digest(one.digests.content) + "\n";
  if (!model->dropped.empty()) {
    text += "left out, because no port reaches them:";
    for (size_t i = 0; i < model->dropped.size() && i < 8; ++i) text += " " + escape_text(model->dropped[i]);
    text += model->dropped.size() > 8 ? " and " + std::to_string(model->dropped.size() - 8) + " more\n" : "\n";
  }
  console.print(text);
  Json document{{"name", options.name}, {"family", model->family}, {"space", model->space}, {"max_length", model->max_length},
                {"parameters", model->parameters}, {"dropped", model->dropped}, {"dry_run", invocation.dry_run()}};
  document["files"] = Json::array();
  for (const Written& one : written)
    document["files"].push_back({{"file", one.path}, {"bytes", one.bytes}, {"content", hex(one.digests.content)}, {"file_digest", hex(one.digests.file)}});
  console.emit_json(document);
  return kExitOk;
}

}  // namespace

CommandSpec import_command() {
  return {
      .name = "import",
      .group = "make modules",
      .summary = "turn a Hugging Face or sentence-transformers folder into modules",
      .description =
          "Reads config.json, tokenizer.json, safetensors weights and, where there is one, modules.json, and writes "
          "encoder.mnet (text to tokens) and backbone.mnet (tokens to embeddings) into DIR. BERT, RoBERTa, XLM-RoBERTa and CamemBERT "
          "(byte-level BPE or WordPiece), DistilBERT and MPNet; pooling mean, cls or max, dense layers, normalisation.\n\n"
          "A key that is not understood stops the import with its name: nothing is guessed. Tensors that no port reaches "
          "are left out and listed. The backbone gets its probes: stored inputs with the outputs they must give.",
      .positionals = {{.name = "SRC", .help = "folder of the model"}},
      .options =
          {
              {.name = "name", .type = OptionType::kText, .metavar = "NAME", .help = "name of the model and of its spaces (default: the name of DIR)"},
              {.name = "version", .type = OptionType::kText, .metavar = "SEMVER", .help = "version of both modules", .default_text = "1.0.0"},
              {.name = "licence", .type = OptionType::kText, .metavar = "SPDX", .help = "licence of the model, as an SPDX expression"},
              {.name = "pooling", .type = OptionType::kChoice, .help = "instead of what the folder says", .choices = {"mean", "cls", "max", "none"}},
              {.name = "tap", .type = OptionType::kText, .metavar = "TAP", .help = "take the embedding at hidden.N instead of the last layer"},
              {.name = "max-length", .type = OptionType::kInteger, .metavar = "N", .help = "cut texts at N tokens, fewer than the folder says", .minimum = 1, .maximum = 1 << 20},
          },
      .writes = Writes::kModuleFolder,
      .examples = "modnet import minilm/model -o minilm/\nmodnet import minilm/model -o minilm-cls/ --pooling cls",
      .run = run,
  };
}

}  // namespace modnet
