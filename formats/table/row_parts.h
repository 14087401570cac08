// What the row readers share: a buffer that cuts a source into lines, and a builder of batches.
// Private to formats/table. Tested through tests/unit/table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/table/rows.h"

namespace modnet {

enum class Patience : uint8_t { kWait, kNoWait };

/// A line of the unread bytes, without its line end, which `used` counts.
struct LineCut {
  enum class Kind : uint8_t { kLine, kEnd, kWouldBlock };
  Kind kind = Kind::kEnd;
  std::string_view text;
  size_t used = 0;
};

/// The unread bytes of a source, contiguous. Not thread-safe.
class RowBuffer {
 public:
  RowBuffer(std::unique_ptr<ByteSource> source, int64_t max_row_bytes)
      : source_(std::move(source)), max_row_(max_row_bytes) {}

  [[nodiscard]] std::string_view unread() const { return {data_.data() + begin_, end_ - begin_}; }
  void consume(size_t n) {
    begin_ += n;
    scanned_ = 0;
  }
  [[nodiscard]] bool at_end() const { return ended_; }  // nothing comes after unread()
  [[nodiscard]] bool ready() { return ended_ || source_->ready(); }
  /// Appends what the source has, at least a byte or the end; unread() moves. kMalformed (for `line`) when unread()
  /// already holds more than a row may.
  Status fill(int64_t line);
  /// The next line, not yet consumed; kWouldBlock only for kNoWait. `line` is its number. The text may be read, not
  /// judged, kPadding bytes past its end.
  [[nodiscard]] Result<LineCut> cut_line(int64_t line, Patience patience);
  /// Drops a byte order mark at the very start; waits for three bytes only while they are one.
  Status skip_mark();
  [[nodiscard]] const std::string& name() const { return source_->name(); }
  /// kMalformed when a row of `bytes` is over the limit.
  [[nodiscard]] Status check_length(size_t bytes, int64_t line) const;

 private:
  std::unique_ptr<ByteSource> source_;
  int64_t max_row_;
  std::vector<char> data_;
  size_t begin_ = 0, end_ = 0;
  size_t scanned_ = 0;  // of unread(): no line end in these
  bool ended_ = false;
};

/// Collects cells as offsets, because the arena moves while it grows; finish() turns them into views.
class BatchBuilder {
 public:
  BatchBuilder(size_t columns, int64_t first_row) : cells_(columns) { batch_.first_row = first_row; }
  void cell(size_t column, std::string_view value) {
    cells_[column].push_back({arena_size(), static_cast<int64_t>(value.size())});
    batch_.arena.insert(batch_.arena.end(), value.begin(), value.end());
  }
  void missing(size_t column) { cells_[column].push_back({0, -1}); }
  void end_row(int64_t line) {
    ++batch_.rows;
    batch_.lines.push_back(line);
  }
  [[nodiscard]] int64_t rows() const { return batch_.rows; }
  [[nodiscard]] int64_t arena_size() const { return static_cast<int64_t>(batch_.arena.size()); }
  [[nodiscard]] RowBatch finish();

 private:
  struct Cell {
    int64_t offset, length;
  };
  RowBatch batch_;
  std::vector<std::vector<Cell>> cells_;
};

/// kMalformed at `line` of `file`.
[[nodiscard]] Error row_error(const std::string& file, int64_t line, std::string what, std::string fix = {});
/// kMalformed when `text` is not UTF-8; the line counts from `line` on, where `text` begins.
[[nodiscard]] Status check_utf8(std::string_view text, const std::string& file, int64_t line);
/// The place of each wanted column among those that exist; kUsage with the list of those when one is not there.
[[nodiscard]] Result<std::vector<size_t>> find_columns(const std::vector<std::string>& wanted,
                                                       const std::vector<std::string>& existing,
                                                       const std::string& file);
/// kMalformed for an empty list of names, or a name that stands twice.
[[nodiscard]] Status check_names(const std::vector<std::string>& names, const std::string& file, int64_t line);

[[nodiscard]] Result<std::unique_ptr<RowSource>> open_delimited(RowBuffer buffer, RowFormat format, RowOptions options);
[[nodiscard]] Result<std::unique_ptr<RowSource>> open_jsonl(RowBuffer buffer, RowOptions options);

}  // namespace modnet
