#include "libmod/import/checkpoint.h"

#include <algorithm>
#include <filesystem>

namespace modnet {
namespace {

/// False too where the path cannot be looked at: opening it then says why.
bool exists(const std::string& path) {
  std::error_code failed;
  return std::filesystem::exists(path, failed);
}

Result<Bytes> map_file(std::vector<std::unique_ptr<MappedFile>>& files, const std::string& path) {
  MODNET_ASSIGN(MappedFile file, MappedFile::open(path));
  files.push_back(std::make_unique<MappedFile>(std::move(file)));
  return files.back()->bytes();
}

template <typename T>
Result<T> in_file(Result<T> result, const std::string& path) {
  if (!result.ok()) return std::move(result).error().in_file(path);
  return result;
}

}  // namespace

const ForeignTensor* Checkpoint::find(std::string_view name) const {
  const auto it = std::lower_bound(tensors.begin(), tensors.end(), name,
                                   [](const ForeignTensor& a, std::string_view b) { return a.name < b; });
  return it != tensors.end() && it->name == name ? &*it : nullptr;
}

const ForeignTensor* Checkpoint::find_any_age(std::string_view name) const {
  if (const ForeignTensor* tensor = find(name); tensor != nullptr) return tensor;
  const auto swapped = [&](std::string_view from, std::string_view to) {
    return find(std::string(name.substr(0, name.size() - from.size())) + std::string(to));
  };
  if (name.ends_with("LayerNorm.weight")) return swapped("weight", "gamma");
  if (name.ends_with("LayerNorm.bias")) return swapped("bias", "beta");
  return nullptr;
}

Result<Checkpoint> read_checkpoint(const std::string& folder, std::vector<std::unique_ptr<MappedFile>>& files) {
  Checkpoint checkpoint;
  const std::string single = folder + "/model.safetensors", index_path = folder + "/model.safetensors.index.json";
  if (exists(single)) {
    MODNET_ASSIGN(const Bytes bytes, map_file(files, single));
    MODNET_ASSIGN(Safetensors read, in_file(read_safetensors(bytes), single));
    checkpoint.tensors = std::move(read.tensors);
    return checkpoint;
  }
  if (!exists(index_path)) {
    const bool pickle = exists(folder + "/pytorch_model.bin") || exists(folder + "/pytorch_model.bin.index.json");
    return Error{Code::kUnreadable,
                 "CANNOT_READ",
                 pickle ? "the weights are in pytorch_model.bin, a pickle, which runs code when it is read"
                        : "there is no model.safetensors",
                 {},
                 folder,
                 pickle ? "convert it to safetensors first"
                        : "give a folder with model.safetensors or model.safetensors.index.json"};
  }
  MODNET_ASSIGN(const Bytes index_bytes, map_file(files, index_path));
  MODNET_ASSIGN(const ShardIndex index, in_file(read_shard_index(index_bytes), index_path));
  std::vector<Shard> shards;
  for (const std::string& name : index.shards()) {
    const std::string path = folder + "/" + name;
    MODNET_ASSIGN(const Bytes bytes, map_file(files, path));
    MODNET_ASSIGN(Safetensors content, in_file(read_safetensors(bytes), path));
    shards.push_back({name, std::move(content)});
  }
  MODNET_ASSIGN(checkpoint.tensors, in_file(join_shards(index, shards), index_path));
  return checkpoint;
}

Status check_weights(const ForeignTensor& tensor, const std::vector<int64_t>& shape, const std::string& folder) {
  const auto text = [](const std::vector<int64_t>& dims) {
    std::string out = "[";
    for (const int64_t dim : dims) out += (out.size() > 1 ? "," : "") + std::to_string(dim);
    return out + "]";
  };
  if (tensor.shape != shape)
    return malformed("tensor '" + tensor.name + "': expected shape " + text(shape) + ", got " + text(tensor.shape))
        .in_file(folder);
  if (tensor.dtype != DType::kF32 && tensor.dtype != DType::kF16 && tensor.dtype != DType::kBF16)
    return malformed("tensor '" + tensor.name + "': expected f32, f16 or bf16, got " +
                     std::string(dtype_name(tensor.dtype)))
        .in_file(folder);
  return ok();
}

}  // namespace modnet
