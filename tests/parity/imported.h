// A folder imported, written to memory and opened again, as the commands do it; and its ports run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/module/read.h"
#include "libmod/graph/flat.h"
#include "libmod/import/hf_folder.h"
#include "libmod/prepare/runner.h"

namespace modnet::test {

/// Two module files in memory. The views borrow the bytes.
struct Imported {
  std::unique_ptr<ImportedModel> model;
  std::string encoder_file, backbone_file;
  std::optional<ModuleView> encoder, backbone;
};

[[nodiscard]] inline Result<std::unique_ptr<Imported>> import_to_memory(const std::string& folder,
                                                                        const ImportOptions& options) {
  auto out = std::make_unique<Imported>();
  MODNET_ASSIGN(out->model, import_hf_folder(folder, options));
  MODNET_ASSIGN(out->encoder_file, out->model->encoder.to_memory());
  MODNET_ASSIGN(out->backbone_file, out->model->backbone.to_memory());
  MODNET_ASSIGN(out->encoder, ModuleView::open(as_bytes(out->encoder_file)));
  MODNET_ASSIGN(out->backbone, ModuleView::open(as_bytes(out->backbone_file)));
  return out;
}

/// The module's runner for these ports or taps.
[[nodiscard]] inline Result<Runner> runner_of(const ModuleView& view, const std::vector<std::string>& outputs,
                                              const ComputeContext& context) {
  MODNET_ASSIGN(FlatGraph graph, flatten(view));
  RunnerOptions options;
  options.context = context;
  return Runner::make(std::move(graph), outputs, options);
}

/// "what; where; file" of an error, for messages of failed checks.
[[nodiscard]] inline std::string text_of(const Error& error) {
  return error.id + ": " + error.what + " [" + error.where + "] in " + error.file;
}

}  // namespace modnet::test
