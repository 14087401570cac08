// Column views → the buffers of one record batch. Elements and text go out in place, without a copy.
// Tested by tests/unit/arrow/writer_test.cc.
#include "formats/arrow/encode.h"

#include <cstring>

#include "formats/arrow/compress.h"
#include "formats/base/limits.h"
#include "formats/base/text.h"

namespace modnet {
namespace {

class Encoder {
 public:
  Encoder(EncodedBatch& out, int zstd_level) : out_(out), zstd_level_(zstd_level) {}
  Status column(const ArrowColumn& column, const ArrowField& field);

 private:
  Status plain(const ArrowColumn& column, const ArrowField& field);
  Status add(Bytes bytes);
  Status add_bits(const ArrowColumn& column, int64_t begin, int64_t count);
  Status add_validity(const ArrowColumn& column);
  template <typename T>
  Status add_offsets(const ArrowColumn& column);
  Status add_elements(const ArrowColumn& column, int64_t begin, int64_t count);
  std::vector<std::byte>& make(int64_t size) { return out_.made.emplace_back(static_cast<size_t>(size)); }

  EncodedBatch& out_;
  int zstd_level_;
};

Status Encoder::add(Bytes bytes) {
  if (zstd_level_ > 0 && !bytes.empty()) {
    std::vector<std::byte>& packed = make(8);
    int64_t length = static_cast<int64_t>(bytes.size());
    MODNET_TRY(zstd_compress(bytes, zstd_level_, packed));
    if (packed.size() >= bytes.size() + 8) {  // Arrow's mark for "not compressed"
      length = -1;
      packed.resize(8);
      packed.insert(packed.end(), bytes.begin(), bytes.end());
    }
    std::memcpy(packed.data(), &length, 8);
    packed.shrink_to_fit();
    bytes = packed;
  }
  const int64_t size = static_cast<int64_t>(bytes.size());
  int64_t padded = 0;
  if (!checked_align(size, kAlignment, &padded)) return invalid("a column is too large");
  out_.buffers.emplace_back(out_.body_length, size);
  out_.pieces.push_back(bytes);
  out_.body_length += padded;
  return ok();
}

Status Encoder::add_validity(const ArrowColumn& column) {
  if (column.null_count == 0) return add({});
  std::vector<std::byte>& bits = make((column.rows + 7) / 8);
  for (int64_t row = 0; row < column.rows; ++row)
    if (column.valid(row)) bits[static_cast<size_t>(row >> 3)] |= static_cast<std::byte>(1U << (row & 7));
  return add(bits);
}

template <typename T>
Status Encoder::add_offsets(const ArrowColumn& column) {
  std::vector<std::byte>& bytes = make((column.rows + 1) * static_cast<int64_t>(sizeof(T)));
  T* offsets = reinterpret_cast<T*>(bytes.data());
  const int64_t begin = column.rows == 0 ? 0 : column.range(0).first;
  for (int64_t row = 0; row < column.rows; ++row) offsets[row + 1] = static_cast<T>(column.range(row).second - begin);
  return add(bytes);
}

Status Encoder::add_elements(const ArrowColumn& column, int64_t begin, int64_t count) {
  if (column.value == DType::kBool) {
    std::vector<std::byte>& bits = make((count + 7) / 8);
    for (int64_t i = 0; i < count; ++i)
      bits[static_cast<size_t>(i >> 3)] |= (column.data[begin + i] & std::byte{1}) << (i & 7);
    return add(bits);
  }
  const int64_t size = dtype_size(column.value);
  if (count == 0) return add({});
  return add({column.data + begin * size, static_cast<size_t>(count * size)});
}

/// A column whose rows without a value are zero or empty, and that is not dictionary-encoded.
Status Encoder::plain(const ArrowColumn& column, const ArrowField& field) {
  const auto node = [this](int64_t rows, int64_t nulls) { out_.nodes.emplace_back(rows, nulls); };
  node(column.rows, column.null_count);
  if (field.type == ArrowType::kNull) return ok();
  MODNET_TRY(add_validity(column));
  const int64_t begin = column.rows == 0 ? 0 : column.range(0).first;
  const int64_t end = column.rows == 0 ? 0 : column.range(column.rows - 1).second;
  if (field.is_text() || field.is_list()) {
    const bool large = field.type == ArrowType::kLargeUtf8 || field.type == ArrowType::kLargeList;
    if (!large && end - begin > INT32_MAX)
      return invalid("column '" + escape_text(field.name) + "' has " + std::to_string(end - begin) +
                         " bytes or elements in a batch; expected at most 2^31 - 1",
                     "write smaller batches");
    MODNET_TRY(large ? add_offsets<int64_t>(column) : add_offsets<int32_t>(column));
  }
  if (field.is_text()) {
    return add(begin == end ? Bytes{} : Bytes(column.data + begin, static_cast<size_t>(end - begin)));
  }
  if (field.type != ArrowType::kValue) {
    node(end - begin, 0);
    MODNET_TRY(add({}));
  }
  return add_elements(column, begin, end - begin);
}

Status Encoder::column(const ArrowColumn& column, const ArrowField& field) {
  if (column.null_count != 0 && !field.nullable)
    return invalid("column '" + escape_text(field.name) +
                   "' has rows without a value, and its field does not allow that");
  const bool direct = field.type == ArrowType::kNull || (column.null_count == 0 && column.indices == nullptr);
  if (direct) return plain(column, field);
  ArrowColumnBuilder& builder = out_.copies.emplace_back(field);
  builder.append(column);
  return plain(builder.view(), field);
}

}  // namespace

Result<EncodedBatch> encode_batch(const ArrowBatch& batch, const std::vector<ArrowField>& fields, int zstd_level) {
  EncodedBatch out;
  out.rows = batch.rows;
  Encoder encoder(out, zstd_level);
  for (size_t i = 0; i < fields.size(); ++i) MODNET_TRY(encoder.column(batch.columns[i], fields[i]));
  return out;
}

}  // namespace modnet
