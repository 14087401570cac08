// Segments of the cache: whatever the bytes, places lie within them, and a record that is served has its checksum, its whole key
// and as many numbers as its rows and width say. The corpus holds a segment of two blocks, and damaged ones.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "formats/cache/segment.h"

using namespace modnet;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  Digest function{};
  if (size >= 48) std::memcpy(function.data(), data + 16, function.size());
  (void)check_segment_head(bytes.first(std::min<size_t>(size, kSegmentHeadBytes)), function);
  const ReadAt read = [bytes](int64_t offset, std::span<std::byte> out) -> int64_t {
    if (offset < 0) std::abort();
    if (offset >= static_cast<int64_t>(bytes.size())) return 0;
    const size_t count = std::min(out.size(), bytes.size() - static_cast<size_t>(offset));
    std::memcpy(out.data(), bytes.data() + offset, count);
    return static_cast<int64_t>(count);
  };
  int64_t last = 0;
  const int64_t end = scan_segment(read, kSegmentHeadBytes, static_cast<int64_t>(size), [&](const RecordPlace& place) {
    if (place.offset < kSegmentHeadBytes || place.length < 56 || place.offset + place.length > static_cast<int64_t>(size)) std::abort();
    last = std::max(last, place.offset + place.length);
    const Bytes record = bytes.subspan(static_cast<size_t>(place.offset), static_cast<size_t>(place.length));
    Digest key;
    std::memcpy(key.data(), record.data() + 8, key.size());
    const std::optional<CachedValue> value = decode_record(record, key);
    if (!value) return;
    if (value->values.size() != uint64_t{value->rows} * value->width || (!value->ragged && value->rows != 1)) std::abort();
    key[31] ^= 1;
    if (decode_record(record, key)) std::abort();
    BlockBuilder builder;  // what is served is written again to the same record
    key[31] ^= 1;
    std::vector<RecordPlace> places;
    if (!builder.add(key, *value)) std::abort();
    const std::string block = builder.finish(0, &places);
    if (std::memcmp(block.data() + places[0].offset, record.data(), record.size()) != 0) std::abort();
  });
  if (end < last || end > std::max<int64_t>(kSegmentHeadBytes, static_cast<int64_t>(size))) std::abort();
  return 0;
}
