#include "cli/recipe_toml.h"

#include <toml++/toml.h>

#include <algorithm>

#include "formats/base/file.h"
#include "formats/base/text.h"

namespace modnet {
namespace {

constexpr int64_t kMaxRecipeBytes = int64_t{16} << 20;
constexpr int kMaxDepth = 64;

Error toml_error(std::string what, const toml::source_position& at) {
  return Error{Code::kMalformed, "RECIPE", std::move(what), std::to_string(at.line) + ":" + std::to_string(at.column), {}, {}};
}

Result<RecipeValue> convert(const toml::node& node, int depth) {
  if (depth > kMaxDepth) return toml_error("tables are nested deeper than 64", node.source().begin);
  RecipeValue out;
  out.line = node.source().begin.line;
  out.column = node.source().begin.column;
  if (const toml::table* table = node.as_table()) {
    out.kind = RecipeValue::Kind::kTable;
    struct Entry {
      toml::source_position at;
      std::string key;
      const toml::node* value;
    };
    std::vector<Entry> entries;  // toml++ sorts by name; we keep the order of the file
    for (const auto& [key, value] : *table) entries.push_back({key.source().begin, std::string(key.str()), &value});
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
    });
    for (const Entry& entry : entries) {
      MODNET_ASSIGN(RecipeValue value, convert(*entry.value, depth + 1));
      out.keys.push_back(entry.key);
      out.items.push_back(std::move(value));
    }
  } else if (const toml::array* array = node.as_array()) {
    out.kind = RecipeValue::Kind::kArray;
    for (const toml::node& item : *array) {
      MODNET_ASSIGN(RecipeValue value, convert(item, depth + 1));
      out.items.push_back(std::move(value));
    }
  } else if (const auto* text = node.as_string()) {
    out.kind = RecipeValue::Kind::kText;
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.kind = RecipeValue::Kind::kInteger;
    out.integer = integer->get();
  } else if (const auto* real = node.as_floating_point()) {
    out.kind = RecipeValue::Kind::kReal;
    out.real = real->get();
  } else if (const auto* boolean = node.as_boolean()) {
    out.kind = RecipeValue::Kind::kBool;
    out.boolean = boolean->get();
  } else {
    return toml_error("dates and times mean nothing in a recipe; expected a string, a number, true or false",
                      node.source().begin);
  }
  return out;
}

Result<RecipeValue> parse(const std::string& text) {
  try {
    const toml::table table = toml::parse(std::string_view(text), std::string_view("recipe"));
    return convert(table, 0);
  } catch (const toml::parse_error& error) {
    std::string what(error.description());
    std::replace(what.begin(), what.end(), '\n', ' ');
    return toml_error("not valid TOML: " + what, error.source().begin);
  }
}

}  // namespace

Result<RecipeValue> load_toml(const std::string& path) {
  MODNET_ASSIGN(const std::string text, read_file(path, kMaxRecipeBytes));
  const std::string name = path == "-" ? "standard input" : path;
  if (const int64_t bad = utf8_error(text); bad >= 0)
    return malformed("the recipe is not UTF-8", "offset " + std::to_string(bad)).in_file(name);
  Result<RecipeValue> out = parse(text);
  if (!out.ok()) return std::move(out).error().in_file(name);
  return out;
}

}  // namespace modnet
