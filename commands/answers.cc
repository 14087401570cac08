#include "commands/answers.h"

#include <algorithm>

namespace modnet {
namespace {

/// The card of the head that gives a port: the module's own, or its component's.
Result<std::string> card_of(const ModuleView& view, const Port& port) {
  const std::string slot = port.value.substr(0, port.value.find('/'));
  if (view.find_component(slot) != nullptr) {
    MODNET_ASSIGN(const ModuleView component, view.component(slot));
    MODNET_ASSIGN(const Bytes bytes, component.trailer(TrailerKind::kCard));
    return std::string(as_text(bytes));
  }
  MODNET_ASSIGN(const Bytes bytes, view.trailer(TrailerKind::kCard));
  return std::string(as_text(bytes));
}

}  // namespace

Result<AnswerRun> AnswerRun::open(const Invocation& invocation, const std::vector<std::string>& models, const DataOptions& data,
                                  const std::string& encoder, const std::vector<std::string>& outputs) {
  AnswerRun run;
  MODNET_ASSIGN(run.engine_, make_engine(invocation));
  std::vector<const ModuleFile*> first;
  if (!encoder.empty()) {
    MODNET_ASSIGN(ModuleFile file, ModuleFile::open_checked(encoder, invocation));
    run.files_.push_back(std::make_unique<ModuleFile>(std::move(file)));
    first.push_back(run.files_.back().get());
  }
  std::vector<std::pair<const ModuleFile*, std::vector<std::string>>> wanted;
  std::vector<bool> found(outputs.size(), false);
  for (const std::string& path : models) {
    MODNET_ASSIGN(ModuleFile file, ModuleFile::open_checked(path, invocation));
    run.files_.push_back(std::make_unique<ModuleFile>(std::move(file)));
    const ModuleFile& module = *run.files_.back();
    std::vector<std::string> ports;
    for (const Port* port : answer_ports(module.view.index().contract)) {
      const auto it = std::find(outputs.begin(), outputs.end(), port->name);
      if (!outputs.empty() && it == outputs.end()) continue;
      if (it != outputs.end()) found[static_cast<size_t>(it - outputs.begin())] = true;
      auto card = card_of(module.view, *port);
      if (!card.ok()) return std::move(card).error().in_file(path);
      run.ports_.push_back({*port, module.view.index().identity.name, port->name, std::move(*card), module.view.digests().content});
      ports.push_back(port->name);
    }
    if (ports.empty() && outputs.empty())
      return usage("answers nothing: it has no output of labels or values", "give a head or a composite; embed runs a backbone").in_file(path);
    if (!ports.empty()) wanted.emplace_back(&module, std::move(ports));
  }
  for (size_t i = 0; i < outputs.size(); ++i)
    if (!found[i]) return usage("no model has an answer '" + outputs[i] + "'");
  for (AnswerPort& one : run.ports_)
    if (std::count_if(run.ports_.begin(), run.ports_.end(), [&](const AnswerPort& other) { return other.port.name == one.port.name; }) > 1)
      one.name = one.model + "." + one.port.name;
  for (AnswerPort& one : run.ports_)
    if (std::count_if(run.ports_.begin(), run.ports_.end(), [&](const AnswerPort& other) { return other.name == one.name; }) > 1)
      return usage("two models both called '" + one.model + "' answer '" + one.port.name + "'", "give each of them once, or rename one");

  // All models read the same data: the inputs of the first stage.
  std::vector<Port> needed;
  const auto collect = [&](const ModuleFile& module) {
    for (const Port& port : module.view.index().contract.ports)
      if (port.direction == Direction::kInput && std::none_of(needed.begin(), needed.end(), [&](const Port& one) { return one.name == port.name; })) needed.push_back(port);
  };
  if (!first.empty()) collect(*first.front());
  else
    for (const auto& [module, ports] : wanted) collect(*module);
  MODNET_ASSIGN(run.source_, ItemSource::open(data, needed));
  StreamClaims claims;
  if (run.source_->arrow() != nullptr) {
    auto read = read_claims(run.source_->arrow()->schema());
    if (!read.ok()) return std::move(read).error().in_file(run.source_->name());
    claims = std::move(*read);
    if (!claims.contract && std::any_of(needed.begin(), needed.end(), [](const Port& port) { return port.space.has_value() || port.preparation.has_value(); }) &&
        std::none_of(needed.begin(), needed.end(), [](const Port& port) { return port.semantic == Semantic::kText; }))
      return Error{Code::kNo, "SPACE_UNVERIFIED", "the data carries no contract, so its preparation and space cannot be checked", {}, run.source_->name(),
                   "make it with modnet encode and embed, or give raw data with --encoder"};
  } else if (std::any_of(needed.begin(), needed.end(), [](const Port& port) { return port.space.has_value(); })) {
    return Error{Code::kNo, "SPACE_UNVERIFIED", "the data does not say which embedding space it is of", {}, run.source_->name(), "make it with modnet embed"};
  }
  for (auto& [module, ports] : wanted) {
    std::vector<const ModuleFile*> stages = first;
    stages.push_back(module);
    MODNET_ASSIGN(Chain chain, Chain::make(stages, ports, &claims, run.engine_));
    run.chains_.push_back(std::move(chain));
  }
  return run;
}

std::vector<const MappedFile*> AnswerRun::inputs() const {
  std::vector<const MappedFile*> out;
  for (const auto& file : files_) out.push_back(&file->file);
  if (source_->mapped() != nullptr) out.push_back(source_->mapped());
  return out;
}

Result<bool> AnswerRun::next(int64_t max_rows, ItemBatch* batch, std::vector<OutputColumn>* answers) {
  MODNET_ASSIGN(std::optional<ItemBatch> read, source_->next(max_rows));
  if (!read) return false;
  *batch = std::move(*read);
  answers->clear();
  for (size_t i = 0; i < chains_.size(); ++i) {
    std::vector<OutputColumn> outputs;
    auto counts = chains_[i].run(*batch, &outputs);
    if (!counts.ok()) return locate(std::move(counts).error(), *batch, source_->name());
    if (i == 0) counts_ += *counts;
    for (OutputColumn& output : outputs) answers->push_back(std::move(output));
  }
  return true;
}

}  // namespace modnet
