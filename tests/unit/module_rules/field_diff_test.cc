// Differences of JSON documents and of texts, and what is too large or too deep to be looked into.
#include "libmod/module/field_diff.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

namespace modnet {
namespace {

std::vector<FieldChange> fields(std::string_view before, std::string_view after) {
  std::vector<FieldChange> out;
  diff_json(*parse_bounded_json(before), *parse_bounded_json(after), "", out);
  return out;
}

TEST_CASE("each field that differs is one entry with its path") {
  CHECK(fields(R"({"a": {"b": [1, {"c": 2}]}, "d": "x"})", R"({"d": "x", "a": {"b": [1, {"c": 2}]}})").empty());
  CHECK(fields(R"({"a": {"b": [1, {"c": 2}]}})", R"({"a": {"b": [1, {"c": 3}]}})") ==
        std::vector<FieldChange>{{"a.b[1].c", "2", "3"}});
  CHECK(fields(R"({"a": 1})", R"({"b": {"x": [1, 2]}})") ==
        std::vector<FieldChange>{{"a", "1", std::nullopt}, {"b", std::nullopt, R"({"x":[1,2]})"}});
  CHECK(fields("[1]", "[1, null]") == std::vector<FieldChange>{{"[1]", std::nullopt, "null"}});
  CHECK(fields(R"({"a": [1]})", R"({"a": {"x": 1}})") == std::vector<FieldChange>{{"a", "[1]", R"({"x":1})"}});
}

TEST_CASE("numbers differ when their texts do") {
  CHECK(fields("[1]", "[1.0]").size() == 1);
  CHECK(fields("[-0.0]", "[0.0]").size() == 1);
  CHECK(fields("[0.10]", "[0.1]").empty());
}

TEST_CASE("documents that are too deep or have too many values are not parsed") {
  CHECK(parse_bounded_json(std::string(64, '[') + std::string(64, ']')).has_value());
  CHECK_FALSE(parse_bounded_json(std::string(65, '[') + std::string(65, ']')).has_value());
  CHECK_FALSE(parse_bounded_json("{\"a\": ").has_value());
  CHECK_FALSE(parse_bounded_json("\"\xff\"").has_value());
  std::string many = "[0";
  for (int i = 0; i < (1 << 22); ++i) many += ",0";
  CHECK_FALSE(parse_bounded_json(many + "]").has_value());
  CHECK(parse_bounded_json("[\"" + std::string(200, '[') + "\"]").has_value());  // brackets in a text nest nothing
}

TEST_CASE("lines that were removed and added are named with their numbers") {
  CHECK(*diff_lines("a\nb\nc\n", "a\nx\nc\nd\n") ==
        std::vector<LineChange>{{Change::kRemoved, 2, "b"}, {Change::kAdded, 2, "x"}, {Change::kAdded, 4, "d"}});
  CHECK(diff_lines("same\n", "same\n")->empty());
  CHECK_FALSE(diff_lines("a\xff", "b").has_value());
  CHECK_FALSE(diff_lines(std::string("a\0b", 3), "b").has_value());
}

}  // namespace
}  // namespace modnet
