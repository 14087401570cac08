// JSON lines. Each line is parsed whole by simdjson's DOM, which checks every byte (its on-demand mode does not).
// Tested by tests/unit/table/jsonl_test.cc, tests/fuzz/table_fuzz.cc.
#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <simdjson.h>

#include "formats/base/text.h"
#include "formats/table/row_parts.h"

namespace modnet {
namespace {

static_assert(simdjson::SIMDJSON_PADDING <= 64, "RowBuffer pads its bytes by 64");

std::string show(std::string_view key) { return "'" + escape_text(key.substr(0, 256)) + "'"; }

class JsonlSource : public RowSource {
 public:
  JsonlSource(RowBuffer buffer, const RowOptions& options)
      : buffer_(std::move(buffer)), max_batch_(options.max_batch_bytes),
        parser_(static_cast<size_t>(options.max_row_bytes)) {
    name_ = buffer_.name();
  }

  Status read_columns(const std::vector<std::string>& wanted) {
    MODNET_ASSIGN(const LineCut cut, next_row(Patience::kWait));
    std::vector<std::string> keys;
    if (cut.kind == LineCut::Kind::kLine) {
      MODNET_TRY(parse(cut.text));
      for (const std::string_view key : keys_) keys.emplace_back(key);
      MODNET_TRY(find_columns(wanted, keys, name_));
    }
    columns_ = wanted.empty() ? std::move(keys) : wanted;
    for (size_t c = 0; c < columns_.size(); ++c) column_of_.emplace(columns_[c], c);
    return ok();
  }

  Result<RowBatch> next(int64_t max_rows) override {
    Result<RowBatch> out = read(max_rows);
    failed_ = failed_ || !out.ok();
    return out;
  }

 private:
  Result<RowBatch> read(int64_t max_rows) {
    BatchBuilder batch(columns_.size(), rows_);
    while (!failed_ && batch.rows() < max_rows && batch.arena_size() < max_batch_) {
      MODNET_ASSIGN(const LineCut cut, next_row(batch.rows() > 0 ? Patience::kNoWait : Patience::kWait));
      if (cut.kind != LineCut::Kind::kLine) break;
      MODNET_TRY(parse(cut.text));
      MODNET_TRY(add_row(batch));
      batch.end_row(line_++);
      buffer_.consume(cut.used);
    }
    rows_ += batch.rows();
    return batch.finish();
  }

  /// The next line that is not blank.
  Result<LineCut> next_row(Patience patience) {
    while (true) {
      MODNET_ASSIGN(const LineCut cut, buffer_.cut_line(line_, patience));
      if (cut.kind != LineCut::Kind::kLine || cut.text.find_first_not_of(" \t\r") != cut.text.npos) return cut;
      buffer_.consume(cut.used);
      ++line_;
    }
  }

  /// object_ and keys_ of one line; kMalformed for anything but an object with unique keys.
  Status parse(std::string_view line) {
    simdjson::dom::element root;
    const simdjson::error_code code = parser_.parse(line.data(), line.size(), false).get(root);
    if (code == simdjson::UTF8_ERROR) MODNET_TRY(check_utf8(line, name_, line_));
    if (code != simdjson::SUCCESS)
      return row_error(name_, line_, std::string("not valid JSON (") + simdjson::error_message(code) + ")");
    if (root.get_object().get(object_) != simdjson::SUCCESS)
      return row_error(name_, line_, "expected an object with a value for each column");
    keys_.clear();
    for (const simdjson::dom::key_value_pair field : object_) keys_.push_back(field.key);
    sorted_ = keys_;
    std::sort(sorted_.begin(), sorted_.end());
    const std::vector<std::string_view>::const_iterator twice = std::adjacent_find(sorted_.begin(), sorted_.end());
    if (twice != sorted_.end()) return row_error(name_, line_, "key " + show(*twice) + " twice");
    return ok();
  }

  Status add_row(BatchBuilder& batch) {
    seen_.assign(columns_.size(), 0);
    for (const simdjson::dom::key_value_pair field : object_) {
      const std::map<std::string, size_t, std::less<>>::const_iterator at = column_of_.find(field.key);
      if (at == column_of_.end()) continue;
      seen_[at->second] = 1;
      MODNET_TRY(add_cell(batch, at->second, field.key, field.value));
    }
    for (size_t c = 0; c < columns_.size(); ++c)
      if (seen_[c] == 0) batch.missing(c);
    return ok();
  }

  Status add_cell(BatchBuilder& batch, size_t column, std::string_view key, simdjson::dom::element value) {
    std::array<char, 32> text;
    const auto number = [&](auto n) {
      const std::to_chars_result end = std::to_chars(text.data(), text.data() + text.size(), n);
      batch.cell(column, {text.data(), static_cast<size_t>(end.ptr - text.data())});
    };
    switch (value.type()) {
      case simdjson::dom::element_type::STRING: batch.cell(column, value.get_string().value_unsafe()); break;
      case simdjson::dom::element_type::INT64: number(value.get_int64().value_unsafe()); break;
      case simdjson::dom::element_type::UINT64: number(value.get_uint64().value_unsafe()); break;
      case simdjson::dom::element_type::DOUBLE: number(value.get_double().value_unsafe()); break;
      case simdjson::dom::element_type::BOOL: batch.cell(column, value.get_bool().value_unsafe() ? "true" : "false"); break;
      case simdjson::dom::element_type::NULL_VALUE: batch.missing(column); break;
      default:
        return row_error(name_, line_, "key " + show(key) + " holds a list or an object; expected a single value");
    }
    return ok();
  }

  RowBuffer buffer_;
  int64_t max_batch_;
  simdjson::dom::parser parser_;
  simdjson::dom::object object_;
  std::vector<std::string_view> keys_, sorted_;  // of the line that was parsed last
  std::map<std::string, size_t, std::less<>> column_of_;
  std::vector<uint8_t> seen_;
  int64_t line_ = 1, rows_ = 0;
  bool failed_ = false;
};

}  // namespace

Result<std::unique_ptr<RowSource>> open_jsonl(RowBuffer buffer, RowOptions options) {
  std::unique_ptr<JsonlSource> out = std::make_unique<JsonlSource>(std::move(buffer), options);
  MODNET_TRY(out->read_columns(options.columns));
  return std::unique_ptr<RowSource>(std::move(out));
}

}  // namespace modnet
