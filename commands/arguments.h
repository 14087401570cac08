// The values of one command line: checked against the command's specification when they are set, so getters cannot fail.
// A flag beats the recipe, the recipe beats the default. Tested by tests/unit/commands/arguments_test.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/recipe.h"
#include "formats/base/result.h"

namespace modnet {

struct CommandSpec;
struct OptionSpec;

class Arguments {
 public:
  /// `spec` must outlive the object.
  explicit Arguments(const CommandSpec& spec);

  /// What cli does: values from the command line. kUsage names the option, the value and what was expected.
  [[nodiscard]] Status set(std::string_view option, const std::vector<std::string>& values);
  [[nodiscard]] Status set_positionals(const std::vector<std::string>& words);
  /// Options that the command line did not give, from a recipe with the same keys.
  [[nodiscard]] Status fill(const RecipeValue& recipe, const std::string& file);
  /// Required options are there; called once everything is set.
  [[nodiscard]] Status check_required() const;

  // What commands do. Asking for an option that the command does not declare is our bug (aborts).
  [[nodiscard]] bool has(std::string_view option) const;  // given on the command line or by the recipe
  [[nodiscard]] bool flag(std::string_view option) const;
  [[nodiscard]] std::string text(std::string_view option) const;  // given, else the default, else ""
  [[nodiscard]] int64_t integer(std::string_view option) const;   // given, else the default, else 0
  [[nodiscard]] double real(std::string_view option) const;
  [[nodiscard]] int64_t bytes(std::string_view option) const;     // kSize: "512M" → bytes
  [[nodiscard]] std::vector<std::string> list(std::string_view option) const;
  /// Words of a positional argument, in order; may be empty where the specification allows it.
  [[nodiscard]] const std::vector<std::string>& words(std::string_view positional) const;
  /// The first word, or "".
  [[nodiscard]] std::string word(std::string_view positional) const;

 private:
  [[nodiscard]] const OptionSpec& option(std::string_view name) const;
  const CommandSpec& spec_;
  std::vector<OptionSpec> options_;
  std::map<std::string, std::vector<std::string>, std::less<>> values_;
  std::map<std::string, std::vector<std::string>, std::less<>> words_;
};

/// "4096", "64k", "512M", "2G", "1T" (powers of 1,024) → bytes; nothing for anything else or above 2^62.
[[nodiscard]] std::optional<int64_t> parse_size(std::string_view text);
/// "zstd" or "zstd:LEVEL" with 1 ≤ LEVEL ≤ 19 → the level (3 where none is given); nothing for anything else.
[[nodiscard]] std::optional<int> parse_compression(std::string_view text);

}  // namespace modnet
