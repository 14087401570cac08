// The command table as data: what every row owes to help, to the parser and to the man pages. See commands/table.h.
#include "commands/table.h"

#include <doctest/doctest.h>

#include <set>

namespace modnet {
namespace {

TEST_CASE("every command has a function, a group and a summary in house style") {
  std::set<std::string_view> names;
  for (const CommandSpec& spec : command_table()) {
    CAPTURE(std::string(spec.name));
    const bool has_function = spec.run != nullptr;
    CHECK(has_function);
    CHECK_FALSE(spec.group.empty());
    CHECK_FALSE(spec.description.empty());
    CHECK_FALSE(spec.examples.empty());
    REQUIRE_FALSE(spec.summary.empty());
    CHECK(spec.summary.back() != '.');
    CHECK_FALSE((spec.summary[0] >= 'A' && spec.summary[0] <= 'Z' && spec.summary.find("Arrow") != 0));
    CHECK(names.insert(spec.name).second);
  }
}

TEST_CASE("option names are unique in a command, lower case with dashes, and their defaults pass their own checks") {
  for (const CommandSpec& spec : command_table()) {
    std::set<std::string_view> names;
    std::set<char> letters;
    Arguments args(spec);
    for (const OptionSpec& option : all_options(spec)) {
      CAPTURE(std::string(spec.name));
      CAPTURE(std::string(option.name));
      CHECK(names.insert(option.name).second);
      if (option.short_name) CHECK(letters.insert(option.short_name).second);
      CHECK(option.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos);
      REQUIRE_FALSE(option.help.empty());
      CHECK(option.help.back() != '.');
      CHECK((option.type == OptionType::kChoice) == !option.choices.empty());
      if (option.type == OptionType::kFlag) CHECK(option.default_text.empty());
      if (!option.default_text.empty()) CHECK(args.set(option.name, {std::string(option.default_text)}).ok());
    }
  }
}

TEST_CASE("a positional argument that may be missing or repeated leaves no doubt about the others") {
  for (const CommandSpec& spec : command_table()) {
    CAPTURE(std::string(spec.name));
    int elastic = 0;
    for (const PositionalSpec& positional : spec.positionals) {
      CHECK(positional.minimum <= positional.maximum);
      if (positional.maximum == PositionalSpec::kMany) ++elastic;
    }
    CHECK(elastic <= 1);
    if (spec.recipe != RecipeUse::kNone) CHECK_FALSE(spec.positionals.empty());
  }
}

}  // namespace
}  // namespace modnet
