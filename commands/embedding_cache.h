// --cache: where embeddings are kept between runs, and what is said of it. Tested by tests/cli/cache-*.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "commands/chain.h"
#include "commands/command.h"
#include "formats/cache/store.h"

namespace modnet {

/// --cache and --cache-size.
[[nodiscard]] std::vector<OptionSpec> cache_options();

/// What --cache (or else MODNET_CACHE) names: a folder, "auto" (modnet/embeddings in $XDG_CACHE_HOME or ~/.cache) or "off". Null
/// where there is none, and for --policy vendor, whose bits belong to a machine (kUsage when --cache was given with it).
[[nodiscard]] Result<std::unique_ptr<CacheStore>> open_cache(const Invocation& invocation);

/// Marks what was used, keeps the cache within its size, warns of what went wrong, and adds "cache" to a result.
void finish_cache(const Invocation& invocation, const Engine& engine, std::span<const Chain> chains, Json& result);

}  // namespace modnet
