#include "commands/arguments.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "commands/command.h"

namespace modnet {
namespace {

std::string shown(const OptionSpec& option) { return "--" + std::string(option.name); }

template <typename T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) return std::to_string(static_cast<int64_t>(value));
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return std::string(buffer, end);
}

std::string expected_range(const OptionSpec& option, std::string_view noun) {
  std::string out(noun);
  const bool low = std::isfinite(option.minimum), high = std::isfinite(option.maximum);
  if (low && high) return out + " from " + number_text(option.minimum) + " to " + number_text(option.maximum);
  if (low) return out + " of at least " + number_text(option.minimum);
  if (high) return out + " of at most " + number_text(option.maximum);
  return out;
}

Error wrong_value(const OptionSpec& option, std::string_view value, const std::string& expected) {
  return usage(shown(option) + " expected " + expected + ", got '" + std::string(value) + "'");
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string out;
  for (const std::string_view word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

Status check_value(const OptionSpec& option, const std::string& value) {
  const auto outside = [&](double number) { return !(number >= option.minimum && number <= option.maximum); };
  switch (option.type) {
    case OptionType::kInteger: {
      const auto number = parse_number<int64_t>(value);
      if (!number || outside(static_cast<double>(*number)))
        return wrong_value(option, value, expected_range(option, "a whole number"));
      return ok();
    }
    case OptionType::kReal: {
      const auto number = parse_number<double>(value);
      if (!number || !std::isfinite(*number) || outside(*number))
        return wrong_value(option, value, expected_range(option, "a number"));
      return ok();
    }
    case OptionType::kSize:
      if (const auto size = parse_size(value); !size || outside(static_cast<double>(*size)))
        return wrong_value(option, value, expected_range(option, "a number of bytes (512M, 2G)"));
      return ok();
    case OptionType::kChoice:
      if (std::find(option.choices.begin(), option.choices.end(), value) == option.choices.end())
        return wrong_value(option, value, "one of " + joined(option.choices));
      return ok();
    case OptionType::kPathList:
    case OptionType::kPath:
      if (value.empty()) return wrong_value(option, value, "a path");
      if (value.find('\0') != std::string::npos) return wrong_value(option, "…", "a path without a NUL byte");
      return ok();
    case OptionType::kFlag:
    case OptionType::kText:
    case OptionType::kTextList: return ok();
  }
  return ok();
}

// A recipe's value as the word that the command line would have given; nothing where the type cannot be one.
std::optional<std::string> as_word(const RecipeValue& value) {
  switch (value.kind) {
    case RecipeValue::Kind::kText: return value.text;
    case RecipeValue::Kind::kInteger: return std::to_string(value.integer);
    case RecipeValue::Kind::kReal: {
      char buffer[32];
      const auto end = std::to_chars(buffer, buffer + sizeof buffer, value.real).ptr;
      return std::string(buffer, end);
    }
    default: return std::nullopt;
  }
}

}  // namespace

Arguments::Arguments(const CommandSpec& spec) : spec_(spec), options_(all_options(spec)) {}

const OptionSpec& Arguments::option(std::string_view name) const {
  for (const OptionSpec& option : options_)
    if (option.name == name) return option;
  std::abort();  // a command asked for an option that it does not declare
}

Status Arguments::set(std::string_view name, const std::vector<std::string>& values) {
  const OptionSpec& spec = option(name);
  const bool list = spec.type == OptionType::kTextList || spec.type == OptionType::kPathList;
  if (!list && spec.type != OptionType::kFlag && values.size() != 1)
    return usage(shown(spec) + " was given " + std::to_string(values.size()) + " times; expected once");
  for (const std::string& value : values) MODNET_TRY(check_value(spec, value));
  if (name == "compress" && !parse_compression(values.front()))
    return wrong_value(spec, values.front(), "zstd or zstd:LEVEL with a level from 1 to 19");
  values_.insert_or_assign(std::string(name), values);
  return ok();
}

Status Arguments::set_positionals(const std::vector<std::string>& given) {
  int64_t needed = 0;
  for (const PositionalSpec& spec : spec_.positionals) {
    needed += spec.minimum;
    if (needed > static_cast<int64_t>(given.size()))
      return usage(std::string(spec.name) + " is missing", "see 'modnet help " + std::string(spec_.name) + "'");
  }
  size_t next = 0;
  for (size_t i = 0; i < spec_.positionals.size(); ++i) {
    const PositionalSpec& spec = spec_.positionals[i];
    int64_t later = 0;  // words that the arguments behind this one need
    for (size_t j = i + 1; j < spec_.positionals.size(); ++j) later += spec_.positionals[j].minimum;
    const int64_t left = static_cast<int64_t>(given.size() - next);
    const int64_t take = std::min(spec.maximum, left - later);
    std::vector<std::string>& words = words_[std::string(spec.name)];
    words.assign(given.begin() + static_cast<ptrdiff_t>(next), given.begin() + static_cast<ptrdiff_t>(next) + take);
    for (const std::string& word : words)
      if (word.empty()) return usage(std::string(spec.name) + " is empty; expected a name or '-'");
    next += static_cast<size_t>(take);
  }
  if (next < given.size())
    return usage("unexpected argument '" + given[next] + "'", "see 'modnet help " + std::string(spec_.name) + "'");
  return ok();
}

Status Arguments::fill(const RecipeValue& recipe, const std::string& file) {
  std::vector<std::string> known;
  for (const OptionSpec& option : options_) known.emplace_back(option.name);
  for (size_t i = 0; i < recipe.keys.size(); ++i) {
    const std::string& key = recipe.keys[i];
    const RecipeValue& value = recipe.items[i];
    const auto refuse = [&](std::string what, std::string fix) {
      return Error{Code::kMalformed, "RECIPE", std::move(what), value.place(), file, std::move(fix)};
    };
    const auto spec = std::find_if(options_.begin(), options_.end(), [&](const OptionSpec& o) { return o.name == key; });
    if (spec == options_.end() || key == "help") {
      const std::string near = closest_name(key, known);
      return refuse("unknown key '" + key + "'", near.empty() ? std::string() : "did you mean '" + near + "'?");
    }
    const auto wrong_type = [&](std::string_view expected) {
      return refuse("key '" + key + "' has the wrong type; expected " + std::string(expected) + ", got " +
                        std::string(kind_name(value.kind)),
                    {});
    };
    std::vector<std::string> words;
    if (spec->type == OptionType::kFlag) {
      if (value.kind != RecipeValue::Kind::kBool) return wrong_type("true or false");
      if (!value.boolean) continue;
      words.emplace_back("true");
    } else if ((spec->type == OptionType::kTextList || spec->type == OptionType::kPathList) && value.kind == RecipeValue::Kind::kArray) {
      for (const RecipeValue& item : value.items) {
        const auto word = as_word(item);
        if (!word) return wrong_type("strings or numbers");
        words.push_back(*word);
      }
    } else if (const auto word = as_word(value)) {
      words.push_back(*word);
    } else {
      return wrong_type("a string or a number");
    }
    if (has(key)) continue;  // the command line said it
    if (Status status = set(key, words); !status.ok()) return refuse(status.error().what, {});
  }
  return ok();
}

Status Arguments::check_required() const {
  for (const OptionSpec& option : options_)
    if (option.required && !has(option.name)) {
      std::string name = shown(option) + (option.metavar.empty() ? "" : " " + std::string(option.metavar));
      if (option.short_name) name = "-" + std::string(1, option.short_name) + "/" + name;
      return usage(name + " is missing", "see 'modnet help " + std::string(spec_.name) + "'");
    }
  return ok();
}

bool Arguments::has(std::string_view name) const {
  static_cast<void>(option(name));
  return values_.find(name) != values_.end();
}

bool Arguments::flag(std::string_view name) const { return has(name); }

std::string Arguments::text(std::string_view name) const {
  const OptionSpec& spec = option(name);
  const auto found = values_.find(name);
  return found == values_.end() || found->second.empty() ? std::string(spec.default_text) : found->second.back();
}

int64_t Arguments::integer(std::string_view name) const { return parse_number<int64_t>(text(name)).value_or(0); }
double Arguments::real(std::string_view name) const { return parse_number<double>(text(name)).value_or(0); }
int64_t Arguments::bytes(std::string_view name) const { return parse_size(text(name)).value_or(0); }

std::vector<std::string> Arguments::list(std::string_view name) const {
  static_cast<void>(option(name));
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

const std::vector<std::string>& Arguments::words(std::string_view positional) const {
  static const std::vector<std::string> kNone;
  const auto found = words_.find(positional);
  return found == words_.end() ? kNone : found->second;
}

std::string Arguments::word(std::string_view positional) const {
  const std::vector<std::string>& all = words(positional);
  return all.empty() ? std::string() : all.front();
}

std::optional<int64_t> parse_size(std::string_view text) {
  int shift = 0;
  if (!text.empty()) {
    switch (text.back()) {
      case 'k': case 'K': shift = 10; break;
      case 'm': case 'M': shift = 20; break;
      case 'g': case 'G': shift = 30; break;
      case 't': case 'T': shift = 40; break;
      default: break;
    }
    if (shift) text.remove_suffix(1);
  }
  const auto number = parse_number<int64_t>(text);
  if (!number || *number < 0 || *number > (int64_t{1} << 62) >> shift) return std::nullopt;
  return *number << shift;
}

std::optional<int> parse_compression(std::string_view text) {
  if (text == "zstd") return 3;
  if (!text.starts_with("zstd:")) return std::nullopt;
  const auto level = parse_number<int>(text.substr(5));
  if (!level || *level < 1 || *level > 19) return std::nullopt;
  return level;
}

}  // namespace modnet
