// A folder of cached values that several processes share (modnet-cache.5). Nobody waits: a process appends to a segment that it
// alone has locked, and reads all. A cache is never a reason to fail: whatever is wrong with the folder is one sentence
// (problem()), and values are computed as if they were not there.
// Tested by tests/unit/cache/store_test.cc and tests/cli/cache-*.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "formats/base/digest.h"
#include "formats/base/result.h"
#include "formats/cache/segment.h"

namespace modnet {

/// Values of one function by key. Not thread-safe, nor are groups of one store.
class CacheGroup {
 public:
  ~CacheGroup();
  CacheGroup(const CacheGroup&) = delete;
  CacheGroup& operator=(const CacheGroup&) = delete;

  /// The value that was stored under this key, by whoever did; nothing when there is none or it is damaged. What was added since
  /// the last flush() is not found.
  [[nodiscard]] std::optional<CachedValue> find(const Digest& key);
  void add(const Digest& key, const CachedValue& value);
  /// What was added is in the folder afterwards (not necessarily on the disk), or the store has a problem().
  void flush();

 private:
  friend class CacheStore;
  struct State;
  explicit CacheGroup(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class CacheStore {
 public:
  struct Options {
    std::string path;
    int64_t limit = int64_t{5} << 30;          // bytes of all segments; the least recently used go first
    int64_t segment_bytes = int64_t{64} << 20;  // a segment that has as many is full; at most 1/16 of the limit in any case
  };
  /// Makes the folder unless it is there. kUsage when `path` is a file; anything else is a problem().
  [[nodiscard]] static Result<std::unique_ptr<CacheStore>> open(const Options& options);
  ~CacheStore();
  CacheStore(const CacheStore&) = delete;
  CacheStore& operator=(const CacheStore&) = delete;

  /// The same group for the same function; lives as long as the store.
  [[nodiscard]] CacheGroup& group(const Digest& function);
  /// Marks what was used and removes what is over the limit. Called once everything was flushed; later calls do nothing new.
  void finish();

  struct Counts {
    int64_t stored = 0;   // records written
    int64_t damaged = 0;  // records found under a key and not served
    int64_t evicted = 0;  // segments removed
  };
  [[nodiscard]] const Counts& counts() const;
  [[nodiscard]] const std::string& path() const;
  /// The first thing that went wrong, for one warning: "cannot be written (No space left on device)". Empty: nothing.
  [[nodiscard]] const std::string& problem() const;

  struct State;

 private:
  explicit CacheStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace modnet
