// Between Arrow's messages (schema/stream.fbs) and our plain records. Private to formats/arrow: the only header that
// knows the generated code. Tested by tests/unit/arrow/reader_test.cc and writer_test.cc.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/arrow/types.h"
#include "schema/stream_generated.h"

namespace modnet {

/// Where a text column's values are when they are dictionary-encoded.
struct WireDictionary {
  bool used = false;
  int64_t id = 0;
  DType index = DType::kInvalid;
};

struct WireSchema {
  ArrowSchema schema;
  std::vector<WireDictionary> dictionaries;  // one a field
};

/// A verified message. `bytes` must be aligned to 8 and outlive the result. kMalformed, kUnavailable (a later format).
[[nodiscard]] Result<const wire::Message*> verify_message(Bytes bytes);
[[nodiscard]] Result<const wire::Footer*> verify_footer(Bytes bytes);
[[nodiscard]] Result<WireSchema> decode_schema(const wire::Schema& schema, int64_t message_bytes);
[[nodiscard]] Result<ArrowMetadata> decode_metadata(
    const flatbuffers::Vector<flatbuffers::Offset<wire::KeyValue>>* pairs, int64_t* budget);

[[nodiscard]] flatbuffers::Offset<wire::Schema> encode_schema(flatbuffers::FlatBufferBuilder& out,
                                                              const ArrowSchema& schema);
[[nodiscard]] flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<wire::KeyValue>>> encode_metadata(
    flatbuffers::FlatBufferBuilder& out, const ArrowMetadata& metadata);

}  // namespace modnet
