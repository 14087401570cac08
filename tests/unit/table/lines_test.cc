// Lines of text as rows: line ends, limits, pipes that are slow, and what is not UTF-8.
#include <doctest/doctest.h>

#include <thread>

#include <unistd.h>

#include "formats/table/rows.h"

namespace modnet {
namespace {

std::unique_ptr<RowSource> lines(std::string_view text, RowOptions options = {}) {
  Result<std::unique_ptr<RowSource>> out =
      RowSource::open(memory_source(as_bytes(text), "in.txt"), RowFormat::kLines, std::move(options));
  REQUIRE(out.ok());
  return std::move(out).value();
}
std::vector<std::string> all(std::string_view text) {
  const std::unique_ptr<RowSource> source = lines(text);
  const RowBatch batch = read_all_rows(*source, 1 << 20).value();
  return {batch.columns[0].begin(), batch.columns[0].end()};
}
using Rows = std::vector<std::string>;

TEST_CASE("lines end with LF or CRLF, the last one with neither") {
  CHECK(all("a\nb\r\nc") == Rows{"a", "b", "c"});
  CHECK(all("a\n") == Rows{"a"});
  CHECK(all("").empty());
  CHECK(all("\n\n") == Rows{"", ""});
  CHECK(all("a\rb\n") == Rows{"a\rb"});
  CHECK(all("a\r") == Rows{"a"});
  CHECK(all(std::string_view("a\0b\n", 4)) == Rows{std::string("a\0b", 3)});
}

TEST_CASE("a byte order mark is dropped once, at the start") {
  CHECK(all("\xef\xbb\xbf" "a\n\xef\xbb\xbf" "b") == Rows{"a", "\xef\xbb\xbf" "b"});
  CHECK(all("\xef\xbb\xbf").empty());
  const std::unique_ptr<RowSource> cut = lines("\xef\xbb");
  CHECK(cut->next(1).error().code == Code::kMalformed);
}

TEST_CASE("batches are as long as asked, number their rows and lines, and survive a move") {
  const std::unique_ptr<RowSource> source = lines("one\ntwo\nthree\nfour\nfive\n");
  CHECK(source->columns() == Rows{"text"});
  REQUIRE(source->next(2).value().rows == 2);
  RowBatch second = source->next(2).value();
  const RowBatch moved = std::move(second);
  CHECK(moved.first_row == 2);
  CHECK(moved.lines == std::vector<int64_t>{3, 4});
  CHECK(moved.columns[0] == std::vector<std::string_view>{"three", "four"});
  CHECK(source->next(100).value().rows == 1);
  CHECK(source->next(100).value().rows == 0);
  CHECK(source->next(100).value().rows == 0);
}

TEST_CASE("rows cross the borders of the buffer unharmed") {
  std::string text;
  Rows expected;
  for (int n = 0; n < 3000; ++n) {
    expected.emplace_back(static_cast<size_t>(n * 37 % 2000), static_cast<char>('a' + n % 26));
    text += expected.back() + "\n";
  }
  expected.emplace_back(700'000, 'z');
  text += expected.back();
  CHECK(all(text) == expected);
}

TEST_CASE("bad UTF-8 is refused with file and line, and nothing follows it") {
  const std::unique_ptr<RowSource> source = lines("good\nbad \xff here\nmore\n");
  const Result<RowBatch> out = source->next(10);
  REQUIRE_FALSE(out.ok());
  CHECK(out.error().code == Code::kMalformed);
  CHECK(out.error().file == "in.txt");
  CHECK(out.error().where == "2");
  CHECK(source->next(10).value().rows == 0);
}

TEST_CASE("a line over the limit is refused before it is held") {
  RowOptions options;
  options.max_row_bytes = 1000;
  CHECK(lines(std::string(1000, 'x') + "\n", options)->next(1).ok());
  const Result<RowBatch> out = lines("ok\n" + std::string(1001, 'x') + "\n", options)->next(10);
  REQUIRE_FALSE(out.ok());
  CHECK(out.error().where == "2");
  struct Endless : ByteSource {
    Result<int64_t> read(std::span<std::byte> bytes) override {
      std::fill(bytes.begin(), bytes.end(), std::byte{'x'});
      given += static_cast<int64_t>(bytes.size());
      return static_cast<int64_t>(bytes.size());
    }
    int64_t given = 0;
  };
  std::unique_ptr<Endless> endless = std::make_unique<Endless>();
  const Endless* watched = endless.get();
  const std::unique_ptr<RowSource> source = RowSource::open(std::move(endless), RowFormat::kLines).value();
  CHECK(source->next(1).error().code == Code::kMalformed);
  CHECK(watched->given < (int64_t{256} << 20));
}

TEST_CASE("a batch ends at its byte limit, whatever was asked for") {
  RowOptions options;
  options.max_batch_bytes = 10;
  const std::string text = "12345\n12345\n12345\n";
  CHECK(lines(text, options)->next(100).value().rows == 2);
}

TEST_CASE("a slow pipe gives what it has instead of waiting for a full batch") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "one\ntwo\nthr", 11) == 11);
  const std::unique_ptr<RowSource> source =
      RowSource::open(open_source("/dev/fd/" + std::to_string(ends[0])).value(), RowFormat::kLines).value();
  CHECK(source->next(100).value().columns[0] == std::vector<std::string_view>{"one", "two"});
  std::thread writer([&] {
    REQUIRE(::write(ends[1], "ee\n", 3) == 3);
    ::close(ends[1]);
  });
  CHECK(source->next(1).value().columns[0] == std::vector<std::string_view>{"three"});
  writer.join();
  CHECK(source->next(100).value().rows == 0);
  ::close(ends[0]);
}

TEST_CASE("lines have one column, and asking for another names it") {
  RowOptions options;
  options.columns = {"label"};
  const Result<std::unique_ptr<RowSource>> out =
      RowSource::open(memory_source(as_bytes("a\n"), "in.txt"), RowFormat::kLines, options);
  REQUIRE_FALSE(out.ok());
  CHECK(out.error().what.find("text") != std::string::npos);
}

TEST_CASE("formats are known by name and by extension, packed or not") {
  for (const char* name : {"lines", "csv", "tsv", "jsonl"})
    CHECK(row_format_name(row_format_from_name(name).value()) == name);
  CHECK_FALSE(row_format_from_name("xml").has_value());
  CHECK(row_format_from_path("a/b.tsv.zst") == RowFormat::kTsv);
  CHECK(row_format_from_path("b.csv") == RowFormat::kCsv);
  CHECK(row_format_from_path("b.txt.gz") == RowFormat::kLines);
  CHECK(row_format_from_path("b.ndjson") == RowFormat::kJsonl);
  CHECK_FALSE(row_format_from_path("b").has_value());
  CHECK_FALSE(row_format_from_path("csv").has_value());
  CHECK_FALSE(row_format_from_path("b.gz").has_value());
}

}  // namespace
}  // namespace modnet
