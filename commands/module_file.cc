#include "commands/module_file.h"

#include "libmod/module/semantics.h"

namespace modnet {

std::string input_name(const std::string& path) { return path == "-" ? "(standard input)" : path; }

Result<ModuleFile> ModuleFile::open(const std::string& path, const Invocation& invocation) {
  const OpenOptions options{.memory_limit = invocation.args.has("max-memory") ? invocation.max_memory() : 0, .threads = invocation.threads()};
  Result<MappedFile> file = MappedFile::open(path);
  if (!file.ok()) return std::move(file).error().in_file(input_name(path));
  Result<ModuleView> view = ModuleView::open(file->bytes(), options);
  if (!view.ok()) return std::move(view).error().in_file(input_name(path));
  return ModuleFile{std::move(file).value(), std::move(view).value()};
}

Result<ModuleFile> ModuleFile::open_checked(const std::string& path, const Invocation& invocation) {
  MODNET_ASSIGN(ModuleFile module, open(path, invocation));
  if (Status status = check_module(module.view.index()); !status.ok()) return std::move(status).error().in_file(input_name(path));
  return module;
}

}  // namespace modnet
