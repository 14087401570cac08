#include "commands/encode.h"

#include "commands/feature_stream.h"

namespace modnet {
namespace {

Result<int> run(Invocation& invocation) {
  MODNET_ASSIGN(const ModuleFile encoder, ModuleFile::open_checked(invocation.args.word("ENCODER"), invocation));
  const ModuleIndex& index = encoder.view.index();
  if (index.identity.kind != Kind::kEncoder)
    return usage("is no encoder", "encode takes an encoder; embed runs a backbone and predict a composite").in_file(encoder.file.path());
  StreamJob job;
  job.modules = {&encoder};
  for (const Port& port : index.contract.ports)
    if (port.direction == Direction::kOutput) job.ports.push_back(port.name);
  job.data = read_data_options(invocation.args, invocation.args.word("DATA"));
  return run_stream(invocation, job);
}

}  // namespace

CommandSpec encode_command() {
  return {
      .name = "encode",
      .group = "run modules",
      .summary = "prepare raw data with an encoder",
      .description =
          "Runs an encoder on raw data (lines, CSV, TSV, JSON lines, IDX, npy; gzip and zstd are undone) and writes a stream of what "
          "the backbone reads: token ids, scaled pixels. The stream carries its contract, so the next command can check it.\n\n"
          "Texts longer than the model takes are cut and counted; --overflow error refuses them.",
      .positionals = {{.name = "ENCODER", .help = "an encoder module"}, {.name = "DATA", .help = "raw data; - is standard input"}},
      .options = joined({data_options(), run_options()}),
      .writes = Writes::kStream,
      .examples = "modnet encode minilm/encoder.mnet train.tsv --text text --label section -o train.tokens.arrow\n"
                  "zcat texts.gz | modnet encode minilm/encoder.mnet - | modnet embed minilm/backbone.mnet - -o texts.arrow",
      .run = run,
  };
}

}  // namespace modnet
