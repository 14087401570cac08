#include "formats/image/idx.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "formats/base/limits.h"
#include "formats/table/decompress.h"

namespace modnet {
namespace {

constexpr int64_t kMaxRowBytes = int64_t{64} << 20;
constexpr int64_t kBatchBytes = int64_t{8} << 20;

/// Fills `out`, or says how far it came.
Result<int64_t> read_fully(ByteSource& source, std::span<std::byte> out) {
  size_t done = 0;
  while (done < out.size()) {
    MODNET_ASSIGN(const int64_t n, source.read(out.subspan(done)));
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return static_cast<int64_t>(done);
}

/// As read_fully, but `out` grows with what arrives: a header's word alone allocates at most a few megabytes.
Result<int64_t> read_grown(ByteSource& source, int64_t bytes, std::vector<std::byte>& out) {
  int64_t done = 0;
  while (done < bytes) {
    const int64_t step = std::min(bytes - done, std::max(done, kBatchBytes));
    out.resize(static_cast<size_t>(done + step));
    MODNET_ASSIGN(const int64_t got, read_fully(source, std::span(out).subspan(static_cast<size_t>(done))));
    done += got;
    if (got < step) break;
  }
  return done;
}

DType dtype_of(uint8_t code) {
  switch (code) {
    case 0x08: return DType::kU8;
    case 0x09: return DType::kI8;
    case 0x0b: return DType::kI16;
    case 0x0c: return DType::kI32;
    case 0x0d: return DType::kF32;
    case 0x0e: return DType::kF64;
    default: return DType::kInvalid;
  }
}

Error broken(const ByteSource& source, std::string what, int64_t offset) {
  return malformed(std::move(what), "offset " + std::to_string(offset)).in_file(source.name());
}

}  // namespace

Result<std::unique_ptr<IdxReader>> IdxReader::open(std::unique_ptr<ByteSource> source) {
  MODNET_ASSIGN(source, maybe_decompress(std::move(source)));
  std::unique_ptr<IdxReader> out(new IdxReader(std::move(source)));
  MODNET_TRY(out->read_header());
  return out;
}

Status IdxReader::read_header() {
  std::array<std::byte, 4> magic{};
  MODNET_ASSIGN(const int64_t got, read_fully(*source_, magic));
  if (got < 4 || magic[0] != std::byte{0} || magic[1] != std::byte{0})
    return broken(*source_, "not an IDX file: bad magic number", 0);
  dtype_ = dtype_of(static_cast<uint8_t>(magic[2]));
  if (dtype_ == DType::kInvalid)
    return broken(*source_, "unknown IDX type " + std::to_string(static_cast<int>(magic[2])) +
                                "; expected 8, 9, 11, 12, 13 or 14", 2);
  const int rank = static_cast<int>(magic[3]);
  if (rank < 1 || rank > kMaxRank)
    return broken(*source_, "rank " + std::to_string(rank) + "; expected 1 to " + std::to_string(kMaxRank), 3);
  row_bytes_ = dtype_size(dtype_);
  int64_t whole = row_bytes_;
  bool empty_row = false;
  for (int axis = 0; axis < rank; ++axis) {
    std::array<std::byte, 4> raw{};
    MODNET_ASSIGN(const int64_t n, read_fully(*source_, raw));
    if (n < 4) return broken(*source_, "the header ends early", 4 + 4 * axis + n);
    uint32_t dim = 0;
    std::memcpy(&dim, raw.data(), 4);
    dim = __builtin_bswap32(dim);
    // Checked without the zero dims, so that a shape bomb is refused whatever its order.
    if (!checked_mul(whole, std::max<int64_t>(dim, 1), &whole))
      return broken(*source_, "the shape's product is beyond 2^63", 4 + 4 * axis);
    if (axis == 0) {
      rows_ = dim;
      continue;
    }
    row_shape_.push_back(dim);
    empty_row = empty_row || dim == 0;
    if (!checked_mul(row_bytes_, std::max<int64_t>(dim, 1), &row_bytes_) || row_bytes_ > kMaxRowBytes)
      return broken(*source_, "a row of over 64 MiB", 4 + 4 * axis);
  }
  if (empty_row && rows_ > 0) return broken(*source_, "rows of no bytes: a dim is 0", 8);
  return ok();
}

Result<IdxBatch> IdxReader::next(int64_t max_rows) {
  IdxBatch out;
  out.first_row = done_;
  const int64_t header = 8 + 4 * static_cast<int64_t>(row_shape_.size());
  if (done_ == rows_) {
    std::byte extra{};
    MODNET_ASSIGN(const int64_t n, source_->read({&extra, 1}));
    if (n != 0) return broken(*source_, "data after the last of " + std::to_string(rows_) + " rows", header + rows_ * row_bytes_);
    return out;
  }
  const int64_t rows = std::min({max_rows, rows_ - done_, std::max<int64_t>(kBatchBytes / row_bytes_, 1)});
  MODNET_ASSIGN(const int64_t got, read_grown(*source_, rows * row_bytes_, out.data));
  if (got < rows * row_bytes_)
    return broken(*source_, "the data ends in row " + std::to_string(done_ + got / row_bytes_) + "; expected " +
                                std::to_string(rows_) + " rows", header + done_ * row_bytes_ + got);
  out.rows = rows;
  done_ += rows;
  const size_t width = static_cast<size_t>(dtype_size(dtype_));
  for (size_t at = 0; width > 1 && at < out.data.size(); at += width)
    std::reverse(out.data.begin() + static_cast<int64_t>(at), out.data.begin() + static_cast<int64_t>(at + width));
  return out;
}

Result<std::vector<int64_t>> read_idx_labels(std::unique_ptr<ByteSource> source, int64_t max_rows) {
  MODNET_ASSIGN(const std::unique_ptr<IdxReader> reader, IdxReader::open(std::move(source)));
  const DType dtype = reader->dtype();
  if (!reader->row_shape().empty())
    return malformed("expected labels of rank 1, got rank " + std::to_string(reader->row_shape().size() + 1))
        .in_file(reader->name());
  if (dtype == DType::kF32 || dtype == DType::kF64)
    return malformed("expected whole numbers as labels, got " + std::string(dtype_name(dtype))).in_file(reader->name());
  if (reader->rows() > max_rows)
    return malformed("expected at most " + std::to_string(max_rows) + " rows, got " + std::to_string(reader->rows()))
        .in_file(reader->name());
  std::vector<int64_t> out;
  while (true) {
    MODNET_ASSIGN(const IdxBatch batch, reader->next(1 << 16));
    if (batch.rows == 0) return out;
    for (int64_t r = 0; r < batch.rows; ++r) {
      const std::byte* at = batch.data.data() + r * reader->row_bytes();
      if (dtype == DType::kU8) {
        out.push_back(static_cast<uint8_t>(*at));
      } else if (dtype == DType::kI8) {
        out.push_back(static_cast<int8_t>(*at));
      } else if (dtype == DType::kI16) {
        int16_t value = 0;
        std::memcpy(&value, at, sizeof value);
        out.push_back(value);
      } else {
        int32_t value = 0;
        std::memcpy(&value, at, sizeof value);
        out.push_back(value);
      }
    }
  }
}

}  // namespace modnet
