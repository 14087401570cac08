// One value an item, looked up in a cache before it is computed. Bits are portable, so a value that was stored is the one that
// would be computed; what does not belong to the value (which texts are cut, how long a sequence may be) is asked again.
// Tested by tests/unit/prepare/cached/cached_test.cc and tests/cli/cache-*.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "formats/cache/store.h"
#include "libmod/compute/threads.h"
#include "libmod/graph/identity.h"
#include "libmod/prepare/runner.h"

namespace modnet {

/// The function that a group of a cache is for: the value, the arithmetic of the portable policy, and this build's version.
[[nodiscard]] Digest cache_function(const ValueIdentity& value);

/// Recomputes the digests of everything that a value is made of, on all threads: a module that is not what it says fills no
/// cache. kDigest names the tensor or asset.
[[nodiscard]] Status check_digests(const FlatGraph& graph, const FlatRecords& records, const ValueIdentity& value, ThreadPool& pool);

class CachedValues {
 public:
  /// Computes the value of all items of `columns`, and facts of each.
  using Compute = std::function<Result<RunCounts>(std::span<const PortColumn> columns, int64_t items, OutputColumn* values, std::vector<ItemFacts>* facts)>;
  struct Options {
    Digest function{};
    Port port;                  // of the value: f32
    std::vector<Port> inputs;   // the input ports that it is computed from
    uint64_t longest = 0;       // tokens that a sequence may have, 0: any
    Overflow overflow = Overflow::kCut;
    ThreadPool* pool = nullptr;
  };
  /// `store` must outlive the object.
  CachedValues(CacheStore& store, Options options, Compute compute);

  /// Each distinct item that is not stored is computed once, and stored. Errors of items name them as Runner::run does.
  [[nodiscard]] Result<RunCounts> run(std::span<const PortColumn> columns, int64_t items, OutputColumn* values);
  [[nodiscard]] const Port& port() const { return options_.port; }
  /// Items that were not computed, and those that were.
  [[nodiscard]] int64_t hits() const { return hits_; }
  [[nodiscard]] int64_t misses() const { return misses_; }

 private:
  [[nodiscard]] bool serves(const CachedValue& value) const;
  CacheGroup& group_;
  Options options_;
  Compute compute_;
  int64_t hits_ = 0, misses_ = 0;
};

}  // namespace modnet
