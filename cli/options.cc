#include "cli/options.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <map>

namespace modnet {
namespace {

Error unknown_option(const CommandSpec& spec, const std::string& word) {
  const std::string bare = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const OptionSpec& option : all_options(spec)) known.push_back("--" + std::string(option.name));
  const std::string near = bare.starts_with("--") ? closest_name(bare, known) : std::string();
  return usage("unknown option '" + bare + "'", near.empty() ? "see 'modnet help " + std::string(spec.name) + "'"
                                                             : "did you mean '" + near + "'?");
}

// CLI11's own words, one line, lower case.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

}  // namespace

Status parse_words(const CommandSpec& spec, const std::vector<std::string>& words, Arguments& arguments) {
  const auto end = std::find(words.begin(), words.end(), "--");
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  const std::vector<OptionSpec> options = all_options(spec);
  std::map<std::string_view, std::vector<std::string>> values;
  std::vector<CLI::Option*> handles;
  for (const OptionSpec& option : options) {
    std::string names = "--" + std::string(option.name);
    if (option.short_name) names = "-" + std::string(1, option.short_name) + "," + names;
    if (option.type == OptionType::kFlag) {
      handles.push_back(app.add_flag(names)->disable_flag_override());
    } else {
      const bool many = option.type == OptionType::kPathList;
      handles.push_back(app.add_option(names, values[option.name])
                            ->type_size(1)
                            ->expected(1, many ? CLI::detail::expected_max_vector_size : 1)
                            ->allow_extra_args(many)
                            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
    }
  }
  try {
    std::vector<std::string> reversed(words.begin(), end);
    std::reverse(reversed.begin(), reversed.end());
    app.parse(std::move(reversed));
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string text = error.what();  // "--name: …" for a missing value, "name was given …" for a flag with one
    const std::string name = text.substr(0, text.find_first_of(": "));
    if (!name.starts_with("-")) return usage("--" + name + " takes no value");
    return usage(name + " needs a value", "see 'modnet help " + std::string(spec.name) + "'");
  } catch (const CLI::Error& error) {
    return usage(one_line(error.what()), "see 'modnet help " + std::string(spec.name) + "'");
  }
  std::vector<std::string> positionals = app.remaining();
  for (const std::string& word : positionals)
    if (word.size() > 1 && word[0] == '-') return unknown_option(spec, word);
  if (end != words.end()) positionals.insert(positionals.end(), end + 1, words.end());

  for (size_t i = 0; i < options.size(); ++i) {
    if (handles[i]->count() == 0) continue;
    MODNET_TRY(arguments.set(options[i].name, options[i].type == OptionType::kFlag ? std::vector<std::string>{"true"}
                                                                                  : values[options[i].name]));
  }
  if (arguments.flag("help")) return ok();
  return arguments.set_positionals(positionals);
}

}  // namespace modnet
