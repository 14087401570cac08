// CSV and TSV. Two ways to cut a file into rows: where a quoted field may hold line ends (RFC 4180) a resumable scanner
// walks fields; where it may not, lines are cut first and split afterwards, which is faster.
// Tested by tests/unit/table/csv_test.cc, tests/fuzz/table_fuzz.cc.
#include <algorithm>

#include "formats/table/row_parts.h"

namespace modnet {
namespace {

constexpr size_t kMaxColumns = 16384;
constexpr size_t kNone = std::string_view::npos;

/// A field within its row's text; `doubled`: it holds quotes that stand for one each.
struct Field {
  size_t begin, length;
  bool doubled;
};

class DelimitedSource : public RowSource {
 public:
  enum class Mode : uint8_t { kPlain, kAuto, kRfc };

  DelimitedSource(RowBuffer buffer, char separator, Mode mode, int64_t max_batch_bytes)
      : buffer_(std::move(buffer)), separator_(separator), mode_(mode), max_batch_(max_batch_bytes) {
    name_ = buffer_.name();
  }

  Status read_header(const std::vector<std::string>& wanted) {
    MODNET_ASSIGN(const LineCut row, cut_row(Patience::kWait));
    if (row.kind == LineCut::Kind::kEnd) return row_error(name_, 1, "empty; expected a first line that names the columns");
    std::vector<std::string> names;
    for (size_t i = 0; i < fields_.size(); ++i) names.emplace_back(value(row.text, fields_[i]));
    if (count_ == 1 && names[0].empty()) return row_error(name_, 1, "expected a first line that names the columns");
    if (count_ > kMaxColumns) return row_error(name_, 1, std::to_string(count_) + " columns; expected at most 16384");
    MODNET_TRY(check_utf8(row.text, name_, 1));
    MODNET_TRY(check_names(names, name_, 1));
    finish_row(row);
    width_ = names.size();
    if (wanted.empty()) {
      for (size_t i = 0; i < width_; ++i) chosen_.push_back(i);
      columns_ = std::move(names);
    } else {
      MODNET_ASSIGN(chosen_, find_columns(wanted, names, name_));
      columns_ = wanted;
    }
    return ok();
  }

  Result<RowBatch> next(int64_t max_rows) override {
    Result<RowBatch> out = read(max_rows);
    failed_ = failed_ || !out.ok();
    return out;
  }

 private:
  Result<RowBatch> read(int64_t max_rows) {
    BatchBuilder batch(chosen_.size(), rows_);
    while (!failed_ && batch.rows() < max_rows && batch.arena_size() < max_batch_) {
      MODNET_ASSIGN(const LineCut row, cut_row(batch.rows() > 0 ? Patience::kNoWait : Patience::kWait));
      if (row.kind != LineCut::Kind::kLine) break;
      if (count_ == 1 && width_ > 1 && row.text.empty()) {
        finish_row(row);
        continue;
      }
      if (count_ != width_)
        return row_error(name_, line_, "expected " + std::to_string(width_) + " fields as in the first line, got " +
                                           std::to_string(count_));
      MODNET_TRY(check_utf8(row.text, name_, line_));
      for (size_t c = 0; c < chosen_.size(); ++c) batch.cell(c, value(row.text, fields_[chosen_[c]]));
      batch.end_row(line_);
      finish_row(row);
    }
    rows_ += batch.rows();
    return batch.finish();
  }

  /// The next row, its fields in fields_ (at most as many as there are columns) and their number in count_.
  Result<LineCut> cut_row(Patience patience) {
    if (mode_ == Mode::kRfc) {
      while (true) {
        MODNET_ASSIGN(const LineCut row, scan_rfc());
        if (row.kind != LineCut::Kind::kWouldBlock) return row;
        if (patience == Patience::kNoWait && !buffer_.ready()) return row;
        MODNET_TRY(buffer_.fill(line_));
      }
    }
    MODNET_ASSIGN(const LineCut row, buffer_.cut_line(line_, patience));
    if (row.kind == LineCut::Kind::kLine) MODNET_TRY(split_line(row.text));
    return row;
  }

  void finish_row(const LineCut& row) {
    line_ += mode_ == Mode::kRfc ? std::count(row.text.begin(), row.text.end(), '\n') + 1 : 1;
    fields_.clear();
    count_ = 0;
    field_ = scan_ = newline_scanned_ = 0;
    newline_ = kNone;
    buffer_.consume(row.used);
  }

  void add(size_t begin, size_t length, bool doubled) {
    ++count_;
    if (fields_.size() < (width_ == 0 ? kMaxColumns : width_)) fields_.push_back({begin, length, doubled});
  }

  std::string_view value(std::string_view row, const Field& field) {
    const std::string_view raw = row.substr(field.begin, field.length);
    if (!field.doubled) return raw;
    scratch_.clear();
    for (size_t i = 0; i < raw.size(); ++i) {
      scratch_ += raw[i];
      if (raw[i] == '"') ++i;
    }
    return scratch_;
  }

  /// kPlain and kAuto. A quoted field is one that a writer could have written: see Quoting::kDefault.
  Status split_line(std::string_view line) {
    fields_.clear();
    count_ = 0;
    size_t at = 0;
    while (true) {
      if (mode_ == Mode::kAuto && at < line.size() && line[at] == '"') {
        bool doubled = false;
        size_t close = line.find('"', at + 1);
        while (close != kNone && close + 1 < line.size() && line[close + 1] == '"') {
          doubled = true;
          close = line.find('"', close + 2);
        }
        if (close == kNone)
          return row_error(name_, line_, "field " + std::to_string(count_ + 1) +
                                             " begins with a quote that does not close in its line",
                           "say whether quotes are text (--quoting none) or enclose fields (--quoting csv)");
        if (close + 1 == line.size() || line[close + 1] == separator_) {
          add(at + 1, close - at - 1, doubled);
          if (close + 1 == line.size()) return ok();
          at = close + 2;
          continue;
        }
      }
      const size_t stop = std::min(line.find(separator_, at), line.size());
      add(at, stop - at, false);
      if (stop == line.size()) return ok();
      at = stop + 1;
    }
  }

  /// kRfc. kWouldBlock: the row goes on past the unread bytes; what was found is kept, and the next call goes on there.
  Result<LineCut> scan_rfc() {
    const LineCut more{LineCut::Kind::kWouldBlock, {}, 0};
    const std::string_view text = buffer_.unread();
    const bool ended = buffer_.at_end();
    if (ended && text.empty()) return LineCut{};
    while (true) {
      if (!in_quotes_) {
        if (field_ == text.size() && !ended) return more;
        if (field_ < text.size() && text[field_] == '"') {
          in_quotes_ = true;
          doubled_ = false;
          scan_ = field_ + 1;
        }
      }
      const LineCut step = in_quotes_ ? scan_quoted(text, ended) : scan_bare(text, ended);
      if (bad_ != nullptr) {
        const int64_t at = line_ + std::count(text.begin(), text.begin() + static_cast<int64_t>(field_), '\n');
        return row_error(name_, at, bad_);
      }
      if (step.kind == LineCut::Kind::kEnd) continue;  // a field ended, the row did not
      if (step.kind == LineCut::Kind::kLine) MODNET_TRY(buffer_.check_length(step.used, line_));
      return step;
    }
  }

  LineCut scan_quoted(std::string_view text, bool ended) {
    const LineCut more{LineCut::Kind::kWouldBlock, {}, 0};
    size_t close = text.find('"', scan_);
    while (close != kNone && close + 1 < text.size() && text[close + 1] == '"') {
      doubled_ = true;
      scan_ = close + 2;
      close = text.find('"', scan_);
    }
    if (close == kNone) {
      scan_ = text.size();
      if (ended) bad_ = "a quote that never closes";
      return more;
    }
    scan_ = close;
    const size_t after = close + 1;
    const bool cr = after < text.size() && text[after] == '\r';
    if (!ended && after + (cr ? 1 : 0) >= text.size()) return more;
    LineCut out{LineCut::Kind::kLine, text.substr(0, after), after};
    if (after < text.size()) {
      if (text[after] == separator_) out.kind = LineCut::Kind::kEnd;
      else if (text[after] == '\n') out.used = after + 1;
      else if (cr && after + 1 == text.size()) out.used = after + 1;
      else if (cr && text[after + 1] == '\n') out.used = after + 2;
      else bad_ = "text between a closing quote and the next field";
    }
    if (bad_ != nullptr) return out;
    add(field_ + 1, close - field_ - 1, doubled_);
    in_quotes_ = false;
    field_ = scan_ = after + 1;
    return out;
  }

  LineCut scan_bare(std::string_view text, bool ended) {
    if (newline_ != kNone && newline_ < field_) {
      newline_ = kNone;
      newline_scanned_ = field_;
    }
    if (newline_ == kNone) {
      newline_ = text.find('\n', std::max(field_, newline_scanned_));
      newline_scanned_ = text.size();
    }
    const size_t limit = newline_ == kNone ? text.size() : newline_;
    const size_t from = std::max(field_, scan_);
    const size_t stop = text.substr(0, limit).find(separator_, from);
    if (stop != kNone) {
      add(field_, stop - field_, false);
      field_ = scan_ = stop + 1;
      return {};
    }
    scan_ = limit;
    if (newline_ == kNone && !ended) return {LineCut::Kind::kWouldBlock, {}, 0};
    LineCut out{LineCut::Kind::kLine, text.substr(0, limit), newline_ == kNone ? limit : limit + 1};
    if (out.text.ends_with('\r') && limit > field_) out.text.remove_suffix(1);
    add(field_, out.text.size() - field_, false);
    return out;
  }

  RowBuffer buffer_;
  char separator_;
  Mode mode_;
  int64_t max_batch_;
  size_t width_ = 0;             // columns of the file; 0 while the header is read
  std::vector<size_t> chosen_;   // [column of the batch] → column of the file
  int64_t line_ = 1, rows_ = 0;
  bool failed_ = false;
  std::string scratch_;
  // The row that is being cut; offsets into buffer_.unread().
  std::vector<Field> fields_;
  size_t count_ = 0;
  size_t field_ = 0, scan_ = 0;  // where the field begins; where its end is looked for
  size_t newline_ = kNone, newline_scanned_ = 0;
  bool in_quotes_ = false, doubled_ = false;
  const char* bad_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<RowSource>> open_delimited(RowBuffer buffer, RowFormat format, RowOptions options) {
  using Mode = DelimitedSource::Mode;
  Mode mode = options.quoting == Quoting::kNone ? Mode::kPlain : Mode::kRfc;
  if (options.quoting == Quoting::kDefault && format == RowFormat::kTsv) mode = Mode::kAuto;
  std::unique_ptr<DelimitedSource> out = std::make_unique<DelimitedSource>(
      std::move(buffer), format == RowFormat::kTsv ? '\t' : ',', mode, options.max_batch_bytes);
  MODNET_TRY(out->read_header(options.columns));
  return std::unique_ptr<RowSource>(std::move(out));
}

}  // namespace modnet
