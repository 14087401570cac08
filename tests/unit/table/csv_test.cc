// CSV by RFC 4180 and TSV with its two kinds of quotes; ragged rows, bad headers, and every way to cut the input.
#include <doctest/doctest.h>

#include <map>

#include "formats/table/rows.h"

namespace modnet {
namespace {

using Table = std::vector<std::vector<std::string>>;  // the header, then the rows

Result<Table> table_of(std::unique_ptr<ByteSource> bytes, RowFormat format, RowOptions options = {}) {
  MODNET_ASSIGN(const std::unique_ptr<RowSource> source, RowSource::open(std::move(bytes), format, std::move(options)));
  MODNET_ASSIGN(const RowBatch batch, read_all_rows(*source, 1 << 20));
  Table out = {source->columns()};
  for (size_t r = 0; r < static_cast<size_t>(batch.rows); ++r) {
    out.emplace_back();
    for (const std::vector<std::string_view>& column : batch.columns) out.back().emplace_back(column[r]);
  }
  return out;
}
Result<Table> read(std::string_view text, RowFormat format, RowOptions options = {}) {
  return table_of(memory_source(as_bytes(text), "in"), format, std::move(options));
}
Table csv(std::string_view text) {
  Result<Table> out = read(text, RowFormat::kCsv);
  REQUIRE_MESSAGE(out.ok(), text << ": " << out.error().what);
  return std::move(out).value();
}
Table tsv(std::string_view text, Quoting quoting = Quoting::kDefault) {
  RowOptions options;
  options.quoting = quoting;
  Result<Table> out = read(text, RowFormat::kTsv, options);
  REQUIRE_MESSAGE(out.ok(), text << ": " << out.error().what);
  return std::move(out).value();
}

/// Gives one byte a read, and is never ready in between: every border of the buffer is tried.
struct Dripping : ByteSource {
  explicit Dripping(std::string_view bytes) : text(bytes) {}
  Result<int64_t> read(std::span<std::byte> out) override {
    if (at == text.size()) return int64_t{0};
    out[0] = static_cast<std::byte>(text[at++]);
    return int64_t{1};
  }
  bool ready() override { return false; }
  std::string_view text;
  size_t at = 0;
};

TEST_CASE("plain fields, quoted fields, doubled quotes, embedded separators and line ends") {
  CHECK(csv("a,b\n1,2\n") == Table{{"a", "b"}, {"1", "2"}});
  CHECK(csv("a,b\r\n\"x,y\",\"say \"\"hi\"\"\"\r\n") == Table{{"a", "b"}, {"x,y", "say \"hi\""}});
  CHECK(csv("a,b\n\"two\nlines\",\"\r\n\"\n") == Table{{"a", "b"}, {"two\nlines", "\r\n"}});
  CHECK(csv("a,b\n,\n\"\",\"\"\"\"") == Table{{"a", "b"}, {"", ""}, {"", "\""}});
  CHECK(csv("a,b\n1,") == Table{{"a", "b"}, {"1", ""}});
  CHECK(csv("a,b\n5\" disk,it\"s\n") == Table{{"a", "b"}, {"5\" disk", "it\"s"}});
  CHECK(csv("\"a b\",\"c\nd\"\n1,2\n") == Table{{"a b", "c\nd"}, {"1", "2"}});
  CHECK(csv("a,b") == Table{{"a", "b"}});
  CHECK(csv("\xef\xbb\xbf" "a,b\n1,2") == Table{{"a", "b"}, {"1", "2"}});
  CHECK(csv(",text\n0,x\n") == Table{{"", "text"}, {"0", "x"}});
}

TEST_CASE("empty lines are skipped between columns and are values in a single one") {
  CHECK(csv("a,b\n\n1,2\n\r\n\n") == Table{{"a", "b"}, {"1", "2"}});
  CHECK(csv("a\n\nx\n\"\"\n") == Table{{"a"}, {""}, {"x"}, {""}});
  CHECK(tsv("a\tb\n\n1\t2\n\n") == Table{{"a", "b"}, {"1", "2"}});
}

TEST_CASE("the result is the same wherever the bytes are cut") {
  for (const std::string_view text :
       {"a,b\n1,2\n", "a,b\r\n\"x,y\",\"say \"\"hi\"\"\"\r\n\"q\",z\r\n", "a,b\n\"two\nlines\",\"\r\n\"\n\n1,\"\"",
        "a,b\n,\n\"\",\"\"\"\"", "\xef\xbb\xbf" "a,b\n\"1\",2\r\n", "a\n\"x\"\r", "h\n\n\nv"}) {
    const Result<Table> dripped = table_of(std::make_unique<Dripping>(text), RowFormat::kCsv);
    REQUIRE(dripped.ok());
    CHECK(dripped.value() == csv(text));
  }
}

TEST_CASE("errors come with the line, in one piece or byte by byte") {
  struct Bad {
    std::string_view text, line, words;
  };
  for (const Bad& bad : {Bad{"a,b\n1,2\n3\n", "3", "expected 2 fields as in the first line, got 1"},
                         Bad{"a,b\n1,2,3\n", "2", "got 3"},
                         Bad{"a,b\n\"x\ny\",1\n1,2,3\n", "4", "got 3"},
                         Bad{"a,b\n\"x,1\n2,3\n", "2", "never closes"},
                         Bad{"a,b\n1,\"\n\n", "2", "never closes"},
                         Bad{"a,b\n\"x\n\n\",\"y", "4", "never closes"},
                         Bad{"a,b\n\"x\"y,1\n", "2", "between"},
                         Bad{"a,b\n\"x\" ,1\n", "2", "between"},
                         Bad{"a,b\n\"x\"\ry,1\n", "2", "between"},
                         Bad{"a,b\n1,2\n1,\xff\n", "3", "UTF-8"},
                         Bad{"a,b\n\"x\n\xff\",2\n", "3", "UTF-8"},
                         Bad{"a,\xff\n", "1", "UTF-8"},
                         Bad{"a,b,a\n1,2,3\n", "1", "'a'"},
                         Bad{"", "1", "empty"},
                         Bad{"\na,b\n", "1", "names the columns"}}) {
    const Result<Table> whole = read(bad.text, RowFormat::kCsv);
    const Result<Table> dripped = table_of(std::make_unique<Dripping>(bad.text), RowFormat::kCsv);
    for (const Result<Table>* out : {&whole, &dripped}) {
      REQUIRE_MESSAGE(!out->ok(), bad.text);
      CHECK(out->error().code == Code::kMalformed);
      CHECK_MESSAGE(out->error().where == bad.line, bad.text << ": " << out->error().what);
      CHECK_MESSAGE(out->error().what.find(bad.words) != std::string::npos, bad.text << ": " << out->error().what);
    }
  }
}

TEST_CASE("wanted columns come in the order asked for, and a missing one lists those that exist") {
  RowOptions options;
  options.columns = {"c", "a"};
  CHECK(read("a,b,c\n1,2,3\n", RowFormat::kCsv, options).value() == Table{{"c", "a"}, {"3", "1"}});
  options.columns = {"label"};
  const Result<Table> out = read("a,b,c\n1,2,3\n", RowFormat::kCsv, options);
  REQUIRE_FALSE(out.ok());
  CHECK(out.error().code == Code::kUsage);
  CHECK(out.error().what.find("'label'") != std::string::npos);
  CHECK(out.error().what.find("a, b, c") != std::string::npos);
  options.columns = {"a", "a"};
  CHECK(read("a,b,c\n1,2,3\n", RowFormat::kCsv, options).error().code == Code::kUsage);
}

TEST_CASE("a TSV quote is text, unless the field is quoted as a writer quotes it") {
  CHECK(tsv("a\tb\n\"C\" Language\tx\n") == Table{{"a", "b"}, {"\"C\" Language", "x"}});
  CHECK(tsv("a\tb\nx\tsay \"hi\"\n") == Table{{"a", "b"}, {"x", "say \"hi\""}});
  CHECK(tsv("a\tb\n\"\"\"C\"\" Language\"\tx\n") == Table{{"a", "b"}, {"\"C\" Language", "x"}});
  CHECK(tsv("a\tb\nx\t\"tab\there\"\n") == Table{{"a", "b"}, {"x", "tab\there"}});
  CHECK(tsv("\"a\"\t\"b\"\r\n\"1\"\t\"\"\r\n") == Table{{"a", "b"}, {"1", ""}});
  CHECK(tsv("a\tb\n\"x\" and \"y\"\t\"\"\"\"\n") == Table{{"a", "b"}, {"\"x\" and \"y\"", "\""}});
}

TEST_CASE("a TSV quote that does not close in its line asks which reading is meant") {
  const std::string_view text = "a\tb\n1\t\"two\nlines\"\n";
  const Result<Table> out = read(text, RowFormat::kTsv);
  REQUIRE_FALSE(out.ok());
  CHECK(out.error().where == "2");
  CHECK(out.error().fix.find("--quoting") != std::string::npos);
  CHECK(tsv(text, Quoting::kCsv) == Table{{"a", "b"}, {"1", "two\nlines"}});
  CHECK(tsv("a\tb\n1\t\"two\nx\tlines\"\n", Quoting::kNone) == Table{{"a", "b"}, {"1", "\"two"}, {"x", "lines\""}});
}

TEST_CASE("what a writer writes, a reader reads: every short field of a nasty alphabet, CSV and TSV") {
  const std::string_view alphabet = "a,\"\n\t\r ";
  const auto quote = [](const std::string& field) {
    std::string out = "\"";
    for (const char c : field) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
  };
  for (const auto& [format, separator] : {std::pair{RowFormat::kCsv, ","}, {RowFormat::kTsv, "\t"}}) {
    Table expected = {{"x", "y"}};
    std::string text = std::string("x") + separator + "y\n";
    for (size_t n = 0; n < 343 * 7; ++n) {
      std::string field;
      for (size_t k = n, i = 0; i < n % 5; ++i, k /= 7) field += alphabet[k % 7];
      expected.push_back({field, "end"});
      text += quote(field) + separator + "end\n";
    }
    RowOptions options;
    options.quoting = Quoting::kCsv;
    CHECK(read(text, format, options).value() == expected);
  }
}

TEST_CASE("rows and headers have limits") {
  RowOptions options;
  options.max_row_bytes = 100;
  CHECK(read("a,b\n\"" + std::string(200, 'x') + "\",1\n", RowFormat::kCsv, options).error().code == Code::kMalformed);
  CHECK(read("a,b\n\"" + std::string(2'000'000, '\n'), RowFormat::kCsv, options).error().code == Code::kMalformed);
  const Result<Table> wide = read(std::string(200'000, ','), RowFormat::kCsv);
  REQUIRE_FALSE(wide.ok());
  CHECK(wide.error().what.find("200001 columns") != std::string::npos);
  const Result<Table> ragged = read("a,b\n" + std::string(2'000'000, ','), RowFormat::kCsv);
  CHECK(ragged.error().what.find("got 2000001") != std::string::npos);
}

}  // namespace
}  // namespace modnet
