// Rows of text. The first byte picks format and quoting; the same bytes must give the same rows, or an error at the same
// line, whether they come at once or one by one.
#include <algorithm>
#include <cstdlib>

#include "formats/base/text.h"
#include "formats/table/rows.h"

namespace {

using namespace modnet;

struct Choice {
  RowFormat format;
  Quoting quoting;
};
constexpr Choice kChoices[] = {{RowFormat::kLines, Quoting::kDefault}, {RowFormat::kCsv, Quoting::kDefault},
                               {RowFormat::kTsv, Quoting::kDefault},   {RowFormat::kJsonl, Quoting::kDefault},
                               {RowFormat::kTsv, Quoting::kCsv},       {RowFormat::kCsv, Quoting::kNone}};

/// At most a few bytes a read, never ready in between.
struct Dripping : ByteSource {
  explicit Dripping(Bytes given) : bytes(given) {}
  Result<int64_t> read(std::span<std::byte> out) override {
    const size_t n = std::min({out.size(), bytes.size(), size_t{3}});
    std::copy_n(bytes.begin(), n, out.begin());
    bytes = bytes.subspan(n);
    return static_cast<int64_t>(n);
  }
  bool ready() override { return false; }
  Bytes bytes;
};

struct Outcome {
  std::vector<std::string> cells;  // the header, then all cells, a missing one as "\xff"
  std::string where;               // of the error
  bool ok = false;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::unique_ptr<ByteSource> bytes, const Choice& choice) {
  Outcome out;
  RowOptions options;
  options.quoting = choice.quoting;
  options.max_row_bytes = 1 << 20;
  Result<std::unique_ptr<RowSource>> source = RowSource::open(std::move(bytes), choice.format, options);
  if (!source.ok()) {
    out.where = source.error().where;
    return out;
  }
  out.cells = source.value()->columns();
  int64_t rows = 0;
  while (true) {
    const Result<RowBatch> batch = source.value()->next(5);
    if (!batch.ok()) {
      // Rows before the error may or may not have been handed out, as batches fall: only the place is compared.
      out.cells.clear();
      out.where = batch.error().where;
      return out;
    }
    if (batch->rows == 0) break;
    if (batch->first_row != rows) std::abort();
    rows += batch->rows;
    for (size_t r = 0; r < static_cast<size_t>(batch->rows); ++r)
      for (const std::vector<std::string_view>& column : batch->columns) {
        if (static_cast<int64_t>(column.size()) != batch->rows || !is_utf8(column[r])) std::abort();
        out.cells.push_back(is_missing(column[r]) ? std::string("\xff") : std::string(column[r]));
      }
    if (out.cells.size() > 100'000) break;
  }
  out.ok = true;
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Choice& choice = kChoices[data[0] % std::size(kChoices)];
  const Bytes bytes{reinterpret_cast<const std::byte*>(data + 1), size - 1};
  const std::string_view text = as_text(bytes);
  Outcome whole = read(memory_source(bytes, "fuzz"), choice);
  if (size >= 4096) return 0;
  Outcome dripped = read(std::make_unique<Dripping>(bytes), choice);
  // In damaged gzip or zstd, bad text may be met before the damage or after it.
  if (text.starts_with("\x1f\x8b") || text.starts_with("\x28\xb5\x2f\xfd")) whole.where = dripped.where;
  if (!(whole == dripped)) std::abort();
  return 0;
}
