// A module file that a command was given by name. Tested by tests/cli/inspect-* and verify-*.
#pragma once

#include <string>

#include "commands/command.h"
#include "formats/base/file.h"
#include "formats/module/read.h"

namespace modnet {

/// The mapping and the view into it; moving keeps the view valid.
struct ModuleFile {
  MappedFile file;
  ModuleView view;
  /// `path` "-" is standard input. Unpacks on --threads, and no more than --max-memory where that is given. Errors name the file.
  [[nodiscard]] static Result<ModuleFile> open(const std::string& path, const Invocation& invocation);
  /// open() for a module that will be run or built upon: its ports obey check_module(), too. kMalformed names the port.
  [[nodiscard]] static Result<ModuleFile> open_checked(const std::string& path, const Invocation& invocation);
};

/// What errors and results call an input: "standard input" for "-".
[[nodiscard]] std::string input_name(const std::string& path);

}  // namespace modnet
