// Imports a tiny model folder of a test, and digs out of the modules what the tests ask about.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "formats/module/read.h"
#include "libmod/import/hf_folder.h"
#include "tests/support/tiny_model.h"

namespace modnet::test {

struct TinyImport {
  std::unique_ptr<ImportedModel> model;
  std::string encoder, backbone;  // module files

  /// The port of that name in one direction of a module file.
  [[nodiscard]] static Port port(const std::string& file, Direction direction, std::string_view name) {
    auto view = ModuleView::open(as_bytes(file));
    REQUIRE(view.ok());
    const auto& ports = view->index().contract.ports;
    const auto it = std::find_if(ports.begin(), ports.end(),
                                 [&](const Port& one) { return one.direction == direction && one.name == name; });
    REQUIRE(it != ports.end());
    return *it;
  }
  [[nodiscard]] Port embedding() const { return port(backbone, Direction::kOutput, "embedding"); }
  [[nodiscard]] Digest preparation() const { return port(encoder, Direction::kOutput, "tokens").preparation->digest; }
};

/// `threads` run the probes.
inline Result<std::unique_ptr<ImportedModel>> try_import(const TinyModel& model, ImportOptions options,
                                                         int threads = 1) {
  const TempDir dir;
  ThreadPool pool(threads);
  options.name = "tiny";
  options.context.pool = &pool;
  return import_hf_folder(model.write(dir), options);
}

/// Pooled by the mean where nothing says otherwise.
inline TinyImport good_import(const TinyModel& model, ImportOptions options = {}, int threads = 1) {
  if (!options.pooling && !model.files.contains("modules.json")) options.pooling = Pooling::kMean;
  auto made = try_import(model, options, threads);
  REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().what + " " + made.error().file));
  TinyImport out;
  out.model = std::move(made).value();
  auto encoder = out.model->encoder.to_memory(), backbone = out.model->backbone.to_memory();
  REQUIRE(encoder.ok());
  REQUIRE(backbone.ok());
  out.encoder = std::move(encoder).value();
  out.backbone = std::move(backbone).value();
  return out;
}

/// The import must fail; the error's message, place and file.
inline Error refused_import(const TinyModel& model, ImportOptions options = {}) {
  if (!options.pooling && !model.files.contains("modules.json")) options.pooling = Pooling::kMean;
  const auto made = try_import(model, options);
  REQUIRE(!made.ok());
  CHECK(!made.error().id.empty());
  CHECK(!made.error().file.empty());
  return made.error();
}

[[nodiscard]] inline bool says(const Error& error, std::string_view text) {
  return error.what.find(text) != std::string::npos;
}

}  // namespace modnet::test
