// The bytes of a cache of computed values (modnet-cache.5): segments that only grow, made of blocks, each with a table of its
// records. A record holds its whole key and a checksum, so that a torn, damaged or foreign one is never taken for another.
// Tested by tests/unit/cache/segment_test.cc and tests/fuzz/cache_fuzz.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "formats/base/digest.h"
#include "formats/base/reader.h"
#include "formats/base/result.h"

namespace modnet {

inline constexpr uint32_t kCacheVersion = 1;            // of the format; raised with every change, never reused
inline constexpr int64_t kSegmentHeadBytes = 64;
inline constexpr int64_t kBlockAlignment = 64;          // blocks begin at multiples of it
inline constexpr int64_t kMaxBlockRecords = 1 << 16;
inline constexpr int64_t kMaxRecordBytes = int64_t{16} << 20;

/// What was computed of one item: `rows` × `width` numbers, and how many tokens they took.
struct CachedValue {
  uint32_t tokens = 0;
  bool cut = false;     // the text was longer than the model takes
  bool ragged = false;  // a row a token; else one row
  uint32_t rows = 1, width = 0;
  std::vector<float> values;
  bool operator==(const CachedValue&) const = default;
};

/// Where a record lies in its segment, and the first 8 bytes of its key.
struct RecordPlace {
  uint64_t prefix = 0;
  int64_t offset = 0, length = 0;
};
[[nodiscard]] uint64_t key_prefix(const Digest& key);

/// The first 64 bytes of a segment with values of `function`.
[[nodiscard]] std::string segment_head(const Digest& function);
/// kMalformed for another kind of file, kUnavailable for another version, kDigest for another function or damage.
[[nodiscard]] Status check_segment_head(Bytes head, const Digest& function);

/// Collects records into one block. Not thread-safe.
class BlockBuilder {
 public:
  /// values.size() must be rows × width, the record at most kMaxRecordBytes, and the block not full (false: it is not added).
  [[nodiscard]] bool add(const Digest& key, const CachedValue& value);
  [[nodiscard]] int64_t records() const { return static_cast<int64_t>(table_.size()); }
  [[nodiscard]] int64_t bytes() const { return static_cast<int64_t>(body_.size()); }
  /// The block, a multiple of 64 bytes, and where its records will lie when it is written at `offset`. Clears the builder.
  [[nodiscard]] std::string finish(int64_t offset, std::vector<RecordPlace>* places);

 private:
  std::vector<RecordPlace> table_;  // offsets within body_
  std::string body_;
};

/// Reads up to out.size() bytes from an offset; fewer at the end of the file, or when it cannot be read.
using ReadAt = std::function<int64_t(int64_t offset, std::span<std::byte> out)>;

/// Finds the records of all blocks between `from` (a multiple of 64) and `size`. What is no whole block is passed over, 64 bytes
/// at a time, so damage costs its own block only. Tables are checked, records are not: read_record does that.
/// Returns where the last block ends: what comes later may still be being written.
int64_t scan_segment(const ReadAt& read, int64_t from, int64_t size, const std::function<void(const RecordPlace&)>& found);

/// A record's value; nothing when it is damaged or has another key.
[[nodiscard]] std::optional<CachedValue> decode_record(Bytes record, const Digest& key);

}  // namespace modnet
