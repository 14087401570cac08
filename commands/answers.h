// What predict and eval share: models and data are opened, each item's answers (labels, probabilities, values) come out.
// Several heads on one stream of embeddings are answered together.
// Tested by tests/cli/predict-* and eval-*.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "commands/chain.h"

namespace modnet {

/// One answering output port of one of the models.
struct AnswerPort {
  Port port;
  std::string model;      // name of the module
  std::string name;       // of the port, qualified by the model where two are equal
  std::string card;       // JSON of the head's card; empty: none
  Digest content{};       // of the module
};

class AnswerRun {
 public:
  /// `outputs`: names of answering ports, empty for all. kUsage when a model answers nothing.
  [[nodiscard]] static Result<AnswerRun> open(const Invocation& invocation, const std::vector<std::string>& models, const DataOptions& data,
                                              const std::string& encoder, const std::vector<std::string>& outputs);
  [[nodiscard]] const std::vector<AnswerPort>& ports() const { return ports_; }
  [[nodiscard]] ItemSource& source() { return *source_; }
  [[nodiscard]] const std::vector<Chain>& chains() const { return chains_; }
  /// The encoder that was given, then the models.
  [[nodiscard]] const std::vector<std::unique_ptr<ModuleFile>>& modules() const { return files_; }
  /// Models and data that are mapped: what an output made of them must still agree with when it is committed.
  [[nodiscard]] std::vector<const MappedFile*> inputs() const;
  [[nodiscard]] const Engine& engine() const { return engine_; }
  [[nodiscard]] const RunCounts& counts() const { return counts_; }
  /// The next items and, for each of ports(), its values [rows, width]; false at the end.
  [[nodiscard]] Result<bool> next(int64_t max_rows, ItemBatch* batch, std::vector<OutputColumn>* answers);

 private:
  Engine engine_;
  std::vector<std::unique_ptr<ModuleFile>> files_;
  std::vector<Chain> chains_;
  std::unique_ptr<ItemSource> source_;
  std::vector<AnswerPort> ports_;
  RunCounts counts_;
};

}  // namespace modnet
