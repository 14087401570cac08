// Configuration files read without guessing: getters, unknown keys, values that must be, and what is no JSON.
#include "libmod/import/strict_json.h"

#include <doctest/doctest.h>

#include <array>

using namespace modnet;
using nlohmann::json;

namespace {

Error error_of(const Status& status) {
  REQUIRE(!status.ok());
  return status.error();
}

Error parse_error(std::string_view text) {
  const auto parsed = parse_config(text, "config.json");
  REQUIRE(!parsed.ok());
  CHECK(parsed.error().code == Code::kMalformed);
  CHECK(parsed.error().file == "config.json");
  return parsed.error();
}

std::string nested(int levels) {
  std::string out = R"({"a":)";
  out.append(static_cast<size_t>(levels - 1), '[');
  out.append(static_cast<size_t>(levels - 1), ']');
  return out + "}";
}

}  // namespace

TEST_CASE("a key that nobody asked for stops by its name, file and path") {
  const json object = {{"used", 1}, {"surprise", true}};
  StrictObject config(object, "config.json", "pooling.");
  REQUIRE(config.integer("used", 0, 9).ok());
  const Error error = error_of(config.finish());
  CHECK(error.code == Code::kMalformed);
  CHECK(error.id == "IMPORT_UNKNOWN");
  CHECK(error.where == "pooling.surprise");
  CHECK(error.what.find("'pooling.surprise'") != std::string::npos);
  CHECK(error.file == "config.json");
  constexpr std::array<std::string_view, 1> kHarmless = {"surprise"};
  config.ignore(kHarmless);
  CHECK(config.finish().ok());
}

TEST_CASE("getters refuse other types and sizes and take null for absent") {
  const json object = {{"n", 7},         {"big", 18446744073709551615u}, {"real", 0.5}, {"text", "x"}, {"yes", true},
                       {"none", nullptr}};
  StrictObject config(object, "f");
  CHECK(*config.integer("n", 7, 7) == 7);
  CHECK(!config.integer("n", 8, 9).ok());
  CHECK(!config.integer("n", 0, 6).ok());
  CHECK(!config.integer("big", 0, int64_t{1} << 60).ok());
  CHECK(!config.integer("real", 0, 9).ok());
  CHECK(!config.integer("none", 0, 9).ok());
  CHECK(*config.integer_or("none", 0, 9, 3) == 3);
  CHECK(!config.integer_or("text", 0, 9, 3).ok());
  CHECK(*config.real_or("real", 1.0) == 0.5);
  CHECK(*config.real_or("n", 1.0) == 7.0);
  CHECK(*config.real_or("absent", 1.5) == 1.5);
  CHECK(!config.real_or("text", 1.0).ok());
  CHECK(*config.text("text") == "x");
  CHECK(!config.text("n").ok());
  CHECK(!config.text("absent").ok());
  CHECK(*config.text_or("none", "y") == "y");
  CHECK(*config.boolean_or("yes", false));
  CHECK(!*config.boolean_or("none", false));
  CHECK(!config.boolean_or("n", false).ok());
  CHECK(!config.has("none"));
  CHECK(config.has("n"));
}

TEST_CASE("a value that must be may be absent or null, and nothing else") {
  const json object = {{"decoder", true}, {"cross", false}, {"none", nullptr}};
  StrictObject config(object, "config.json");
  CHECK(config.must_be("cross", false).ok());
  CHECK(config.must_be("none", false).ok());
  CHECK(config.must_be("absent", "x").ok());
  const Error error = error_of(config.must_be("decoder", false));
  CHECK(error.id == "IMPORT_UNKNOWN");
  CHECK(error.what == "key 'decoder': expected false, got true");
}

TEST_CASE("long values are shortened in messages") {
  const json object = {{"key", std::string(5000, 'v')}};
  StrictObject config(object, "f");
  CHECK(config.unknown("key", "less").what.size() < 200);
}

TEST_CASE("what is not one JSON object or list is malformed") {
  for (const char* text : {"", " ", "nope", "{", "[1,2", "{\"a\":1}}", "{\"a\":1} x", "1", "\"text\"", "null",
                           "{'a':1}", "{\"a\":NaN}", "{\"a\":1,}", "{\"a\":1e999}"}) {
    CAPTURE(text);
    parse_error(text);
  }
  CHECK(parse_config(" [1, 2]\n", "f").ok());
  CHECK(parse_config("{}", "f").ok());
}

TEST_CASE("a NUL byte does not hide what follows it") {
  using std::string_literals::operator""s;
  CHECK(parse_error("{\"a\":1}\0{\"b\":2}"s).where == "offset 7");
  CHECK(parse_error("{}\0"s).where == "offset 2");
  CHECK(parse_error("\0"s).where == "offset 0");
}

TEST_CASE("duplicate keys, deep nesting and bad UTF-8 are malformed") {
  CHECK(parse_error(R"({"a":1,"b":{"c":1,"c":2}})").what.find("'c'") != std::string::npos);
  CHECK(parse_config(R"([{"a":1},{"a":2}])", "f").ok());
  CHECK(parse_config(nested(60), "f").ok());
  CHECK(parse_error(nested(80)).what.find("64") != std::string::npos);
  CHECK(parse_error(std::string(100000, '[')).code == Code::kMalformed);
  CHECK(parse_error("{\"a\":\"\xff\"}").where == "offset 6");
}
