#include "commands/module_file.h"

namespace modnet {

std::string input_name(const std::string& path) { return path == "-" ? "(standard input)" : path; }

Result<ModuleFile> ModuleFile::open(const std::string& path, int64_t memory_limit) {
  Result<MappedFile> file = MappedFile::open(path);
  if (!file.ok()) return std::move(file).error().in_file(input_name(path));
  Result<ModuleView> view = ModuleView::open(file->bytes(), OpenOptions{.memory_limit = memory_limit});
  if (!view.ok()) return std::move(view).error().in_file(input_name(path));
  return ModuleFile{std::move(file).value(), std::move(view).value()};
}

}  // namespace modnet
