// One record batch message → checked column views. Private to formats/arrow.
// Tested by tests/unit/arrow/hostile_test.cc and tests/fuzz/arrow_fuzz.cc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "formats/arrow/feed.h"
#include "formats/arrow/types.h"
#include "formats/arrow/wire.h"

namespace modnet {

/// The text values that dictionary-encoded columns number.
struct ArrowDictionary {
  std::vector<int64_t> offsets{0};
  std::string text;
};
using ArrowDictionaries = std::map<int64_t, std::shared_ptr<ArrowDictionary>>;

/// Checks every length, offset, bitmap and text of a batch against the body; then makes views of it. Offsets and
/// dictionary numbers of a mapped file are copied first, so that a change of the file cannot undo the check.
/// `slack`: bytes that decompression and bool unpacking may take beyond the body's own length (else kUnavailable).
[[nodiscard]] Result<ArrowBatch> decode_batch(const wire::RecordBatch& batch, const std::vector<ArrowField>& fields,
                                              const std::vector<WireDictionary>& encodings,
                                              const ArrowDictionaries& dictionaries, const FeedBytes& body,
                                              int64_t slack);

/// Sets or extends (delta) the dictionary of a message.
[[nodiscard]] Status decode_dictionary(const wire::DictionaryBatch& message, const WireSchema& schema,
                                       const FeedBytes& body, int64_t slack, ArrowDictionaries& dictionaries);

}  // namespace modnet
