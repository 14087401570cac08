// `modnet inspect`: the label of a module, from preamble, index and trailers alone; what two modules have not in common is
// commands/diff.h. Tested by tests/cli/inspect-*.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "commands/command.h"
#include "formats/module/records.h"

namespace modnet {

[[nodiscard]] CommandSpec inspect_command();

// The words of a file's parts, in text and JSON alike.
[[nodiscard]] std::string_view codec_name(Codec codec);
[[nodiscard]] std::string_view trailer_name(TrailerKind kind);
[[nodiscard]] std::string sha256_text(const Digest& digest);                    // "sha256:…"; "" for none
[[nodiscard]] std::string shape_text(const std::vector<uint64_t>& shape);       // "[384,384]"

}  // namespace modnet
