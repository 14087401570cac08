// The reference texts as they lie on disk: raw TSV whose fields begin with quotes, plain and zstd.
#include <doctest/doctest.h>

#include "formats/table/rows.h"
#include "tests/support/skip.h"

namespace modnet {
namespace {

TEST_CASE("the package descriptions come back whole, quotes and all") {
  const std::optional<std::string> shared = test::shared_dir();
  if (!shared) return test::skip_case("no reference cases");
  const std::pair<const char*, int64_t> files[] = {
      {"/parity/minilm_sections/texts.tsv", 2000}, {"/data/sections/train.tsv.zst", 10000}, {"/data/sections/test.tsv.zst", 5000}};
  for (const auto& [name, rows] : files) {
    Result<std::unique_ptr<ByteSource>> bytes = open_source(*shared + name);
    REQUIRE(bytes.ok());
    const Result<std::unique_ptr<RowSource>> source = RowSource::open(std::move(bytes).value(), RowFormat::kTsv);
    REQUIRE(source.ok());
    CHECK(source.value()->columns() == std::vector<std::string>{"id", "section", "text"});
    const Result<RowBatch> all = read_all_rows(*source.value(), 1 << 20);
    REQUIRE(all.ok());
    CHECK(all->rows == rows);
    int64_t quoted = 0, bytes_of_text = 0;
    for (const std::string_view text : all->columns[2]) {
      quoted += text.starts_with('"') ? 1 : 0;
      bytes_of_text += static_cast<int64_t>(text.size());
    }
    CHECK(quoted > 0);
    CHECK(bytes_of_text > 100 * rows);
  }
}

}  // namespace
}  // namespace modnet
