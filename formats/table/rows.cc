#include "formats/table/rows.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <simdjson.h>

#include "formats/base/text.h"
#include "formats/table/decompress.h"
#include "formats/table/row_parts.h"

namespace modnet {
namespace {

constexpr size_t kChunk = 256 << 10;
constexpr size_t kPadding = 64;  // the JSON parser may look, not judge, this far past a row
constexpr int64_t kMaxRow = int64_t{64} << 20;
constexpr int64_t kMaxJsonRow = int64_t{4} << 20;

struct Known {
  RowFormat format;
  std::string_view name;
};
constexpr std::array<Known, 4> kKnown = {
    {{RowFormat::kLines, "lines"}, {RowFormat::kCsv, "csv"}, {RowFormat::kTsv, "tsv"}, {RowFormat::kJsonl, "jsonl"}}};

/// Lines as rows of one column. The fast path: one memchr and one copy a row.
class LineSource : public RowSource {
 public:
  explicit LineSource(RowBuffer buffer) : buffer_(std::move(buffer)) {
    name_ = buffer_.name();
    columns_ = {"text"};
  }

  Result<RowBatch> next(int64_t max_rows) override {
    Result<RowBatch> out = read(max_rows);
    failed_ = failed_ || !out.ok();
    return out;
  }
  int64_t max_batch_bytes = 0;

 private:
  Result<RowBatch> read(int64_t max_rows) {
    BatchBuilder batch(1, rows_);
    while (!failed_ && batch.rows() < max_rows && batch.arena_size() < max_batch_bytes) {
      MODNET_ASSIGN(const LineCut cut, buffer_.cut_line(line_, batch.rows() > 0 ? Patience::kNoWait : Patience::kWait));
      if (cut.kind != LineCut::Kind::kLine) break;
      MODNET_TRY(check_utf8(cut.text, name_, line_));
      batch.cell(0, cut.text);
      batch.end_row(line_++);
      buffer_.consume(cut.used);
    }
    rows_ += batch.rows();
    return batch.finish();
  }

  RowBuffer buffer_;
  int64_t line_ = 1, rows_ = 0;
  bool failed_ = false;
};

std::string list_of(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size() && i < 64; ++i) out += (i == 0 ? "" : ", ") + escape_text(names[i]);
  if (names.size() > 64) out += " and " + std::to_string(names.size() - 64) + " more";
  return out.empty() ? "none" : out;
}

}  // namespace

Status RowBuffer::check_length(size_t bytes, int64_t line) const {
  if (static_cast<int64_t>(bytes) <= max_row_) return ok();
  return row_error(name(), line, "a row of over " + std::to_string(max_row_) + " bytes");
}

Result<LineCut> RowBuffer::cut_line(int64_t line, Patience patience) {
  while (true) {
    const std::string_view text = unread();
    const size_t newline = scanned_ < text.size() ? text.find('\n', scanned_) : text.npos;
    if (newline == text.npos && !ended_) {
      scanned_ = text.size();
      if (patience == Patience::kNoWait && !ready()) return LineCut{LineCut::Kind::kWouldBlock, {}, 0};
      MODNET_TRY(fill(line));
      continue;
    }
    if (text.empty()) return LineCut{};
    LineCut out{LineCut::Kind::kLine, text.substr(0, newline), newline == text.npos ? text.size() : newline + 1};
    if (out.text.ends_with('\r')) out.text.remove_suffix(1);
    MODNET_TRY(check_length(out.text.size(), line));
    return out;
  }
}

Status RowBuffer::fill(int64_t line) {
  if (ended_) return ok();
  MODNET_TRY(check_length(end_ - begin_, line));
  if (data_.size() < end_ + kChunk + kPadding) {
    if (begin_ > 0) {
      std::memmove(data_.data(), data_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (data_.size() < end_ + kChunk + kPadding) data_.resize(std::max(2 * end_, kChunk) + kChunk + kPadding);
  }
  MODNET_ASSIGN(const int64_t n, source_->read({reinterpret_cast<std::byte*>(data_.data() + end_),
                                                data_.size() - kPadding - end_}));
  end_ += static_cast<size_t>(n);
  ended_ = n == 0;
  return ok();
}

Status RowBuffer::skip_mark() {
  constexpr std::string_view kMark = "\xef\xbb\xbf";
  while (!ended_ && unread().size() < kMark.size() && kMark.starts_with(unread())) MODNET_TRY(fill(1));
  if (unread().starts_with(kMark)) consume(kMark.size());
  return ok();
}

RowBatch BatchBuilder::finish() {
  batch_.columns.resize(cells_.size());
  for (size_t c = 0; c < cells_.size(); ++c) {
    batch_.columns[c].reserve(cells_[c].size());
    for (const Cell& cell : cells_[c]) {
      if (cell.length < 0) {
        batch_.columns[c].emplace_back();
      } else if (cell.length == 0) {
        batch_.columns[c].emplace_back("");  // an empty value is not a missing one, even in an empty arena
      } else {
        batch_.columns[c].emplace_back(batch_.arena.data() + cell.offset, static_cast<size_t>(cell.length));
      }
    }
  }
  return std::move(batch_);
}

Error row_error(const std::string& file, int64_t line, std::string what, std::string fix) {
  return Error{Code::kMalformed, "MALFORMED", std::move(what), std::to_string(line), file, std::move(fix)};
}

Status check_utf8(std::string_view text, const std::string& file, int64_t line) {
  if (simdjson::validate_utf8(text.data(), text.size())) return ok();
  const int64_t at = std::max<int64_t>(utf8_error(text), 0);
  line += std::count(text.begin(), text.begin() + at, '\n');
  return row_error(file, line, "not UTF-8; the first bad byte is " +
                                   escape_text(text.substr(static_cast<size_t>(at), 1)),
                   "convert the file, for example with iconv -t UTF-8");
}

Result<std::vector<size_t>> find_columns(const std::vector<std::string>& wanted,
                                         const std::vector<std::string>& existing, const std::string& file) {
  std::vector<size_t> out;
  for (const std::string& name : wanted) {
    const std::vector<std::string>::const_iterator at = std::find(existing.begin(), existing.end(), name);
    if (at == existing.end())
      return Error{Code::kUsage, "NO_COLUMN", "no column '" + escape_text(name) + "'; the columns are: " + list_of(existing),
                   {}, file, {}};
    out.push_back(static_cast<size_t>(at - existing.begin()));
  }
  return out;
}

Status check_names(const std::vector<std::string>& names, const std::string& file, int64_t line) {
  std::vector<std::string_view> sorted(names.begin(), names.end());
  std::sort(sorted.begin(), sorted.end());
  const std::vector<std::string_view>::const_iterator twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) return row_error(file, line, "two columns are named '" + escape_text(*twice) + "'");
  return ok();
}

std::optional<RowFormat> row_format_from_name(std::string_view name) {
  for (const Known& known : kKnown)
    if (known.name == name) return known.format;
  return std::nullopt;
}

std::string_view row_format_name(RowFormat format) {
  for (const Known& known : kKnown)
    if (known.format == format) return known.name;
  return "unknown";
}

std::optional<RowFormat> row_format_from_path(std::string_view path) {
  for (const std::string_view packed : {".gz", ".zst"})
    if (path.ends_with(packed)) {
      path.remove_suffix(packed.size());
      break;
    }
  if (path.ends_with(".txt")) return RowFormat::kLines;
  if (path.ends_with(".csv")) return RowFormat::kCsv;
  if (path.ends_with(".tsv")) return RowFormat::kTsv;
  if (path.ends_with(".jsonl") || path.ends_with(".ndjson")) return RowFormat::kJsonl;
  return std::nullopt;
}

Result<std::unique_ptr<RowSource>> RowSource::open(std::unique_ptr<ByteSource> source, RowFormat format,
                                                   RowOptions options) {
  MODNET_ASSIGN(source, maybe_decompress(std::move(source)));
  if (options.max_row_bytes <= 0) options.max_row_bytes = format == RowFormat::kJsonl ? kMaxJsonRow : kMaxRow;
  std::vector<std::string> wanted_once = options.columns;
  std::sort(wanted_once.begin(), wanted_once.end());
  if (std::adjacent_find(wanted_once.begin(), wanted_once.end()) != wanted_once.end())
    return usage("a column is asked for twice");
  RowBuffer buffer(std::move(source), options.max_row_bytes);
  MODNET_TRY(buffer.skip_mark());
  if (format == RowFormat::kJsonl) return open_jsonl(std::move(buffer), std::move(options));
  if (format != RowFormat::kLines) return open_delimited(std::move(buffer), format, std::move(options));
  std::unique_ptr<LineSource> lines = std::make_unique<LineSource>(std::move(buffer));
  lines->max_batch_bytes = options.max_batch_bytes;
  MODNET_TRY(find_columns(options.columns, lines->columns(), lines->name()));
  return std::unique_ptr<RowSource>(std::move(lines));
}

Result<RowBatch> read_all_rows(RowSource& source, int64_t max_rows) {
  BatchBuilder all(source.columns().size(), 0);
  while (true) {
    MODNET_ASSIGN(const RowBatch batch, source.next(4096));
    if (batch.rows == 0) return all.finish();
    if (all.rows() + batch.rows > max_rows)
      return malformed("over " + std::to_string(max_rows) + " rows").in_file(source.name());
    for (int64_t r = 0; r < batch.rows; ++r) {
      for (size_t c = 0; c < batch.columns.size(); ++c) {
        const std::string_view cell = batch.columns[c][static_cast<size_t>(r)];
        if (is_missing(cell)) all.missing(c);
        else all.cell(c, cell);
      }
      all.end_row(batch.lines[static_cast<size_t>(r)]);
    }
  }
}

}  // namespace modnet
