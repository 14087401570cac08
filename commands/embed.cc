#include "commands/embed.h"

#include <optional>

#include "commands/embedding_cache.h"
#include "commands/evidence.h"
#include "commands/feature_stream.h"
#include "formats/base/text.h"
#include "formats/module/evidence.h"
#include "formats/module/probes.h"

namespace modnet {
namespace {

/// The port that embed gives unless --port names one: the first with an embedding space.
std::string default_port(const Contract& contract) {
  for (const Port& port : contract.ports)
    if (port.direction == Direction::kOutput && port.space && port.semantic == Semantic::kEmbedding) return port.name;
  for (const Port& port : contract.ports)
    if (port.direction == Direction::kOutput && port.space) return port.name;
  return {};
}

/// The probes of the module, or of the component that gives a composite its spaces.
Result<std::string> probes_of(const ModuleView& view) {
  MODNET_ASSIGN(const Bytes trailer, view.trailer(TrailerKind::kProbes));
  if (!trailer.empty()) return std::string(as_text(trailer));
  if (view.find_component("backbone") == nullptr) return std::string();
  MODNET_ASSIGN(const ModuleView backbone, view.component("backbone"));
  return probes_of(backbone);
}

Result<int> run(Invocation& invocation) {
  const Arguments& args = invocation.args;
  MODNET_ASSIGN(const ModuleFile backbone, ModuleFile::open_checked(args.word("BACKBONE"), invocation));
  std::optional<ModuleFile> encoder;
  StreamJob job;
  if (args.has("encoder")) {
    MODNET_ASSIGN(encoder, ModuleFile::open_checked(args.text("encoder"), invocation));
    job.modules.push_back(&*encoder);
  }
  job.modules.push_back(&backbone);
  const Contract& contract = backbone.view.index().contract;
  const std::string port = args.has("port") ? args.text("port") : default_port(contract);
  if (port.empty()) {
    const Kind kind = backbone.view.index().identity.kind;
    const char* fix = kind == Kind::kHead      ? "embed takes a backbone or a composite; predict runs a head"
                      : kind == Kind::kEncoder ? "embed takes a backbone or a composite; encode runs an encoder"
                                               : "name an output with --port; modnet inspect lists them";
    return usage("has no output with an embedding space", fix).in_file(backbone.file.path());
  }
  job.ports = {port};
  auto probes = probes_of(backbone.view);
  if (!probes.ok()) return std::move(probes).error().in_file(backbone.file.path());
  job.probes = std::move(*probes);
  if (const auto evidence = collect_evidence(backbone.view); evidence.ok()) {
    MODNET_ASSIGN(job.evidence, encode_evidence(*evidence));
  } else {
    invocation.console.warn(escape_text(input_name(backbone.file.path())) + ": its evidence cannot be read and is not handed on: " + escape_text(evidence.error().what));
  }
  job.data = read_data_options(args, args.word("DATA").empty() ? "-" : args.word("DATA"));
  return run_stream(invocation, job);
}

}  // namespace

CommandSpec embed_command() {
  return {
      .name = "embed",
      .group = "run modules",
      .summary = "turn prepared data into embeddings",
      .description =
          "Runs a backbone on a stream of prepared inputs, or on raw data with --encoder, and writes a stream of embeddings with their "
          "space, its probes, the evidence that the backbone carries, and the digests of what made them. A composite uses its own encoder.\n\n"
          "With the portable policy a row's bits do not depend on --batch-size, order, --threads or CPU.",
      .positionals = {{.name = "BACKBONE", .help = "a backbone or composite"}, {.name = "DATA", .help = "a stream, or raw data; - (the default) is standard input", .minimum = 0}},
      .options = joined({{{.name = "encoder", .type = OptionType::kPath, .metavar = "FILE", .help = "encoder for raw data"},
                          {.name = "port", .type = OptionType::kText, .metavar = "NAME", .help = "output port or tap to give (default: the embedding)"}},
                         data_options(),
                         run_options(),
                         cache_options()}),
      .writes = Writes::kStream,
      .computes = Computes::kPolicy,
      .examples = "modnet embed minilm/backbone.mnet train.tokens.arrow -o train.arrow\n"
                  "modnet embed minilm/backbone.mnet --encoder minilm/encoder.mnet test.tsv --text text --label section -o test.arrow",
      .run = run,
  };
}

}  // namespace modnet
