// Modules run one behind the other, and the same with one value in between looked up in a cache: what embed gives, or the
// embedding that all answers of predict and eval go through, so that only what stands behind it is run.
// Tested by tests/cli/embed-*, predict-*, eval-* and cache-*.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "libmod/prepare/cached.h"

namespace modnet {

using Feed = std::vector<std::pair<std::string, std::string>>;  // output port of a stage → input port of the next

/// What stages are made of. The modules behind `graphs` must outlive what is made of them.
struct StageParts {
  std::vector<FlatGraph> graphs;
  std::vector<FlatRecords> records;              // of each
  std::vector<std::vector<std::string>> wanted;  // outputs of each
  std::vector<Feed> feeds;                       // one between two graphs
  std::vector<std::string> files;                // for errors
  RunnerOptions options;
};

/// Runners in a row.
class Stages {
 public:
  [[nodiscard]] static Result<Stages> make(StageParts parts);
  [[nodiscard]] bool empty() const { return runners_.empty(); }
  [[nodiscard]] const std::vector<Port>& outputs() const { return runners_.back().outputs(); }
  /// Outputs are those of the last stage, facts (where given) those of the stage with the longer sequence.
  [[nodiscard]] Result<RunCounts> run(std::span<const PortColumn> columns, int64_t items, std::vector<OutputColumn>* outputs, std::vector<ItemFacts>* facts);

 private:
  std::vector<Runner> runners_;
  std::vector<Feed> feeds_;
};

struct LookUps {
  int64_t hits = 0, misses = 0;
  LookUps& operator+=(const LookUps& other) {
    hits += other.hits;
    misses += other.misses;
    return *this;
  }
};

class CachedStages {
 public:
  /// Null, with `parts` as they were, when no value of theirs can be cached: token ids, several outputs, answers that do not go
  /// through one embedding. Nothing is loaded yet but what stands behind the value. `store` must outlive the object.
  [[nodiscard]] static Result<std::shared_ptr<CachedStages>> make(StageParts& parts, CacheStore& store);
  [[nodiscard]] const std::vector<Port>& outputs() const { return outputs_; }
  [[nodiscard]] Result<RunCounts> run(std::span<const PortColumn> columns, int64_t items, std::vector<OutputColumn>* outputs);
  [[nodiscard]] LookUps look_ups() const { return {values_->hits(), values_->misses()}; }

 private:
  [[nodiscard]] Result<RunCounts> compute(std::span<const PortColumn> columns, int64_t items, OutputColumn* value, std::vector<ItemFacts>* facts);
  StageParts parts_;                       // until the first item is missing
  std::vector<ValueIdentity> identities_;  // what is used of each graph
  Stages stages_;
  std::optional<CachedValues> values_;
  std::optional<Runner> rest_;             // from the value to the outputs; none where it is the output
  std::string rest_input_;
  std::vector<Port> outputs_;
};

}  // namespace modnet
