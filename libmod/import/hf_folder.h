// A Hugging Face or sentence-transformers folder → an encoder module and a backbone module, ready to be written.
// Whatever the folder says and this code does not do stops the import with the key's name.
// Tested by tests/parity/import_test.cc, tests/unit/import/hf_folder_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/base/file.h"
#include "formats/base/result.h"
#include "formats/module/write.h"
#include "libmod/compute/matmul.h"

namespace modnet {

struct ImportOptions {
  std::string name;  // of the model; the backbone's name and the first part of its spaces' ids
  std::string version = "1.0.0";
  std::string licence;                // SPDX; empty: not stated
  std::optional<Pooling> pooling;     // instead of what the folder says
  std::string tap;                    // "hidden.5": the embedding is taken there; empty: the last layer
  std::optional<int64_t> max_length;  // smaller than what the folder says
  ComputeContext context;             // runs the probes
  Compression compression;
};

/// Two modules whose parts point into the mapped checkpoint, so it must live until they are written: it does, in here.
struct ImportedModel {
  ImportedModel() = default;
  ImportedModel(ImportedModel&&) = default;
  std::vector<std::unique_ptr<MappedFile>> files;  // everything that was read, to be looked at again before commit
  std::string tokenizer;                           // canonical JSON
  ModuleWriter encoder, backbone;
  std::vector<std::string> dropped;  // tensors that no port reaches
  std::string family, space;
  int64_t max_length = 0, parameters = 0;
};

/// `folder` must be a folder with config.json, safetensors weights and tokenizer.json.
[[nodiscard]] Result<std::unique_ptr<ImportedModel>> import_hf_folder(const std::string& folder,
                                                                      const ImportOptions& options);

}  // namespace modnet
