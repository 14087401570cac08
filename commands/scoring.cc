#include "commands/scoring.h"

#include <charconv>
#include <map>

#include <nlohmann/json.hpp>

#include "libmod/metrics/probability.h"

namespace modnet {

Result<std::vector<int32_t>> class_numbers(const Port& port, std::string_view answer, std::span<const std::string> labels, const PlaceOfItem& place) {
  std::map<std::string, int32_t> index;
  if (port.labels)
    for (size_t i = 0; i < port.labels->names.size(); ++i) index[port.labels->names[i]] = static_cast<int32_t>(i);
  std::vector<int32_t> out;
  for (size_t i = 0; i < labels.size(); ++i) {
    const auto it = index.find(labels[i]);
    if (it == index.end())
      return Error{Code::kInvalid, "LABEL_UNKNOWN", "label '" + labels[i] + "' is not one that '" + std::string(answer) + "' knows", place(i), {},
                   "leave such items out, or train a head that has the label"};
    out.push_back(it->second);
  }
  return out;
}

Result<std::vector<double>> number_labels(std::span<const std::string> labels, const PlaceOfItem& place) {
  std::vector<double> out;
  for (size_t i = 0; i < labels.size(); ++i) {
    double value = 0;
    const auto [end, error] = std::from_chars(labels[i].data(), labels[i].data() + labels[i].size(), value);
    if (error != std::errc() || end != labels[i].data() + labels[i].size())
      return Error{Code::kInvalid, "LABEL_UNKNOWN", "label '" + labels[i] + "' is no number", place(i), {}, {}};
    out.push_back(value);
  }
  return out;
}

Result<std::vector<double>> class_probabilities(const Port& port, std::span<const float> values, int64_t classes) {
  if (port.semantic == Semantic::kProbabilities) return std::vector<double>(values.begin(), values.end());
  return softmax_rows(values, classes);
}

TrainingFacts facts_of(const std::string& card) {
  TrainingFacts facts;
  const auto parsed = nlohmann::json::parse(card, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("training") || !parsed["training"].is_object()) return facts;
  const auto& training = parsed["training"];
  if (training.contains("class_counts") && training["class_counts"].is_array())
    for (const auto& count : training["class_counts"])
      if (count.is_number_integer()) facts.class_counts.push_back(count.get<int64_t>());
  if (training.contains("target_mean") && training["target_mean"].is_number()) facts.mean = {training["target_mean"].get<double>()};
  return facts;
}

}  // namespace modnet
