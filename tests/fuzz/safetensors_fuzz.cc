// safetensors files; bytes that begin with '{' are also read as a shard index.
#include <cstdlib>

#include "formats/base/text.h"
#include "formats/weights/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modnet;
  const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const Result<Safetensors> file = read_safetensors(bytes);
  if (file.ok()) {
    // What was accepted is exactly as promised: sorted unique names, and views that cover the data without a gap.
    size_t total = 0;
    for (size_t i = 0; i < file->tensors.size(); ++i) {
      const ForeignTensor& tensor = file->tensors[i];
      int64_t expected = dtype_size(tensor.dtype);
      for (const int64_t dim : tensor.shape) expected *= dim;
      total += tensor.data.size();
      if (static_cast<int64_t>(tensor.data.size()) != expected || !is_utf8(tensor.name)) std::abort();
      if (i > 0 && file->tensors[i - 1].name >= tensor.name) std::abort();
      if (file->find(tensor.name) != &tensor) std::abort();
    }
    if (total > size) std::abort();
  }
  if (size > 0 && data[0] == '{') {
    const Result<ShardIndex> index = read_shard_index(bytes);
    if (index.ok())
      for (const std::string& shard : index->shards())
        if (shard.empty() || shard == ".." || shard.find('/') != shard.npos) std::abort();
  }
  return 0;
}
