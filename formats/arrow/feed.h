// The bytes of a stream in order, from a pipe (in growing steps: a length claim allocates nothing by itself) or from a
// mapped file (handed out in place). Private to formats/arrow. Tested by tests/unit/arrow/reader_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "formats/base/file.h"
#include "formats/base/result.h"

namespace modnet {

/// Bytes and what keeps them alive. `stable` bytes cannot change any more: they are in this process's own memory.
struct FeedBytes {
  Bytes bytes;
  std::shared_ptr<const void> owner;
  bool stable = true;
};

class ArrowFeed {
 public:
  explicit ArrowFeed(std::unique_ptr<ByteSource> source);
  explicit ArrowFeed(std::shared_ptr<const MappedFile> file);
  ~ArrowFeed();
  ArrowFeed(const ArrowFeed&) = delete;
  ArrowFeed& operator=(const ArrowFeed&) = delete;

  /// The next `n` bytes; id STREAM_CUT when the data ends before them. A later body may be read into the same memory,
  /// once nobody holds the owner.
  [[nodiscard]] Result<FeedBytes> take(int64_t n, std::string_view what);
  /// The next `n` bytes in memory of our own, aligned to 16.
  [[nodiscard]] Result<FeedBytes> take_copy(int64_t n, std::string_view what);
  /// Everything that is left, in memory of our own; kMalformed above `limit`.
  [[nodiscard]] Result<FeedBytes> take_rest(int64_t limit);
  /// True when there are no more bytes.
  [[nodiscard]] Result<bool> at_end();
  /// False when the next read would wait for the producer.
  [[nodiscard]] bool ready();
  [[nodiscard]] int64_t offset() const { return offset_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const MappedFile* mapped() const { return file_.get(); }

 private:
  struct Memory;
  /// Reads until `n` bytes are there or the source ends; returns how many came.
  [[nodiscard]] Result<int64_t> fill(Memory& memory, int64_t n);
  [[nodiscard]] Result<FeedBytes> read_into(std::shared_ptr<Memory> memory, int64_t n, std::string_view what);
  [[nodiscard]] Error cut_off(int64_t expected, int64_t got, std::string_view what) const;

  std::unique_ptr<ByteSource> source_;
  std::shared_ptr<const MappedFile> file_;
  std::string name_;
  int64_t offset_ = 0;
  std::shared_ptr<Memory> spare_;  // the last body's memory, used again when it is free
  std::byte ahead_{};              // one byte that at_end() looked at
  bool has_ahead_ = false;
};

/// Memory aligned to 16 for `n` bytes, not zeroed; kUnavailable when there is none.
struct ArrowMemory {
  std::shared_ptr<const void> owner;
  std::byte* data = nullptr;
};
[[nodiscard]] Result<ArrowMemory> arrow_memory(int64_t n);

}  // namespace modnet
