// Values of a command line: defaults, ranges, recipes, positionals. See commands/arguments.h.
#include "commands/arguments.h"

#include <doctest/doctest.h>

#include "commands/command.h"

namespace modnet {
namespace {

CommandSpec sample() {
  return {
      .name = "sample",
      .group = "tests",
      .summary = "a command for tests",
      .positionals = {{.name = "FIRST"}, {.name = "REST", .minimum = 0, .maximum = PositionalSpec::kMany}, {.name = "LAST"}},
      .options = {{.name = "batch-size", .type = OptionType::kInteger, .metavar = "N", .default_text = "256", .minimum = 1},
                  {.name = "ratio", .type = OptionType::kReal, .default_text = "0.5", .minimum = 0, .maximum = 1},
                  {.name = "kind", .type = OptionType::kChoice, .choices = {"a", "b"}},
                  {.name = "head", .type = OptionType::kTextList},
                  {.name = "must", .type = OptionType::kText, .required = true}},
      .writes = Writes::kModule,
  };
}

RecipeValue text_value(std::string text) {
  RecipeValue out;
  out.kind = RecipeValue::Kind::kText;
  out.text = std::move(text);
  out.line = 7;
  out.column = 3;
  return out;
}

RecipeValue integer_value(int64_t number) {
  RecipeValue out;
  out.kind = RecipeValue::Kind::kInteger;
  out.integer = number;
  out.line = 2;
  out.column = 1;
  return out;
}

RecipeValue table(std::vector<std::string> keys, std::vector<RecipeValue> items) {
  RecipeValue out;
  out.kind = RecipeValue::Kind::kTable;
  out.keys = std::move(keys);
  out.items = std::move(items);
  return out;
}

TEST_CASE("an option that was not given has its default") {
  const CommandSpec spec = sample();
  const Arguments args(spec);
  CHECK(args.integer("batch-size") == 256);
  CHECK(args.real("ratio") == 0.5);
  CHECK_FALSE(args.has("batch-size"));
  CHECK(args.list("head").empty());
  CHECK_FALSE(args.flag("json"));
}

TEST_CASE("values outside their range or type are usage errors that name option, value and expectation") {
  const CommandSpec spec = sample();
  Arguments args(spec);
  const Status zero = args.set("batch-size", {"0"});
  REQUIRE_FALSE(zero.ok());
  CHECK(zero.error().code == Code::kUsage);
  CHECK(zero.error().what == "--batch-size expected a whole number of at least 1, got '0'");
  for (const char* bad : {"", "x", "1x", " 1", "+1", "1e3", "9223372036854775808", "0x10"})
    CHECK_FALSE(args.set("batch-size", {bad}).ok());
  for (const char* bad : {"nan", "inf", "-0.1", "1.01", "half"}) CHECK_FALSE(args.set("ratio", {bad}).ok());
  CHECK(args.set("kind", {"c"}).error().what == "--kind expected one of a, b, got 'c'");
  CHECK_FALSE(args.set("batch-size", {"1", "2"}).ok());
  CHECK(args.set("head", {"x", "y"}).ok());
  CHECK(args.list("head") == std::vector<std::string>{"x", "y"});
}

TEST_CASE("a flag beats the recipe, the recipe beats the default") {
  const CommandSpec spec = sample();
  Arguments args(spec);
  REQUIRE(args.set("kind", {"a"}).ok());
  const RecipeValue recipe = table({"kind", "batch-size", "ratio"}, {text_value("b"), integer_value(8), integer_value(1)});
  REQUIRE(args.fill(recipe, "r.toml").ok());
  CHECK(args.text("kind") == "a");
  CHECK(args.integer("batch-size") == 8);
  CHECK(args.real("ratio") == 1);
}

TEST_CASE("a recipe's mistakes name file, line and column") {
  const CommandSpec spec = sample();
  Arguments args(spec);
  const Status unknown = args.fill(table({"kinds"}, {text_value("a")}), "r.toml");
  REQUIRE_FALSE(unknown.ok());
  CHECK(error_line(unknown.error()) == "modnet: r.toml:7:3: RECIPE: unknown key 'kinds'; did you mean 'kind'?");
  const Status wrong = args.fill(table({"batch-size"}, {text_value("many")}), "r.toml");
  CHECK(error_line(wrong.error()) ==
        "modnet: r.toml:7:3: RECIPE: --batch-size expected a whole number of at least 1, got 'many'");
  CHECK_FALSE(args.fill(table({"json"}, {integer_value(1)}), "r.toml").ok());
  CHECK_FALSE(args.fill(table({"batch-size"}, {table({}, {})}), "r.toml").ok());
}

TEST_CASE("words fill positional arguments from both ends") {
  const CommandSpec spec = sample();
  Arguments args(spec);
  REQUIRE(args.set_positionals({"a", "b", "c", "d"}).ok());
  CHECK(args.word("FIRST") == "a");
  CHECK(args.words("REST") == std::vector<std::string>{"b", "c"});
  CHECK(args.word("LAST") == "d");
  REQUIRE(args.set_positionals({"a", "d"}).ok());
  CHECK(args.words("REST").empty());
  CHECK(args.set_positionals({"a"}).error().what == "LAST is missing");
  CHECK_FALSE(args.set_positionals({"a", ""}).ok());
}

TEST_CASE("a required option that nobody gave is named") {
  const CommandSpec spec = sample();
  Arguments args(spec);
  CHECK(args.check_required().error().what == "--must is missing");
  REQUIRE(args.set("must", {"x"}).ok());
  CHECK(args.check_required().error().what == "-o/--output FILE is missing");
  REQUIRE(args.set("output", {"m.mnet"}).ok());
  CHECK(args.check_required().ok());
}

TEST_CASE("sizes take k, M, G and T and nothing else") {
  CHECK(parse_size("4096") == 4096);
  CHECK(parse_size("64k") == 65536);
  CHECK(parse_size("512M") == int64_t{512} << 20);
  CHECK(parse_size("2g") == int64_t{2} << 30);
  CHECK(parse_size("1T") == int64_t{1} << 40);
  for (const char* bad : {"", "M", "-1", "1.5G", "1KB", "1 M", "8000000T", "99999999999999999999"})
    CHECK_FALSE(parse_size(bad).has_value());
}

TEST_CASE("compression is zstd with a level from 1 to 19") {
  CHECK(parse_compression("zstd") == 3);
  CHECK(parse_compression("zstd:19") == 19);
  for (const char* bad : {"", "gzip", "zstd:", "zstd:0", "zstd:20", "zstd:3x"}) CHECK_FALSE(parse_compression(bad).has_value());
}

}  // namespace
}  // namespace modnet
