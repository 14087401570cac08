// IDX files (MNIST and its kin): numbers with a big-endian header, read row by row, gzip and zstd undone.
// Tested by tests/unit/image/idx_test.cc, tests/fuzz/idx_fuzz.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/base/dtype.h"
#include "formats/base/file.h"
#include "formats/base/result.h"

namespace modnet {

/// Some rows: `data` holds rows × row_bytes() bytes, little-endian.
struct IdxBatch {
  int64_t rows = 0;
  int64_t first_row = 0;
  std::vector<std::byte> data;
};

/// Reads an IDX file in order, in bounded memory. The first dim counts rows (pictures, labels); the others are a row's
/// shape, none for labels. Source: the format's description beside the MNIST files. Not thread-safe.
class IdxReader {
 public:
  /// Reads the header. dtypes: u8, i8, i16, i32, f32, f64. kMalformed: bad magic, unknown type, rank 0 or above kMaxRank,
  /// a row over 64 MiB, a shape beyond 2^63 bytes.
  [[nodiscard]] static Result<std::unique_ptr<IdxReader>> open(std::unique_ptr<ByteSource> source);

  [[nodiscard]] DType dtype() const { return dtype_; }
  [[nodiscard]] int64_t rows() const { return rows_; }
  [[nodiscard]] const std::vector<int64_t>& row_shape() const { return row_shape_; }
  [[nodiscard]] int64_t row_bytes() const { return row_bytes_; }
  [[nodiscard]] const std::string& name() const { return source_->name(); }

  /// The next rows, at most `max_rows` (≥ 1) and about 8 MiB; none only at the end. kMalformed: data that ends before the
  /// last row, or goes on after it.
  [[nodiscard]] Result<IdxBatch> next(int64_t max_rows);

 private:
  explicit IdxReader(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}
  Status read_header();

  std::unique_ptr<ByteSource> source_;
  DType dtype_ = DType::kInvalid;
  int64_t rows_ = 0, row_bytes_ = 0, done_ = 0;
  std::vector<int64_t> row_shape_;
};

/// A labels file (rank 1, whole numbers), all of it; kMalformed for another rank or dtype, or above `max_rows`.
[[nodiscard]] Result<std::vector<int64_t>> read_idx_labels(std::unique_ptr<ByteSource> source, int64_t max_rows);

}  // namespace modnet
