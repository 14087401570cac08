// Where the reference cases are, and how a case says that it could not run.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

namespace modnet::test {

/// Counts the running case as skipped; the caller returns right after.
void skip_case(const char* why);

/// The source tree: MODNET_SOURCE_DIR (ctest sets it), else the working directory.
[[nodiscard]] inline std::string source_dir() {
  const char* named = std::getenv("MODNET_SOURCE_DIR");
  return named != nullptr && *named != '\0' ? named : ".";
}

/// The folder with the reference cases: MODNET_SHARED (tests/run sets it), else ../shared beside the source tree.
[[nodiscard]] inline std::optional<std::string> shared_dir() {
  const char* named = std::getenv("MODNET_SHARED");
  const std::string dir = named != nullptr && *named != '\0' ? named : source_dir() + "/../shared";
  if (!std::filesystem::is_directory(dir + "/parity")) return std::nullopt;
  return dir;
}

}  // namespace modnet::test
