#include "commands/chain.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "commands/embedding_cache.h"
#include "formats/base/text.h"
#include "formats/module/evidence.h"
#include "libmod/compute/target.h"
#include "libmod/compute/vendor/blas.h"
#include "libmod/contract/edge.h"
#include "libmod/contract/json.h"
#include "libmod/contract/names.h"

namespace modnet {
namespace {

constexpr std::string_view kContractKey = "modnet.contract", kProducerKey = "modnet.producer", kPolicyKey = "modnet.policy",
                           kProbesKey = "modnet.probes", kEvidenceKey = "modnet.evidence", kLabelKey = "modnet.label";

}  // namespace

Result<StreamClaims> read_claims(const ArrowSchema& schema) {
  StreamClaims claims;
  if (const std::string* text = schema.get(kContractKey)) {
    auto contract = contract_from_json(*text);
    if (!contract.ok()) return std::move(contract).error();
    claims.contract = std::move(*contract);
  }
  if (const std::string* text = schema.get(kProducerKey)) {
    const auto parsed = nlohmann::json::parse(*text, nullptr, false);
    if (!parsed.is_array()) return malformed("metadata 'modnet.producer' is not a list");
    for (const auto& one : parsed) {
      const auto field = [&](const char* key) { return one.is_object() && one.contains(key) && one[key].is_string() ? one[key].get<std::string>() : std::string(); };
      const auto content = digest_from_hex(field("content"));
      if (!content) return malformed("metadata 'modnet.producer' has no content digest");
      claims.producers.push_back({field("kind"), field("name"), *content});
    }
  }
  if (const std::string* text = schema.get(kPolicyKey)) claims.policy = *text;
  if (const std::string* text = schema.get(kLabelKey)) claims.label = *text;
  if (const std::string* text = schema.get(kProbesKey)) {
    MODNET_ASSIGN(claims.probes, base64_decode(*text));
  }
  if (const std::string* text = schema.get(kEvidenceKey)) {
    MODNET_ASSIGN(claims.evidence, base64_decode(*text));
  }
  return claims;
}

void write_claims(const StreamClaims& claims, ArrowSchema& schema) {
  if (claims.contract) schema.set(std::string(kContractKey), contract_to_json(*claims.contract));
  if (!claims.producers.empty()) {
    nlohmann::json list = nlohmann::json::array();
    for (const Lineage& one : claims.producers) list.push_back({{"kind", one.relation}, {"name", one.name}, {"content", hex(one.content)}});
    schema.set(std::string(kProducerKey), list.dump());
  }
  if (!claims.policy.empty()) schema.set(std::string(kPolicyKey), claims.policy);
  if (!claims.label.empty()) schema.set(std::string(kLabelKey), claims.label);
  if (!claims.probes.empty()) schema.set(std::string(kProbesKey), base64_encode(as_bytes(claims.probes)));
  if (!claims.evidence.empty()) schema.set(std::string(kEvidenceKey), base64_encode(as_bytes(claims.evidence)));
}

Result<Engine> make_engine(const Invocation& invocation) {
  if (const char* target = std::getenv("MODNET_CPU"); target != nullptr && *target != '\0') MODNET_TRY(select_cpu_target(target));
  if (!cpu_target_fuses())
    invocation.console.warn("the kernels run on " + std::string(cpu_target_name()) + ", which has no fused multiply-add: the same bits, many times slower; use a CPU with AVX2");
  Engine engine;
  if (std::any_of(invocation.spec.options.begin(), invocation.spec.options.end(), [](const OptionSpec& one) { return one.name == "cache"; }) && !invocation.dry_run()) {
    MODNET_ASSIGN(engine.cache, open_cache(invocation));
  }
  engine.pool = std::make_unique<ThreadPool>(invocation.threads());
  engine.options.context.pool = engine.pool.get();
  engine.policy = "portable";
  if (invocation.spec.computes == Computes::kPolicy && invocation.vendor()) {
    auto blas = vendor_blas();
    if (!blas.ok()) return std::move(blas).error();
    engine.options.context.policy = Policy::kVendor;
    engine.policy = "vendor: " + *blas;
  }
  if (invocation.args.has("max-memory"))
    engine.options.arena_limit = std::clamp<int64_t>(invocation.max_memory() / 8 / engine.pool->size(), int64_t{512} << 10, engine.options.arena_limit);
  for (const OptionSpec& option : invocation.spec.options) {
    if (option.name == "overflow" && invocation.args.text("overflow") == "error") engine.options.overflow = Overflow::kError;
    if (option.name == "profile" && invocation.args.flag("profile")) engine.profile = std::make_unique<Profile>();
    if (option.name == "batch-size") engine.options.batch_items = invocation.args.integer("batch-size");
  }
  engine.options.context.profile = engine.profile.get();
  return engine;
}

void note_profile(const Engine& engine, Console& console, Json& document) {
  if (engine.profile == nullptr) return;
  double all = 0;
  const std::vector<Profile::Row> rows = engine.profile->rows();
  for (const Profile::Row& row : rows) all += row.seconds;
  document["profile"] = Json::array();
  std::string text = "where the time went, on " + std::to_string(engine.pool->size()) + (engine.pool->size() == 1 ? " thread\n" : " threads\n");
  char line[160];
  for (const Profile::Row& row : rows) {
    const double share = all > 0 ? row.seconds / all : 0;
    Json one{{"what", row.what}, {"calls", row.calls}, {"seconds", row.seconds}, {"share", share}};
    one["gflops"] = row.operations > 0 && row.seconds > 0 ? Json(row.operations * 1e-9 / row.seconds) : Json(nullptr);
    document["profile"].push_back(one);
    std::snprintf(line, sizeof line, "  %5.1f %%  %9.3f s  %7lld calls  ", 100 * share, row.seconds, static_cast<long long>(row.calls));
    text += line + row.what;
    if (row.operations > 0 && row.seconds > 0) {
      std::snprintf(line, sizeof line, "  %.1f GFLOP/s", row.operations * 1e-9 / row.seconds);
      text += line;
    }
    text += "\n";
  }
  console.note(text.substr(0, text.size() - 1));
}

Result<Chain> Chain::make(std::vector<const ModuleFile*> modules, const std::vector<std::string>& outputs, const StreamClaims* claims, const Engine& engine) {
  Chain chain;
  const Contract* before = claims != nullptr && claims->contract ? &*claims->contract : nullptr;
  std::string before_name = "the stream";
  std::vector<EvidenceRecord> recorded;
  if (claims != nullptr) {
    MODNET_ASSIGN(recorded, decode_evidence(as_bytes(claims->evidence)));
  }
  std::vector<std::string> wanted_next = outputs;
  std::vector<std::vector<std::string>> wanted(modules.size());
  std::vector<Feed> feeds;
  // Edges first, so that every mismatch is told before anything is loaded.
  for (size_t i = 0; i < modules.size(); ++i) {
    const ModuleIndex& index = modules[i]->view.index();
    if (before != nullptr) {
      Subject giver(*before);
      giver.evidence = recorded;
      const CheckReport report = check_edge(giver, index.contract);
      MODNET_TRY(check_status(report, before_name, modules[i]->file.path()));
      for (const Finding& one : report.findings)
        chain.said_.push_back(escape_text(modules[i]->file.path()) + ":" + escape_text(one.path) + ": " + std::string(one.rule->id) + ": " + escape_text(one.what));
      if (i > 0) {
        auto& feed = feeds.emplace_back();
        for (const Binding& binding : report.bindings) {
          feed.emplace_back(before->ports[binding.from].name, index.contract.ports[binding.to].name);
          wanted[i - 1].push_back(before->ports[binding.from].name);
        }
      }
    }
    before = &index.contract;
    before_name = modules[i]->file.path();
    recorded.clear();  // what the stream says holds for its own values
  }
  wanted.back() = wanted_next;
  StageParts parts;
  parts.wanted = std::move(wanted);
  parts.feeds = std::move(feeds);
  parts.options = engine.options;
  for (const ModuleFile* module : modules) {
    auto graph = flatten(module->view, &parts.records.emplace_back());
    if (!graph.ok()) return std::move(graph).error().in_file(module->file.path());
    parts.graphs.push_back(std::move(*graph));
    parts.files.push_back(module->file.path());
  }
  if (engine.cache) {
    MODNET_ASSIGN(chain.cached_, CachedStages::make(parts, *engine.cache));
  }
  if (chain.cached_) {
    chain.outputs_ = chain.cached_->outputs();
    return chain;
  }
  MODNET_ASSIGN(chain.stages_, Stages::make(std::move(parts)));
  chain.outputs_ = chain.stages_.outputs();
  return chain;
}

Result<RunCounts> Chain::run(const ItemBatch& batch, std::vector<OutputColumn>* outputs) {
  if (!cached_) return stages_.run(batch.columns, batch.rows, outputs, nullptr);
  MODNET_ASSIGN(const RunCounts counts, cached_->run(batch.columns, batch.rows, outputs));
  outputs_ = cached_->outputs();
  return counts;
}

std::vector<const Port*> answer_ports(const Contract& contract) {
  std::vector<const Port*> out;
  for (const Port& port : contract.ports)
    if (port.direction == Direction::kOutput &&
        (port.semantic == Semantic::kLogits || port.semantic == Semantic::kProbabilities || port.semantic == Semantic::kScores || port.semantic == Semantic::kValue))
      out.push_back(&port);
  return out;
}

Lineage producer_of(const ModuleFile& module) {
  const Identity& identity = module.view.index().identity;
  return {std::string(name_of(identity.kind)), identity.name + " " + identity.version, module.view.digests().content};
}

Error locate(Error error, const ItemBatch& batch, const std::string& file) {
  error = std::move(error).in_file(file);
  if (!error.where.starts_with("item ")) return error;
  const int64_t row = std::strtoll(error.where.c_str() + 5, nullptr, 10);
  if (row < 0 || row >= batch.rows) return error;
  error.where = !batch.lines.empty() ? std::to_string(batch.lines[static_cast<size_t>(row)]) : "item " + std::to_string(batch.first_row + row);
  return error;
}

void note_seal(const ItemSource& source, Console& console) {
  const ArrowReader* reader = source.arrow();
  if (reader != nullptr && reader->seal() == Seal::kUnsealed && reader->schema().get(kContractKey) != nullptr)
    console.note(escape_text(source.name()) + ": the stream is not sealed; what it says of its producer is not verified");
}

void note_checks(std::span<const Chain> chains, Console& console) {
  for (const Chain& chain : chains)
    for (const std::string& one : chain.said()) console.note(one);
}

void note_truncated(const RunCounts& counts, Console& console) {
  if (counts.truncated > 0)
    console.note(std::to_string(counts.truncated) + " of " + std::to_string(counts.items) + " texts were longer than the model takes and were cut");
}

Compression compression_of(const Invocation& invocation) {
  const int level = invocation.zstd_level();
  return level > 0 ? Compression{Codec::kZstd, level} : Compression{};
}

Status write_module(const Invocation& invocation, ModuleWriter& writer, const std::vector<const MappedFile*>& inputs, ModuleDigests* digests,
                    int64_t* bytes) {
  MODNET_ASSIGN(const std::unique_ptr<Output> output, invocation.open_output(Invocation::Content::kBinary));
  MODNET_ASSIGN(*digests, writer.write(*output));
  *bytes = output->position();
  return output->commit(inputs);
}

void add_written(Json& document, const std::string& path, const ModuleDigests& digests) {
  document["output"] = path;
  document["content"] = hex(digests.content);
  document["file_digest"] = hex(digests.file);
}

int64_t read_rows(const Invocation& invocation) {
  const int64_t asked = invocation.args.integer("batch-size");
  return asked > 0 ? std::max<int64_t>(asked, 256) : 1024;
}

std::vector<OptionSpec> run_options() {
  return {
      {.name = "batch-size", .type = OptionType::kInteger, .metavar = "N", .help = "at most so many items that a thread computes at once (default: by memory alone); results do not depend on it", .minimum = 1, .maximum = 1 << 20},
      {.name = "overflow", .type = OptionType::kChoice, .help = "texts that are longer than the model takes", .default_text = "cut", .choices = {"cut", "error"}},
      {.name = "profile", .help = "say on stderr where the time went"},
  };
}

std::vector<OptionSpec> joined(std::vector<std::vector<OptionSpec>> lists) {
  std::vector<OptionSpec> out;
  for (auto& list : lists) out.insert(out.end(), list.begin(), list.end());
  return out;
}

}  // namespace modnet
