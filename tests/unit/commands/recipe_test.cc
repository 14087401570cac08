// Reading a recipe's tree: types, missing and unknown keys, suggestions. See commands/recipe.h.
#include "commands/recipe.h"

#include <doctest/doctest.h>

#include <array>

namespace modnet {
namespace {

RecipeValue value(RecipeValue::Kind kind, int64_t line) {
  RecipeValue out;
  out.kind = kind;
  out.line = line;
  out.column = 5;
  return out;
}

RecipeValue sample() {
  RecipeValue out = value(RecipeValue::Kind::kTable, 1);
  const auto add = [&](std::string key, RecipeValue item) {
    out.keys.push_back(std::move(key));
    out.items.push_back(std::move(item));
  };
  RecipeValue name = value(RecipeValue::Kind::kText, 1);
  name.text = "pixels";
  RecipeValue seed = value(RecipeValue::Kind::kInteger, 2);
  seed.integer = 7;
  RecipeValue dims = value(RecipeValue::Kind::kArray, 3);
  dims.items = {seed, seed};
  add("name", name);
  add("seed", seed);
  add("dims", dims);
  return out;
}

TEST_CASE("values come back with their types, integers also as reals") {
  const RecipeValue tree = sample();
  RecipeReader reader(tree, "r.toml");
  CHECK(reader.text("name").value() == "pixels");
  CHECK(reader.integer("seed").value() == 7);
  CHECK(reader.real("seed").value() == 7.0);
  CHECK(reader.integers("dims").value() == std::vector<int64_t>{7, 7});
  CHECK(reader.text_or("licence", "none").value() == "none");
  CHECK(reader.finish().ok());
}

TEST_CASE("a wrong type says where, what was expected and what was there") {
  const RecipeValue tree = sample();
  RecipeReader reader(tree, "r.toml");
  const Error error = reader.integer("name").error();
  CHECK(error.code == Code::kMalformed);
  CHECK(error.where == "1:5");
  CHECK(error.what == "key 'name' has the wrong type; expected an integer, got a string");
  CHECK_FALSE(reader.real("name").ok());
  CHECK_FALSE(reader.tables_or_null("dims").ok());
  CHECK_FALSE(reader.texts_or_none("dims").ok());
}

TEST_CASE("a missing key is an error only where it is required") {
  const RecipeValue tree = sample();
  RecipeReader reader(tree, "r.toml");
  CHECK(reader.text("kind").error().what == "key 'kind' is missing");
  CHECK(reader.table_or_null("space").value() == nullptr);
  CHECK(reader.real_or("scale", 0.5).value() == 0.5);
}

TEST_CASE("a key that nobody asked for is refused with a suggestion") {
  const RecipeValue tree = sample();
  RecipeReader reader(tree, "r.toml");
  REQUIRE(reader.text("name").ok());
  REQUIRE(reader.integers("dims").ok());
  REQUIRE(reader.integer_or("seeds", 0).ok());
  const Status status = reader.finish();
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().what == "unknown key 'seed'");
  CHECK(status.error().fix == "did you mean 'seeds'?");
  CHECK(status.error().where == "2:5");
}

TEST_CASE("suggestions are near or absent") {
  const std::array<std::string, 3> known{"embed", "encode", "eval"};
  CHECK(closest_name("emebd", known) == "embed");
  CHECK(closest_name("encod", known) == "encode");
  CHECK(closest_name("zzzzz", known) == "");
  CHECK(closest_name("", known) == "");
  CHECK(closest_name(std::string(100000, 'e'), known) == "");
}

}  // namespace
}  // namespace modnet
