// The closing digest. A row's canonical bytes are hashed with XXH3-128 and the row hashes with SHA-256: the first runs
// at memory speed, the second sees 16 bytes a row. Tested by tests/unit/arrow/seal_test.cc.
#include "formats/arrow/seal.h"

#include <algorithm>
#include <cstring>

namespace modnet {
namespace {

constexpr size_t kLongCell = 4096;  // longer cells enter as their own hash; part of the format
constexpr size_t kCacheLine = 64;
constexpr size_t kHashBuffer = 1024 * sizeof(Hash128);

/// Kinds of modnet-stream.5: 0 null, an element type's number, 14 text, 64 + the number for lists of any sort.
uint8_t kind_of(ArrowType type, DType value) {
  switch (type) {
    case ArrowType::kUtf8: case ArrowType::kLargeUtf8: return static_cast<uint8_t>(DType::kUtf8);
    case ArrowType::kValue: return static_cast<uint8_t>(value);
    case ArrowType::kList: case ArrowType::kLargeList: case ArrowType::kFixedList: case ArrowType::kTensor:
      return static_cast<uint8_t>(64 + static_cast<uint8_t>(value));
    default: return 0;
  }
}

Digest header_digest(const ArrowSchema& schema) {
  DomainHash hash("modnet.stream.1");
  hash.number(schema.fields.size());
  for (const ArrowField& field : schema.fields) {
    hash.text(field.name).number(kind_of(field.type, field.value));
    if (field.type == ArrowType::kFixedList) {
      hash.number(1).number(static_cast<uint64_t>(field.width));
    } else {
      hash.number(field.shape.size());
      for (const int64_t dim : field.shape) hash.number(static_cast<uint64_t>(dim));
    }
  }
  ArrowMetadata ours;
  for (const auto& pair : schema.metadata)
    if (pair.first.starts_with("modnet.")) ours.push_back(pair);
  std::sort(ours.begin(), ours.end());
  hash.number(ours.size());
  for (const auto& [key, value] : ours) hash.text(key).text(value);
  return hash.finish();
}

}  // namespace

SealHash::SealHash(const ArrowSchema& schema) {
  const Digest header = header_digest(schema);
  sha_.update(std::as_bytes(std::span(header)));
  hashes_.resize(kHashBuffer);
}

void SealHash::add_cell(const ArrowColumn& column, int64_t row) {
  const bool valid = column.valid(row);
  const Bytes cell = valid ? column.bytes(row) : Bytes{};
  const bool is_long = cell.size() > kLongCell;
  const size_t stored = is_long ? sizeof(Hash128) : cell.size();
  if (used_ + 9 + stored > row_.size()) row_.resize(2 * (used_ + 9 + stored));
  std::byte* out = row_.data() + used_;
  used_ += 9 + stored;
  uint8_t kind = valid ? kind_of(column.type, column.value) : 0;
  if (is_long) kind |= 0x80;
  out[0] = static_cast<std::byte>(kind);
  const uint64_t length = cell.size();
  std::memcpy(out + 1, &length, 8);
  if (is_long) {
    const Hash128 hash = xxh3_128(cell);
    std::memcpy(out + 9, hash.data(), hash.size());
  } else if (stored != 0) {
    std::memcpy(out + 9, cell.data(), stored);
    // The next row's cell lies behind this one: it comes while this row is hashed. Past the end that does nothing.
    for (size_t at = 0; at < stored; at += kCacheLine) __builtin_prefetch(cell.data() + stored + at);
  }
}

void SealHash::add(const ArrowBatch& batch) {
  for (int64_t row = 0; row < batch.rows; ++row) {
    used_ = 0;
    for (const ArrowColumn& column : batch.columns) add_cell(column, row);
    const Hash128 hash = xxh3_128(Bytes(row_).first(used_));
    std::memcpy(hashes_.data() + waiting_, hash.data(), hash.size());
    waiting_ += hash.size();
    if (waiting_ == kHashBuffer) {
      sha_.update(hashes_);
      waiting_ = 0;
    }
  }
  rows_ += batch.rows;
}

Digest SealHash::finish() {
  sha_.update(Bytes(hashes_).first(waiting_));
  return sha_.finish();
}

}  // namespace modnet
