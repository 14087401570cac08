// WordPiece: a word is cut greedily into the longest vocabulary entries, or becomes the unknown token as a whole
// (Wu et al. 2016; Devlin et al. 2019). Tested by tests/unit/prepare/wordpiece_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "libmod/prepare/text/spec.h"

namespace modnet::text {

/// Read-only after construction. `spec` must outlive it.
class WordPiece {
 public:
  explicit WordPiece(const Spec& spec);

  /// Appends the ids of one word (valid UTF-8, not empty).
  void encode(std::string_view word, uint64_t hash, std::vector<int32_t>& ids) const;

 private:
  const StringTable* start_;
  StringTable rest_;  // entries that continue a word, without their prefix
  std::array<int64_t, 256> start_bytes_{}, rest_bytes_{};  // longest entry that begins with a byte
  int64_t max_chars_;
  int32_t unk_;
};

}  // namespace modnet::text
