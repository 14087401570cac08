// npy files.
#include <cstdlib>

#include "formats/base/text.h"
#include "formats/weights/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace modnet;
  const Result<NpyArray> array = read_npy({reinterpret_cast<const std::byte*>(data), size});
  if (!array.ok()) return 0;
  if (array->dtype == DType::kUtf8) {
    if (static_cast<int64_t>(array->strings.size()) != array->count()) std::abort();
    for (const std::string& text : array->strings)
      if (!is_utf8(text)) std::abort();
  } else if (static_cast<int64_t>(array->data.size()) != array->count() * dtype_size(array->dtype)) {
    std::abort();
  }
  return 0;
}
