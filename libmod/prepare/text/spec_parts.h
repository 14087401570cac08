// The sections of a tokenizer.json, each read on its own. Used by spec.cc only.
#pragma once

#include <string>
#include <vector>

#include "libmod/prepare/text/json_read.h"
#include "libmod/prepare/text/spec.h"

namespace modnet::text {

[[nodiscard]] Status parse_model(JsonValue value, Spec& spec);
[[nodiscard]] Status parse_normalizer(JsonValue value, const std::string& path, std::vector<NormalizerStep>& steps);
/// The one splitting step that fits `spec.kind`.
[[nodiscard]] Status parse_pre_tokenizer(JsonValue value, const std::string& path, Spec& spec);
[[nodiscard]] Status parse_post_processor(JsonValue value, const std::string& path, std::vector<PostStep>& steps);
[[nodiscard]] Result<std::string> parse_decoder(JsonValue value);
[[nodiscard]] Result<ByteLevel> parse_byte_level(const JsonObject& object);

}  // namespace modnet::text
