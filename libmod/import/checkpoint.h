// The weights of a folder, in one safetensors file or in shards, by the names that they are stored under.
// Tested by tests/unit/import/hf_folder_test.cc and tests/parity/import_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/file.h"
#include "formats/base/result.h"
#include "formats/weights/safetensors.h"

namespace modnet {

/// Data points into the mapped files.
struct Checkpoint {
  std::vector<ForeignTensor> tensors;  // sorted by name

  /// Null when there is no such tensor.
  [[nodiscard]] const ForeignTensor* find(std::string_view name) const;
  /// The same; a norm's parameters also under the names of BERT's first years, gamma and beta.
  [[nodiscard]] const ForeignTensor* find_any_age(std::string_view name) const;
};

/// Reads model.safetensors, else the shards of model.safetensors.index.json, of `folder`; every file that was read is
/// kept in `files`, which must outlive the result. kUnreadable where there are no weights, or only pickled ones.
[[nodiscard]] Result<Checkpoint> read_checkpoint(const std::string& folder,
                                                 std::vector<std::unique_ptr<MappedFile>>& files);

/// kMalformed, naming the tensor, for another shape and for anything but f32, f16 and bf16. `folder` is for the
/// message.
[[nodiscard]] Status check_weights(const ForeignTensor& tensor, const std::vector<int64_t>& shape,
                                   const std::string& folder);

}  // namespace modnet
