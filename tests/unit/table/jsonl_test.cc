// JSON lines: scalars as text, null as missing, and every line checked whole.
#include <doctest/doctest.h>

#include "formats/table/rows.h"

namespace modnet {
namespace {

Result<std::unique_ptr<RowSource>> open(std::string_view text, std::vector<std::string> columns = {}) {
  RowOptions options;
  options.columns = std::move(columns);
  return RowSource::open(memory_source(as_bytes(text), "in.jsonl"), RowFormat::kJsonl, options);
}
Error error_of(std::string_view text, std::vector<std::string> columns = {}) {
  Result<std::unique_ptr<RowSource>> source = open(text, std::move(columns));
  if (!source.ok()) return std::move(source).error();
  Result<RowBatch> rows = read_all_rows(*source.value(), 1 << 20);
  REQUIRE_MESSAGE(!rows.ok(), text);
  return std::move(rows).error();
}

TEST_CASE("strings are unescaped, numbers and truth values are text, null is missing") {
  const std::unique_ptr<RowSource> source =
      open("{\"s\":\"a\\n\\u00e9\\ud83d\\ude00\",\"i\":-12,\"u\":18446744073709551615,\"d\":1.50,\"b\":true,\"n\":null,\"e\":\"\"}\n")
          .value();
  CHECK(source->columns() == std::vector<std::string>{"s", "i", "u", "d", "b", "n", "e"});
  const RowBatch batch = source->next(10).value();
  REQUIRE(batch.rows == 1);
  const std::vector<std::string> expected = {"a\n\xc3\xa9\xf0\x9f\x98\x80", "-12", "18446744073709551615", "1.5", "true"};
  for (size_t c = 0; c < expected.size(); ++c) CHECK(batch.columns[c][0] == expected[c]);
  CHECK(is_missing(batch.columns[5][0]));
  CHECK_FALSE(is_missing(batch.columns[6][0]));
  CHECK(batch.columns[6][0].empty());
}

TEST_CASE("keys are found by name in any order, absent ones are missing, blank lines are no rows") {
  const std::unique_ptr<RowSource> source =
      open("\n{\"a\":\"1\",\"b\":\"2\"}\r\n  \n{\"b\":\"4\",\"a\":\"3\",\"new\":[1]}\n{\"b\":\"5\"}", {"b", "a"}).value();
  const RowBatch batch = source->next(10).value();
  REQUIRE(batch.rows == 3);
  CHECK(batch.columns[0] == std::vector<std::string_view>{"2", "4", "5"});
  CHECK(batch.columns[1][1] == "3");
  CHECK(is_missing(batch.columns[1][2]));
  CHECK(batch.lines == std::vector<int64_t>{2, 4, 5});
}

TEST_CASE("an empty input has no rows") {
  const std::unique_ptr<RowSource> source = open("", {"text"}).value();
  CHECK(source->columns() == std::vector<std::string>{"text"});
  CHECK(source->next(1).value().rows == 0);
}

TEST_CASE("a list or object is refused by key only where its column is wanted") {
  const std::string_view text = "{\"a\":\"1\",\"deep\":{\"x\":[1,2]}}\n";
  CHECK(open(text, {"a"}).value()->next(1).value().rows == 1);
  const Error error = error_of(text);
  CHECK(error.code == Code::kMalformed);
  CHECK(error.what.find("'deep'") != std::string::npos);
  CHECK(error.where == "1");
}

TEST_CASE("a wanted key that the first row lacks lists those that it has") {
  const Error error = error_of("{\"a\":1,\"b\":2}\n", {"label"});
  CHECK(error.code == Code::kUsage);
  CHECK(error.what.find("a, b") != std::string::npos);
}

TEST_CASE("every malformed line is refused with its number, a cut-off last line too") {
  const std::string good = "{\"a\":\"x\"}\n";
  for (const std::string_view bad :
       {"{\"a\":\"x\"", "{\"a\":\"x", "{\"a\":}", "{\"a\":1,}", "[1]", "1", "\"a\"", "null", "{} {}", "{\"a\":1}x",
        "{\"a\":01}", "{\"a\":1e999}", "{\"a\":\"\xff\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\x01\"}", "{'a':1}",
        "{\"a\":1,\"a\":2}", "{\"b\":1,\"b\":[}", "{\"a\":nul}", "{\"a\":99999999999999999999}"}) {
    const Error error = error_of(good + std::string(bad));
    CHECK_MESSAGE(error.code == Code::kMalformed, bad);
    CHECK_MESSAGE(error.where == "2", bad);
  }
  CHECK(error_of(std::string(100'000, '[')).code == Code::kMalformed);
  CHECK(error_of("{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}").code == Code::kMalformed);
}

TEST_CASE("a line over the limit is refused") {
  RowOptions options;
  options.max_row_bytes = 100;
  const std::string text = "{\"a\":\"" + std::string(200, 'x') + "\"}\n";
  CHECK(RowSource::open(memory_source(as_bytes(text), "in"), RowFormat::kJsonl, options).error().code == Code::kMalformed);
}

}  // namespace
}  // namespace modnet
