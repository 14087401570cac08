#include "commands/embedding_cache.h"

#include <cstdlib>

#include <nlohmann/json.hpp>

#include "formats/base/text.h"

namespace modnet {
namespace {

constexpr std::string_view kOff = "off", kAuto = "auto";

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::string() : std::string(text);
}

/// Where programs keep what they can make again (XDG base directories); relative paths do not count.
Result<std::string> user_cache() {
  const std::string xdg = variable("XDG_CACHE_HOME"), home = variable("HOME");
  if (xdg.starts_with('/')) return xdg + "/modnet/embeddings";
  if (home.starts_with('/')) return home + "/.cache/modnet/embeddings";
  return usage("there is no folder for '--cache auto': neither XDG_CACHE_HOME nor HOME is set", "name a folder");
}

}  // namespace

std::vector<OptionSpec> cache_options() {
  return {
      {.name = "cache", .type = OptionType::kPath, .metavar = "DIR", .help = "look embeddings up in this folder and keep new ones there; auto: the user's cache folder, off: none (default: MODNET_CACHE)"},
      {.name = "cache-size", .type = OptionType::kSize, .metavar = "SIZE", .help = "what the cache may take; the least recently used goes first", .default_text = "5G", .minimum = 1 << 20},
  };
}

Result<std::unique_ptr<CacheStore>> open_cache(const Invocation& invocation) {
  const bool given = invocation.args.has("cache");
  std::string folder = given ? invocation.args.text("cache") : variable("MODNET_CACHE");
  if (folder.empty() || folder == kOff) return std::unique_ptr<CacheStore>();
  if (invocation.vendor()) {
    if (given) return usage("--cache keeps portable bits only; those of --policy vendor belong to a machine", "leave one of the two out");
    return std::unique_ptr<CacheStore>();
  }
  if (folder == kAuto) {
    MODNET_ASSIGN(folder, user_cache());
  }
  CacheStore::Options options;
  options.path = folder;
  options.limit = invocation.args.bytes("cache-size");
  if (const std::string size = variable("MODNET_CACHE_SIZE"); !size.empty() && !invocation.args.has("cache-size")) {
    const auto bytes = parse_size(size);
    if (!bytes || *bytes < 1 << 20) return usage("MODNET_CACHE_SIZE is '" + escape_text(size) + "'; expected a size of at least 1M");
    options.limit = *bytes;
  }
  return CacheStore::open(options);
}

void finish_cache(const Invocation& invocation, const Engine& engine, std::span<const Chain> chains, Json& result) {
  if (!engine.cache) return;
  CacheStore& cache = *engine.cache;
  cache.finish();
  LookUps look_ups;
  for (const Chain& chain : chains) look_ups += chain.look_ups();
  const CacheStore::Counts& counts = cache.counts();
  if (!cache.problem().empty()) invocation.console.warn(escape_text(cache.path()) + ": the cache " + cache.problem() + "; new embeddings are not kept");
  invocation.console.detail("cache " + escape_text(cache.path()) + ": " + std::to_string(look_ups.hits) + " hits, " + std::to_string(look_ups.misses) + " misses, " +
                            std::to_string(counts.stored) + " stored");
  result["cache"] = {{"path", cache.path()}, {"hits", look_ups.hits}, {"misses", look_ups.misses}, {"stored", counts.stored}, {"damaged", counts.damaged}, {"evicted", counts.evicted}};
}

}  // namespace modnet
