// One interface for rows of text, whatever file they came in: lines, CSV, TSV, JSON lines; gzip and zstd undone.
// Tested by tests/unit/table/{lines,csv,jsonl}_test.cc, tests/fuzz/table_fuzz.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/file.h"
#include "formats/base/result.h"

namespace modnet {

enum class RowFormat : uint8_t { kLines, kCsv, kTsv, kJsonl };

/// "lines", "csv", "tsv", "jsonl".
[[nodiscard]] std::optional<RowFormat> row_format_from_name(std::string_view name);
[[nodiscard]] std::string_view row_format_name(RowFormat format);
/// By extension: .txt, .csv, .tsv, .jsonl, .ndjson, each also with .gz or .zst behind it; nothing for any other.
[[nodiscard]] std::optional<RowFormat> row_format_from_path(std::string_view path);

/// What a `"` means at the beginning of a CSV or TSV field.
enum class Quoting : uint8_t {
  kDefault,  // CSV: kCsv. TSV: a field is quoted when it stands in its line as a writer would quote it ("…" with inner
             // quotes doubled, then tab or line end), else the quote is text; one that never closes in its line is an
             // error that asks for one of the two below, because both readings are possible
  kNone,     // a quote is text (the usual TSV)
  kCsv,      // RFC 4180: quoted fields may hold separators, line ends and doubled quotes (pandas' to_csv)
};

struct RowOptions {
  std::vector<std::string> columns;  // wanted, in this order; empty: all that there are
  Quoting quoting = Quoting::kDefault;
  int64_t max_row_bytes = 0;                         // 0: 64 MiB; 4 MiB for JSON lines, whose parser needs 14 times that
  int64_t max_batch_bytes = int64_t{8} << 20;        // a batch ends after the row that reaches this
};

/// Some rows. The cells view memory that the batch owns, and live as long as it (moving it is fine).
struct RowBatch {
  int64_t rows = 0;
  int64_t first_row = 0;                                 // number of the first row in the whole input, from 0
  std::vector<std::vector<std::string_view>> columns;    // [column][row]
  std::vector<int64_t> lines;                            // [row]: the line where it begins, from 1
  std::vector<char> arena;

  RowBatch() = default;
  RowBatch(RowBatch&&) = default;
  RowBatch& operator=(RowBatch&&) = default;
};

/// A cell without a value: null in JSON lines, or a key that the row does not have. An empty string is a value.
[[nodiscard]] inline bool is_missing(std::string_view cell) { return cell.data() == nullptr; }

/// Reads rows in order, in bounded memory. Not thread-safe. Rules of the formats:
/// - All: UTF-8 without NUL rules (NUL is text); a byte order mark at the start is dropped; LF or CRLF; the last line
///   needs no line end.
/// - Lines: one column "text"; empty lines are rows.
/// - CSV, TSV: the first line names the columns, each once; every row has as many fields. Empty lines are skipped where
///   there are two columns or more. A quote inside a field that did not begin with one is text.
/// - JSON lines: an object a line, blank lines skipped. Strings unescaped; numbers in their shortest form (1.50 → 1.5),
///   true and false as text. Columns are the keys of the first row; keys that only later rows have are not read. A list
///   or object is refused only where its column is wanted.
class RowSource {
 public:
  /// Reads as far as the column names. kUsage: a wanted column that is not there (the message lists those that are).
  /// kMalformed, with the line: bad header, duplicate names.
  [[nodiscard]] static Result<std::unique_ptr<RowSource>> open(std::unique_ptr<ByteSource> source, RowFormat format,
                                                               RowOptions options = {});
  virtual ~RowSource() = default;

  /// Names of the batch's columns, in order. JSON lines without any row: empty, or the wanted ones.
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  /// The next rows, at most `max_rows` (≥ 1); none only at the end. Returns what it has when the source would block.
  /// kMalformed with the line (bad UTF-8, ragged row, unclosed quote, a row over the limit …): the rows before it in
  /// this batch are not returned, and the source is at its end.
  [[nodiscard]] virtual Result<RowBatch> next(int64_t max_rows) = 0;

 protected:
  std::vector<std::string> columns_;
  std::string name_;
};

/// All rows of a small input (labels, recipes' tables), kMalformed above `max_rows`.
[[nodiscard]] Result<RowBatch> read_all_rows(RowSource& source, int64_t max_rows);

}  // namespace modnet
