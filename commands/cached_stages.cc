#include "commands/cached_stages.h"

#include <algorithm>

namespace modnet {
namespace {

bool is_answer(const Port& port) {
  return port.semantic == Semantic::kLogits || port.semantic == Semantic::kProbabilities || port.semantic == Semantic::kScores || port.semantic == Semantic::kValue;
}

/// The value to look up.
Result<std::optional<FlatPort>> cached_value(const FlatGraph& graph, const FlatRecords& records, const std::vector<std::string>& wanted) {
  std::vector<std::string> values;
  bool answers = true;
  for (const std::string& name : wanted) {
    MODNET_ASSIGN(const FlatPort output, find_output(graph, name));
    values.push_back(output.value);
    answers = answers && is_answer(output.port);
    if (wanted.size() == 1 && !answers && output.port.dtype == DType::kF32) return std::optional(output);
  }
  if (!answers) return std::optional<FlatPort>();
  return waist(graph, records, values);
}

/// How the value is called as an output of what stands before it, and as an input of what stands behind.
std::string name_of_value(const FlatPort& value) { return "value " + value.value; }

void merge(ValueIdentity& into, const ValueIdentity& from) {
  into.tensors.insert(from.tensors.begin(), from.tensors.end());
  into.assets.insert(from.assets.begin(), from.assets.end());
}

}  // namespace

Result<Stages> Stages::make(StageParts parts) {
  Stages stages;
  for (size_t i = 0; i < parts.graphs.size(); ++i) {
    auto runner = Runner::make(std::move(parts.graphs[i]), parts.wanted[i], parts.options);
    if (!runner.ok()) return std::move(runner).error().in_file(parts.files[i]);
    stages.runners_.push_back(std::move(*runner));
  }
  stages.feeds_ = std::move(parts.feeds);
  return stages;
}

Result<RunCounts> Stages::run(std::span<const PortColumn> columns, int64_t items, std::vector<OutputColumn>* outputs, std::vector<ItemFacts>* facts) {
  MODNET_ASSIGN(RunCounts counts, runners_[0].run(columns, items, outputs, facts));
  for (size_t i = 1; i < runners_.size(); ++i) {
    const std::vector<OutputColumn> made = std::move(*outputs);
    std::vector<PortColumn> fed;
    for (const auto& [from, to] : feeds_[i - 1])
      for (const OutputColumn& one : made)
        if (one.port.name == from) fed.push_back({to, one.port.dtype, one.ids.empty() ? static_cast<const void*>(one.values.data()) : one.ids.data(), one.offsets, {}});
    std::vector<ItemFacts> later;
    MODNET_ASSIGN(const RunCounts more, runners_[i].run(fed, items, outputs, facts == nullptr ? nullptr : &later));
    counts.tokens = std::max(counts.tokens, more.tokens);
    for (size_t item = 0; item < later.size(); ++item) (*facts)[item].tokens = std::max((*facts)[item].tokens, later[item].tokens);
  }
  return counts;
}

Result<std::shared_ptr<CachedStages>> CachedStages::make(StageParts& parts, CacheStore& store) {
  const auto none = std::shared_ptr<CachedStages>();
  const FlatGraph& last = parts.graphs.back();
  MODNET_ASSIGN(const std::optional<FlatPort> value, cached_value(last, parts.records.back(), parts.wanted.back()));
  if (!value) return none;
  auto cached = std::make_shared<CachedStages>();
  cached->identities_.resize(parts.graphs.size());
  CachedValues::Options options;
  const auto limit = [&](const Port& port) {
    if (port.semantic == Semantic::kText || !port.sequence || port.sequence->max_length == 0) return;
    options.longest = options.longest == 0 ? port.sequence->max_length : std::min(options.longest, port.sequence->max_length);
  };
  // What feeds the last graph, then the value itself.
  std::map<std::string, ValueIdentity> fed;
  for (size_t i = 0; i + 1 < parts.graphs.size(); ++i) {
    std::map<std::string, ValueIdentity> next;
    for (const auto& [from, to] : parts.feeds[i]) {
      MODNET_ASSIGN(const FlatPort output, find_output(parts.graphs[i], from));
      auto identity = identify(parts.graphs[i], parts.records[i], output.value, fed);
      if (!identity.ok()) return std::move(identity).error().in_file(parts.files[i]);
      merge(cached->identities_[i], *identity);
      next[to] = std::move(*identity);
      for (const FlatPort& input : parts.graphs[i + 1].inputs)
        if (input.port.name == to) limit(input.port);
    }
    fed = std::move(next);
  }
  auto identity = identify(last, parts.records.back(), value->value, fed);
  if (!identity.ok()) return std::move(identity).error().in_file(parts.files.back());
  if (identity->inputs.empty()) return none;
  merge(cached->identities_.back(), *identity);
  for (const FlatPort& input : parts.graphs.front().inputs)
    if (identity->inputs.contains(input.port.name)) {
      options.inputs.push_back(input.port);
      limit(input.port);
    }
  std::sort(options.inputs.begin(), options.inputs.end(), [](const Port& a, const Port& b) { return a.name < b.name; });
  options.function = cache_function(*identity);
  options.port = value->port;
  options.overflow = parts.options.overflow;
  options.pool = parts.options.context.pool;

  std::vector<std::string> wanted_values;
  for (const std::string& name : parts.wanted.back()) {
    MODNET_ASSIGN(const FlatPort output, find_output(last, name));
    wanted_values.push_back(output.value);
  }
  if (wanted_values.size() == 1 && wanted_values[0] == value->value) {
    cached->outputs_ = {value->port};
  } else {
    FlatGraph rest = last;
    rest.nodes = nodes_behind(last, wanted_values, value->value);
    Port input = value->port;
    input.direction = Direction::kInput;
    input.name = cached->rest_input_ = name_of_value(*value);
    input.optional = false;
    input.sequence.reset();
    rest.inputs = {{input, value->value}};
    auto runner = Runner::make(std::move(rest), parts.wanted.back(), parts.options);
    if (!runner.ok()) return std::move(runner).error().in_file(parts.files.back());
    cached->outputs_ = runner->outputs();
    cached->rest_ = std::move(*runner);
  }
  FlatPort before = *value;
  before.port.name = name_of_value(*value);
  parts.graphs.back().outputs.push_back(before);
  parts.wanted.back() = {before.port.name};
  cached->parts_ = std::move(parts);
  cached->values_.emplace(store, std::move(options), [self = cached.get()](std::span<const PortColumn> columns, int64_t items, OutputColumn* out, std::vector<ItemFacts>* facts) {
    return self->compute(columns, items, out, facts);
  });
  return cached;
}

Result<RunCounts> CachedStages::compute(std::span<const PortColumn> columns, int64_t items, OutputColumn* value, std::vector<ItemFacts>* facts) {
  if (stages_.empty()) {
    for (size_t i = 0; i < parts_.graphs.size(); ++i) {
      Status status = check_digests(parts_.graphs[i], parts_.records[i], identities_[i], *parts_.options.context.pool);
      if (!status.ok()) return std::move(status).error().in_file(parts_.files[i]);
    }
    MODNET_ASSIGN(stages_, Stages::make(std::move(parts_)));
  }
  std::vector<OutputColumn> made;
  MODNET_ASSIGN(const RunCounts counts, stages_.run(columns, items, &made, facts));
  *value = std::move(made.at(0));
  return counts;
}

Result<RunCounts> CachedStages::run(std::span<const PortColumn> columns, int64_t items, std::vector<OutputColumn>* outputs) {
  OutputColumn value;
  MODNET_ASSIGN(const RunCounts counts, values_->run(columns, items, &value));
  if (!rest_) {
    outputs_ = {value.port};
    outputs->clear();
    outputs->push_back(std::move(value));
    return counts;
  }
  const PortColumn fed{rest_input_, DType::kF32, value.values.data(), {}, {}};
  MODNET_ASSIGN(const RunCounts more, rest_->run(std::span(&fed, 1), items, outputs));
  static_cast<void>(more);
  return counts;
}

}  // namespace modnet
