// --depfile: what an output was made from, as a rule that GNU make and ninja (`deps = gcc`) read. Every file that was read is
// listed, so a recipe, the modules that it names and a folder's configuration count without anybody keeping a list.
// Tested by tests/unit/commands/depfile_test.cc and tests/cli/depfile-*.
#pragma once

#include <string>
#include <vector>

#include "formats/base/output.h"
#include "formats/base/result.h"

namespace modnet {

/// "target…: input…", then a rule without recipe for each input, as `gcc -MP` writes: an input that was deleted or renamed then
/// makes its targets again instead of stopping make. Paths are shortened (a/../b → b, ./b → b) where that names the same file;
/// targets among the inputs are left out. kUsage names a path that make or ninja would read as something else.
[[nodiscard]] Result<std::string> depfile_text(const std::vector<std::string>& targets, const std::vector<std::string>& inputs);

/// The dependency file of one run.
class Depfile {
 public:
  void add_target(std::string path) { targets_.push_back(std::move(path)); }
  /// Writes all targets with every file read so far; a second call does nothing. kUsage when `path` is one of them.
  [[nodiscard]] Status write(const std::string& path, Overwrite overwrite);

 private:
  std::vector<std::string> targets_;
  bool written_ = false;
};

}  // namespace modnet
