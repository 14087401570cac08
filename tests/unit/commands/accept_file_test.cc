// modnet-accept.toml as a tree: what must be there, what must not, and where errors point.
#include "commands/accept_file.h"

#include <doctest/doctest.h>

namespace modnet {
namespace {

RecipeValue text(std::string value) {
  RecipeValue out;
  out.kind = RecipeValue::Kind::kText;
  out.line = 3;
  out.column = 9;
  out.text = std::move(value);
  return out;
}
RecipeValue table(std::vector<std::pair<std::string, RecipeValue>> items, int64_t line) {
  RecipeValue out;
  out.kind = RecipeValue::Kind::kTable;
  out.line = line;
  out.column = 1;
  for (auto& [key, value] : items) {
    out.keys.push_back(key);
    out.items.push_back(std::move(value));
  }
  return out;
}
RecipeValue file_of(std::vector<RecipeValue> entries) {
  RecipeValue list;
  list.kind = RecipeValue::Kind::kArray;
  list.items = std::move(entries);
  return table({{"accept", std::move(list)}}, 1);
}
std::vector<std::pair<std::string, RecipeValue>> by_key() {
  return {{"key", text("0123456789abcdef")}, {"reason", text("why")}, {"owner", text("ann")}, {"expires", text("2027-01-31")}};
}
/// The error of a file with one entry, at line 5.
Error refused(std::vector<std::pair<std::string, RecipeValue>> items) {
  const auto result = read_acceptances(file_of({table(std::move(items), 5)}), "a.toml");
  REQUIRE(!result.ok());
  CHECK(result.error().code == Code::kMalformed);
  CHECK(result.error().file == "a.toml");
  return result.error();
}

TEST_CASE("entries come by key or by rule, path, old and new, with their place") {
  const auto result = read_acceptances(file_of({table(by_key(), 2), table({{"rule", text("RANK_CHANGED")},
                                                                           {"path", text("x.dims")},
                                                                           {"old", text("2")},
                                                                           {"new", text("")},
                                                                           {"reason", text("why")},
                                                                           {"owner", text("ann")},
                                                                           {"expires", text("2027-01-31")}}, 8)}), "a.toml");
  REQUIRE(result.ok());
  REQUIRE(result->size() == 2);
  CHECK((*result)[0].key == "0123456789abcdef");
  CHECK(!(*result)[0].rule.has_value());
  CHECK((*result)[0].place == "2:1");
  CHECK((*result)[1].rule == "RANK_CHANGED");
  CHECK((*result)[1].new_text == "");  // given, though empty
}

TEST_CASE("every key of an entry is needed and no other is taken") {
  for (const std::string_view key : {"reason", "owner", "expires"}) {
    auto items = by_key();
    std::erase_if(items, [&](const auto& item) { return item.first == key; });
    const Error error = refused(items);
    CHECK(error.what.find(key) != std::string::npos);
    CHECK(error.where == "5:1");
  }
  auto items = by_key();
  items.push_back({"expiry", text("2027-01-31")});
  const Error error = refused(items);
  CHECK(error.where == "3:9");
  CHECK(error.fix.find("expires") != std::string::npos);
  std::erase_if(items, [](const auto& item) { return item.first == "key" || item.first == "expiry"; });
  CHECK(refused(items).what == "the entry does not say which finding it accepts");
  items = by_key();
  items[0].second = text("");
  CHECK(refused(items).where == "3:9");
  items = by_key();
  items.push_back({"rule", text("RANK_CHANGED")});
  CHECK(refused(items).what == "only some of rule, path, old and new are given");
}

TEST_CASE("a file without an entry, or with something else, accepts nothing") {
  CHECK(!read_acceptances(table({}, 1), "a.toml").ok());
  CHECK(!read_acceptances(file_of({}), "a.toml").ok());
  CHECK(!read_acceptances(table({{"accept", text("x")}}, 1), "a.toml").ok());
  const auto typo = read_acceptances(table({{"acept", text("x")}}, 1), "a.toml");
  REQUIRE(!typo.ok());
  CHECK(typo.error().fix.find("accept") != std::string::npos);
}

}  // namespace
}  // namespace modnet
