// Text normalisation as a list of steps over whole texts: the general path, for what the fused BERT loop cannot do.
// Tested by tests/unit/prepare/normalize_test.cc.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libmod/prepare/text/spec.h"

namespace modnet::text {

/// One BERT normaliser over code points, in place: clean, Chinese, accents, lower case, in this order.
[[nodiscard]] Status normalize_bert(const NormalizerStep& step, std::vector<uint32_t>& chars);

/// Applies the steps to valid UTF-8. kUnavailable when a step would make the text longer than 2^31 bytes.
[[nodiscard]] Result<std::string> normalize_text(const std::vector<NormalizerStep>& steps, std::string_view text);

/// What the steps do in one line, for a contract: "none", "bert(clean_text,lowercase,…)", "NFC, lowercase".
[[nodiscard]] std::string describe_steps(const std::vector<NormalizerStep>& steps);

}  // namespace modnet::text
