// Modules run one behind the other: an encoder, then a backbone, or one composite, with the edge check between them; and what a
// stream says of the values in it. Commands that compute (encode, embed, train-head, predict, eval) are built on this.
// Tested by tests/cli/embed-*, predict-*, eval-*.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "commands/command.h"
#include "commands/cached_stages.h"
#include "commands/items.h"
#include "commands/module_file.h"
#include "formats/arrow/writer.h"
#include "formats/module/write.h"
#include "libmod/compute/threads.h"
#include "libmod/prepare/runner.h"

namespace modnet {

/// What Arrow metadata says about the values of a stream (modnet-stream.5).
struct StreamClaims {
  std::optional<Contract> contract;    // output ports of who made it
  std::vector<Lineage> producers;      // first to last: relation = kind, name "NAME VERSION", content
  std::string policy;                  // "portable", "vendor:…"
  std::string probes;                  // encoded probes trailer of the last producer; empty: none
  std::string evidence;                // encoded evidence trailer of the last producer, its components' included; empty: none
  std::string label;                   // name of the label's column
};
/// kMalformed for metadata that cannot be read. No modnet metadata gives no contract.
[[nodiscard]] Result<StreamClaims> read_claims(const ArrowSchema& schema);
void write_claims(const StreamClaims& claims, ArrowSchema& schema);

/// Threads, arithmetic and memory of one command.
struct Engine {
  std::unique_ptr<ThreadPool> pool;
  std::unique_ptr<Profile> profile;  // where --profile asks for one
  RunnerOptions options;
  std::string policy;  // for streams and results: "portable", or "vendor:openblas/CORE"
  std::unique_ptr<CacheStore> cache;  // of embeddings; null: none was asked for
};
/// kUnavailable when --policy vendor finds no OpenBLAS or MODNET_CPU names a target that this CPU lacks; what open_cache() says.
[[nodiscard]] Result<Engine> make_engine(const Invocation& invocation);

/// --profile: says on stderr where the time went, and adds it to the document as "profile".
void note_profile(const Engine& engine, Console& console, Json& document);

class Chain {
 public:
  /// One module or an encoder and a module. `outputs` are ports (or taps) of the last one. `claims` are those of the data's
  /// stream, whose contract must fit the first module; where
  /// fingerprints differ, the stream's recorded evidence decides. Incompatible modules are Code::kNo with the edge check's words.
  /// With a cache in the engine (which must outlive the chain) embeddings are looked up, and modules are made ready to run when
  /// the first one is missing: until then what is wrong with their weights is not told.
  [[nodiscard]] static Result<Chain> make(std::vector<const ModuleFile*> modules, const std::vector<std::string>& outputs,
                                          const StreamClaims* claims, const Engine& engine);
  [[nodiscard]] const std::vector<Port>& outputs() const { return outputs_; }
  [[nodiscard]] Result<RunCounts> run(const ItemBatch& batch, std::vector<OutputColumn>* outputs);
  /// What the edge checks found that did not stop them: spaces that are the same by recorded evidence, with its figures.
  [[nodiscard]] const std::vector<std::string>& said() const { return said_; }

  /// Items that were found in the engine's cache, and those that were computed for it; zero where nothing of this chain is cached.
  [[nodiscard]] LookUps look_ups() const { return cached_ ? cached_->look_ups() : LookUps{}; }

 private:
  std::vector<std::string> said_;
  std::vector<Port> outputs_;
  Stages stages_;                        // empty where cached_ does their work
  std::shared_ptr<CachedStages> cached_;
};

/// The outputs that answer a question: logits, probabilities, values. Empty for a backbone.
[[nodiscard]] std::vector<const Port*> answer_ports(const Contract& contract);
/// Producers of a stream that this module (and those before it) made.
[[nodiscard]] Lineage producer_of(const ModuleFile& module);

/// Adds where in a file an item stands to an error that names it by its number.
[[nodiscard]] Error locate(Error error, const ItemBatch& batch, const std::string& file);

/// What to say of the end of an Arrow input: an unsealed stream is noted, its claims are unverified.
void note_seal(const ItemSource& source, Console& console);

/// Says what edge checks found that did not stop them.
void note_checks(std::span<const Chain> chains, Console& console);

/// Says how many texts were cut, if any were.
void note_truncated(const RunCounts& counts, Console& console);

/// How --compress stores tensors and assets.
[[nodiscard]] Compression compression_of(const Invocation& invocation);
/// Writes a module to -o and commits it; `inputs` must still be what they were.
[[nodiscard]] Status write_module(const Invocation& invocation, ModuleWriter& writer, const std::vector<const MappedFile*>& inputs,
                                  ModuleDigests* digests, int64_t* bytes);
/// Adds what was written to a result: output, content, file_digest.
void add_written(Json& document, const std::string& path, const ModuleDigests& digests);

/// How many items are read at a time: --batch-size, or enough to keep all threads busy within bounded memory.
[[nodiscard]] int64_t read_rows(const Invocation& invocation);
/// --batch-size and --overflow.
[[nodiscard]] std::vector<OptionSpec> run_options();
[[nodiscard]] std::vector<OptionSpec> joined(std::vector<std::vector<OptionSpec>> lists);

}  // namespace modnet
