#include "commands/depfile.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "formats/base/files_read.h"

namespace modnet {
namespace {

bool same_file(const std::string& a, const std::string& b) {
  std::error_code failed;
  return a == b || std::filesystem::equivalent(a, b, failed);
}

/// The path as a Makefile would name it.
std::string shortened(const std::string& path) {
  const std::string normal = std::filesystem::path(path).lexically_normal().string();
  return !normal.empty() && (normal == path || same_file(normal, path) || path == "./" + normal) ? normal : path;
}

/// A path as both tools read it back: spaces, #, $ and : are escaped as gcc does. What one of them would take for something
/// else (a pattern, an assignment, a recipe, an archive's member) has no escape that the other knows.
Result<std::string> escaped(const std::string& path) {
  constexpr std::string_view kPlain = "!+,-./@_{}]()~";
  std::string out;
  bool good = !path.empty() && path.front() != '~' && path.back() != ')';
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ' || c == '#' || c == ':') out += '\\';
    else if (c == '$') out += '$';
    else good = good && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || byte >= 0x80 || kPlain.find(c) != kPlain.npos);
    out += c;
  }
  if (!good) return usage("the name cannot stand in a dependency file that make and ninja read alike", "rename it, or leave --depfile out").in_file(path);
  return out;
}

}  // namespace

Result<std::string> depfile_text(const std::vector<std::string>& targets, const std::vector<std::string>& inputs) {
  std::vector<std::string> made, read;
  for (const std::string& target : targets) {
    MODNET_ASSIGN(std::string name, escaped(shortened(target)));
    made.push_back(std::move(name));
  }
  for (const std::string& input : inputs) {
    if (input.starts_with("/dev/") || input.starts_with("/proc/")) continue;  // a redirection, under no name of its own
    MODNET_ASSIGN(std::string name, escaped(shortened(input)));
    if (std::find(made.begin(), made.end(), name) == made.end() && std::find(read.begin(), read.end(), name) == read.end()) read.push_back(std::move(name));
  }
  std::string out;
  for (const std::string& name : made) out += (out.empty() ? "" : " ") + name;
  out += ":";
  for (const std::string& name : read) out += " \\\n  " + name;
  out += "\n";
  for (const std::string& name : read) out += "\n" + name + ":\n";
  return out;
}

Status Depfile::write(const std::string& path, Overwrite overwrite) {
  if (written_) return ok();
  const std::vector<std::string> inputs = files_read();
  for (const std::vector<std::string>* list : {&std::as_const(targets_), &inputs})
    for (const std::string& file : *list)
      if (same_file(path, file)) return usage("the dependency file would take the place of a file that it is about", "give --depfile another name").in_file(path);
  MODNET_ASSIGN(const std::string text, depfile_text(targets_, inputs));
  MODNET_TRY(write_file(path, as_bytes(text), overwrite));
  written_ = true;
  return ok();
}

}  // namespace modnet
