// IDX files, as pictures and as labels, plain and packed.
#include <cstdlib>

#include "formats/image/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modnet;
  const Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
  const Result<std::unique_ptr<IdxReader>> reader = IdxReader::open(memory_source(bytes, "fuzz"));
  if (reader.ok()) {
    int64_t rows = 0, held = 0;
    while (true) {
      const Result<IdxBatch> batch = reader.value()->next(7);
      if (!batch.ok()) break;
      if (batch->rows == 0) {
        if (rows != reader.value()->rows()) std::abort();
        break;
      }
      if (batch->first_row != rows || static_cast<int64_t>(batch->data.size()) != batch->rows * reader.value()->row_bytes())
        std::abort();
      rows += batch->rows;
      held += static_cast<int64_t>(batch->data.size());
      if (held > (int64_t{32} << 20)) break;  // a packed input may hold a thousand times its size
    }
  }
  const Result<std::vector<int64_t>> labels = read_idx_labels(memory_source(bytes, "fuzz"), 1 << 20);
  if (labels.ok() && labels->size() > size * 1100) std::abort();
  return 0;
}
