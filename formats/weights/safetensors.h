// safetensors files and their sharded index → plain records that view the file's bytes.
// Tested by tests/unit/weights/safetensors_test.cc, tests/fuzz/safetensors_fuzz.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/dtype.h"
#include "formats/base/reader.h"
#include "formats/base/result.h"

namespace modnet {

/// One named array of a foreign file. `data` views the file: little-endian, C order, shape × dtype bytes, and not
/// necessarily aligned for its dtype. Zero dims are allowed; rank ≤ kMaxRank; a scalar has no dims.
struct ForeignTensor {
  std::string name;
  DType dtype = DType::kInvalid;
  std::vector<int64_t> shape;
  Bytes data;
};

struct Safetensors {
  std::vector<ForeignTensor> tensors;           // sorted by name (bytes), unique
  std::map<std::string, std::string> metadata;  // "__metadata__"

  /// Null when there is no such tensor.
  [[nodiscard]] const ForeignTensor* find(std::string_view name) const;
};

/// Reads a whole file (safetensors 0.4 README, "Format"). `file` must outlive the result.
/// kMalformed: header beyond the file or over 100 MB, bad JSON or UTF-8, duplicate or unknown keys, offsets that are not
/// shape × dtype, overlaps, holes, trailing bytes, over kMaxTensors. kInvalid: a dtype that modnet does not know, named.
[[nodiscard]] Result<Safetensors> read_safetensors(Bytes file);

/// model.safetensors.index.json: which shard holds which tensor.
struct ShardIndex {
  std::map<std::string, std::string> weight_map;  // tensor name → file name, without any folder
  std::optional<int64_t> total_size;              // as claimed; not checked (writers count tied tensors differently)

  /// The file names, sorted, each once.
  [[nodiscard]] std::vector<std::string> shards() const;
};

/// kMalformed: bad JSON, duplicate keys, no weight_map, a file name that is absolute, has a folder or `..`.
[[nodiscard]] Result<ShardIndex> read_shard_index(Bytes json);

/// One shard that was read; `file` is its name as the index says it.
struct Shard {
  std::string file;
  Safetensors content;
};

/// All tensors of all shards, sorted by name. kMalformed where the shards are not exactly what the index says: a shard
/// missing or given twice, a tensor that is not in its shard, or that a shard holds and the map does not.
[[nodiscard]] Result<std::vector<ForeignTensor>> join_shards(const ShardIndex& index, std::span<const Shard> shards);

}  // namespace modnet
