// What tokenizer_config.json has to say beside tokenizer.json: a length limit, and keys that make transformers change
// the tokenizer after reading it. Tested by tests/unit/import/length_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "formats/base/result.h"

namespace modnet {

/// The length limit of the file at `path`; nothing when it states none, or is not there. `tokenizer` is tokenizer.json,
/// of the same folder. kMalformed names the key where the two disagree on what becomes of a text, or the left end is
/// cut.
[[nodiscard]] Result<std::optional<int64_t>> read_tokenizer_config(const std::string& path,
                                                                   const nlohmann::json& tokenizer);

}  // namespace modnet
