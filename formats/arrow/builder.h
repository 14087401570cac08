// Makes columns row by row or many rows at once. Nothing is virtual; whole columns go in with one copy.
// Tested by tests/unit/arrow/builder_test.cc.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "formats/arrow/types.h"

namespace modnet {

/// Collects the rows of one column. Adding a value of another type than the field's is our bug (assertion).
class ArrowColumnBuilder {
 public:
  explicit ArrowColumnBuilder(const ArrowField& field);

  /// kUtf8, kLargeUtf8: one row. The text must be UTF-8 (the caller checked what came from outside).
  void add_text(std::string_view text);
  /// kValue: one row.
  template <typename T>
  void add(T element) {
    assert(type_ == ArrowType::kValue);
    add_rows(std::span<const T>(&element, 1));
  }
  /// Lists: one row of any length. Fixed lists and tensors: one row of `width` elements.
  template <typename T>
  void add_items(std::span<const T> items) {
    assert(holds<T>(value_) && (is_list() || static_cast<int64_t>(items.size()) == width_));
    append(items.data(), items.size() * sizeof(T));
    if (is_list()) offsets_.push_back(offsets_.back() + static_cast<int64_t>(items.size()));
    count_rows(1);
  }
  /// kValue, fixed lists and tensors: as many rows as `items` holds, one copy.
  template <typename T>
  void add_rows(std::span<const T> items) {
    assert(holds<T>(value_) && !is_list());
    const int64_t count = width_ == 0 ? 0 : static_cast<int64_t>(items.size()) / width_;
    assert(count * width_ == static_cast<int64_t>(items.size()));
    append(items.data(), items.size() * sizeof(T));
    count_rows(count);
  }
  /// A row without a value; its bytes are zero or none.
  void add_null();
  /// All rows of a view of the same type (32- or 64-bit offsets, dictionary-encoded or not).
  void append(const ArrowColumn& column);

  [[nodiscard]] int64_t rows() const { return rows_; }
  /// Bytes held now.
  [[nodiscard]] int64_t bytes() const { return static_cast<int64_t>(data_.size() + offsets_.size() * 8); }
  /// A view that lives until the builder is changed.
  [[nodiscard]] ArrowColumn view() const;
  void clear();

 private:
  [[nodiscard]] bool is_list() const { return type_ == ArrowType::kList || type_ == ArrowType::kLargeList; }
  [[nodiscard]] bool is_text() const { return type_ == ArrowType::kUtf8 || type_ == ArrowType::kLargeUtf8; }
  void append(const void* from, size_t bytes) {
    const std::byte* begin = static_cast<const std::byte*>(from);
    if (bytes != 0) data_.insert(data_.end(), begin, begin + bytes);
  }
  void count_rows(int64_t count) {
    rows_ += count;
    if (null_count_ != 0) mark_valid(count);
  }
  void mark_valid(int64_t count);

  ArrowType type_;
  DType value_;
  int64_t width_;
  int64_t rows_ = 0;
  int64_t null_count_ = 0;
  std::vector<std::byte> data_;
  std::vector<int64_t> offsets_;   // lists and text: rows + 1
  std::vector<uint8_t> validity_;  // empty until the first null
};

/// One builder a column. Every column has to get the same number of rows.
class ArrowBatchBuilder {
 public:
  explicit ArrowBatchBuilder(const ArrowSchema& schema);

  [[nodiscard]] ArrowColumnBuilder& column(int64_t i) { return columns_[static_cast<size_t>(i)]; }
  [[nodiscard]] int64_t rows() const { return columns_.empty() ? rows_ : columns_[0].rows(); }
  void append(const ArrowBatch& batch);
  /// A view that lives until the builder is changed.
  [[nodiscard]] ArrowBatch batch() const;
  void clear();

 private:
  std::vector<ArrowColumnBuilder> columns_;
  int64_t rows_ = 0;  // of a schema without columns
};

}  // namespace modnet
