#include "cli/help.h"

#include <algorithm>
#include <vector>

namespace modnet {
namespace {

// Terminal cells of UTF-8 text without wide or combining characters (all of our help).
int64_t width(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

int64_t page_width(const Console& console) { return std::clamp<int64_t>(console.columns(), 40, 100); }

// One paragraph, broken at blanks; the first line starts at `column`, the others are indented by `indent`.
std::string wrapped(std::string_view text, int64_t column, int64_t indent, int64_t columns) {
  std::string out;
  int64_t at = column;
  bool line_empty = true;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = text.find(' ', begin);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view word = text.substr(begin, end - begin);
    begin = end + 1;
    if (word.empty()) continue;
    if (!line_empty && at + 1 + width(word) > columns) {
      out += "\n" + std::string(static_cast<size_t>(indent), ' ');
      at = indent;
      line_empty = true;
    }
    if (!line_empty) {
      out += ' ';
      ++at;
    }
    out += word;
    at += width(word);
    line_empty = false;
  }
  return out + "\n";
}

std::string paragraphs(std::string_view text, int64_t columns) {
  std::string out;
  while (!text.empty()) {
    const size_t end = text.find("\n\n");
    std::string paragraph(text.substr(0, end));
    std::replace(paragraph.begin(), paragraph.end(), '\n', ' ');
    if (!out.empty()) out += "\n";
    out += wrapped(paragraph, 0, 0, columns);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
  }
  return out;
}

// Label and explanation in two columns; a long label has its explanation on the next line.
std::string entry(const std::string& label, std::string_view help, int64_t indent, int64_t columns) {
  std::string out = "  " + label;
  const int64_t used = 2 + width(label);
  if (used + 2 > indent) {
    out += "\n" + std::string(static_cast<size_t>(indent), ' ');
  } else {
    out += std::string(static_cast<size_t>(indent - used), ' ');
  }
  return out + wrapped(help, indent, indent, columns);
}

std::string option_help(const OptionSpec& option) {
  std::string out(option.help);
  if (!option.default_text.empty()) out += " (default: " + std::string(option.default_text) + ")";
  if (option.type == OptionType::kTextList) out += "; may be repeated";
  if (option.type == OptionType::kPathList) out += "; takes all words up to the next option";
  if (option.required) out += "; required";
  return out;
}

std::string usage_line(const CommandSpec& spec) {
  std::string out = "modnet " + std::string(spec.name);
  for (const OptionSpec& option : spec.options)
    if (option.required) out += " --" + std::string(option.name) + " " + std::string(option.metavar);
  if (spec.writes == Writes::kModule) out += " -o FILE";
  if (spec.writes == Writes::kEdit) out += " [-o FILE | -f]";
  if (spec.writes == Writes::kModuleFolder) out += " -o DIR";
  out += " [options]";
  for (const PositionalSpec& positional : spec.positionals) {
    const std::string name = std::string(positional.name) + (positional.maximum > 1 ? "..." : "");
    out += positional.minimum == 0 ? " [" + name + "]" : " " + name;
  }
  return out;
}

}  // namespace

std::string option_label(const OptionSpec& option) {
  std::string out = option.short_name ? "-" + std::string(1, option.short_name) + ", " : std::string("    ");
  out += "--" + std::string(option.name);
  if (option.type == OptionType::kChoice) {
    std::string choices;
    for (const std::string_view choice : option.choices) choices += (choices.empty() ? "" : "|") + std::string(choice);
    out += " " + choices;
  } else if (option.type != OptionType::kFlag) {
    out += " " + std::string(option.metavar.empty() ? "VALUE" : option.metavar);
  }
  return out;
}

std::string overview_text(std::span<const CommandSpec> table, const Console& console) {
  const int64_t columns = page_width(console);
  std::string out = "modnet treats neural modules the way compilers treat object files.\n\n";
  out += console.bold("usage:") + " modnet COMMAND [options] [arguments]\n";
  std::vector<std::string_view> groups;
  for (const CommandSpec& spec : table)
    if (std::find(groups.begin(), groups.end(), spec.group) == groups.end()) groups.push_back(spec.group);
  for (const std::string_view group : groups) {
    out += "\n" + console.bold(group) + "\n";
    for (const CommandSpec& spec : table)
      if (spec.group == group) out += entry(std::string(spec.name), spec.summary, 16, columns);
  }
  out += "\n" + console.bold("getting help") + "\n";
  out += entry("help COMMAND", "all options of a command, with examples; also COMMAND --help", 16, columns);
  out += entry("completion", "a completion script: modnet completion bash|zsh", 16, columns);
  out += entry("--version", "print the version", 16, columns);
  return out;
}

std::string command_text(const CommandSpec& spec, const Console& console) {
  const int64_t columns = page_width(console);
  std::string out = "modnet " + std::string(spec.name) + ": " + wrapped(spec.summary, 9 + width(spec.name), 2, columns);
  out += "\n" + console.bold("usage:") + " " + usage_line(spec) + "\n\n" + paragraphs(spec.description, columns);
  if (!spec.positionals.empty()) {
    out += "\n" + console.bold("arguments") + "\n";
    for (const PositionalSpec& positional : spec.positionals)
      out += entry(std::string(positional.name), positional.help, 16, columns);
  }
  const std::vector<OptionSpec> options = all_options(spec);
  const auto section = [&](std::string_view title, size_t begin, size_t end) {
    if (begin == end) return;
    out += "\n" + console.bold(title) + "\n";
    for (size_t i = begin; i < end; ++i) out += entry(option_label(options[i]), option_help(options[i]), 30, columns);
  };
  section("options", 0, spec.options.size());
  section("common options", spec.options.size(), options.size());
  if (!spec.examples.empty()) {
    out += "\n" + console.bold("examples") + "\n";
    std::string_view text = spec.examples;
    while (!text.empty()) {
      const size_t end = text.find('\n');
      out += "  " + std::string(text.substr(0, end)) + "\n";
      text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
  }
  return out;
}

}  // namespace modnet
