// Labels and answers as metrics take them: what eval and convert share. Tested by tests/cli/eval-* and convert-calibrate.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/records.h"

namespace modnet {

/// Where the label of an item stands, for errors.
using PlaceOfItem = std::function<std::string(size_t item)>;

/// Labels as numbers of the port's labels. kInvalid LABEL_UNKNOWN for the first that is none; `answer` is what errors call the port.
[[nodiscard]] Result<std::vector<int32_t>> class_numbers(const Port& port, std::string_view answer, std::span<const std::string> labels, const PlaceOfItem& place);
/// Labels as numbers. kInvalid LABEL_UNKNOWN for the first that is none.
[[nodiscard]] Result<std::vector<double>> number_labels(std::span<const std::string> labels, const PlaceOfItem& place);
/// What a port of logits, scores or probabilities gives, as probabilities: [rows, classes]. kInvalid as softmax_rows.
[[nodiscard]] Result<std::vector<double>> class_probabilities(const Port& port, std::span<const float> values, int64_t classes);

/// What a head's card says about its training data.
struct TrainingFacts {
  std::vector<int64_t> class_counts;
  std::vector<double> mean;
};
[[nodiscard]] TrainingFacts facts_of(const std::string& card);

}  // namespace modnet
