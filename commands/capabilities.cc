#include "commands/capabilities.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands/table.h"
#include "libmod/compute/op.h"
#include "libmod/compute/target.h"

namespace modnet {
namespace {

struct Named {
  std::string_view name, text;
};
struct Operation {
  std::string name;
  std::string_view text;
};

// What can be read and written, by command-line word or file kind.
constexpr Named kFormats[] = {
    {"module 1.0", "read, write"},      {"arrow stream", "read, write"}, {"arrow file", "read, write"},
    {"safetensors", "read"},            {"npy", "read"},                 {"idx", "read"},
    {"csv, tsv", "read; csv written"},       {"jsonl", "read, write"},        {"text lines", "read"},
    {"toml recipe", "read"},         {"tokenizer.json", "read (wordpiece, byte-level bpe)"},
    {"gzip, zstd", "undone on any input data"},
};

// MODNET_LIBRARIES: "name|version|name|version|…", from CMake.
std::vector<std::pair<std::string, std::string>> libraries() {
  std::vector<std::pair<std::string, std::string>> out;
  std::string_view text = MODNET_LIBRARIES;
  const auto next = [&text] {
    const size_t end = std::min(text.find('|'), text.size());
    const std::string_view item = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return std::string(item);
  };
  while (!text.empty()) {
    std::string name = next(), version = next();
    out.emplace_back(std::move(name), version.empty() ? "of unknown version" : std::move(version));
  }
  return out;
}

/// Operations that modules may use; those that only plans make are left out. modnet.Tokenize and modnet.Module are run
/// outside of plans.
std::vector<Operation> operations() {
  std::vector<Operation> out = {{"modnet.Module", "runs the module in a slot"}, {"modnet.Tokenize", "text to token ids"}};
  for (const OpRow& op : op_table())
    if (op.domain != "fused") out.push_back({(op.domain.empty() ? "" : std::string(op.domain) + ".") + std::string(op.name), op.summary});
  std::sort(out.begin(), out.end(), [](const Operation& a, const Operation& b) { return a.name < b.name; });
  return out;
}

std::string_view type_name(OptionType type) {
  switch (type) {
    case OptionType::kFlag: return "flag";
    case OptionType::kText: return "text";
    case OptionType::kInteger: return "integer";
    case OptionType::kReal: return "real";
    case OptionType::kPath: return "path";
    case OptionType::kChoice: return "choice";
    case OptionType::kTextList: return "text-list";
    case OptionType::kPathList: return "path-list";
    case OptionType::kSize: return "size";
  }
  return "unknown";
}

Json command_json(const CommandSpec& spec) {
  Json options = Json::array();
  for (const OptionSpec& option : all_options(spec)) {
    Json one{{"name", option.name}, {"type", type_name(option.type)}};
    if (option.short_name) one["short"] = std::string(1, option.short_name);
    if (!option.metavar.empty()) one["metavar"] = option.metavar;
    one["help"] = option.help;
    if (option.required) one["required"] = true;
    if (!option.default_text.empty()) one["default"] = option.default_text;
    if (!option.choices.empty()) one["choices"] = option.choices;
    options.push_back(std::move(one));
  }
  Json arguments = Json::array();
  for (const PositionalSpec& positional : spec.positionals) arguments.push_back({{"name", positional.name},
                         {"help", positional.help},
                         {"minimum", positional.minimum},
                         {"many", positional.maximum > 1}});
  return {{"name", spec.name},           {"group", spec.group},     {"summary", spec.summary},
          {"description", spec.description}, {"arguments", arguments}, {"options", options},
          {"examples", spec.examples}};
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string row(std::string_view name, std::string_view text) {
  std::string out = "  " + std::string(name);
  out.resize(std::max<size_t>(out.size() + 1, 22), ' ');
  return out + std::string(text) + "\n";
}

Result<int> run(Invocation& invocation) {
  Console& console = invocation.console;
  const std::vector<std::string> targets = cpu_targets();
  const std::string target(cpu_target_name());
  if (console.json()) {
    Json document{{"version", MODNET_VERSION}, {"cpu", {{"target", target}, {"targets", targets}}}};
    document["policies"] = {"portable", "vendor"};
    document["devices"] = {"cpu"};
    for (const Named& format : kFormats) document["formats"][std::string(format.name)] = format.text;
    for (const Operation& op : operations()) document["operations"][op.name] = op.text;
    for (const auto& [name, version] : libraries()) document["libraries"][name] = version;
    document["commands"] = Json::array();
    for (const CommandSpec& spec : command_table()) document["commands"].push_back(command_json(spec));
    console.emit_json(document);
    return kExitOk;
  }
  std::string out = "modnet " MODNET_VERSION "\n\n" + console.bold("arithmetic") + "\n";
  out += row("cpu", target + " (of " + joined({targets.begin(), targets.end()}) + "; MODNET_CPU selects)");
  out += row("policies", "portable, vendor") + row("devices", "cpu");
  out += "\n" + console.bold("formats") + "\n";
  for (const Named& format : kFormats) out += row(format.name, format.text);
  out += "\n" + console.bold("operations") + "\n";
  for (const Operation& op : operations()) out += row(op.name, op.text);
  out += "\n" + console.bold("built with") + "\n";
  for (const auto& [name, version] : libraries()) out += row(name, version);
  console.print(out);
  return kExitOk;
}

}  // namespace

CommandSpec capabilities_command() {
  return {
      .name = "capabilities",
      .group = "look at things",
      .summary = "what this build can run, read and write",
      .description = "Lists the instruction sets, numeric policies, file formats and libraries of this build. With --json the "
                     "document also holds every command with its arguments and options.",
      .examples = "modnet capabilities\nmodnet capabilities --json",
      .run = run,
  };
}

}  // namespace modnet
