// Plain records of Arrow data: fields, schemas, and views of columns. No Arrow message is known here.
// Source: Arrow columnar format 1.5, "Physical Memory Layout". Tested by tests/unit/arrow/types_test.cc.
#pragma once

#include <cassert>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/base/dtype.h"
#include "formats/base/reader.h"
#include "formats/base/result.h"

namespace modnet {

/// What a column is made of. Lists hold numbers or bools only; one level deep.
enum class ArrowType : uint8_t {
  kInvalid = 0,
  kNull = 1,       // no value in any row
  kValue = 2,      // one element of `value` a row
  kUtf8 = 3,       // text, 32-bit offsets (dictionary-encoded text is read as this)
  kLargeUtf8 = 4,  // text, 64-bit offsets
  kList = 5,       // any number of elements of `value` a row, 32-bit offsets
  kLargeList = 6,  // the same with 64-bit offsets
  kFixedList = 7,  // `width` elements a row
  kTensor = 8,     // `width` elements a row in `shape`, row-major (arrow.fixed_shape_tensor)
};

using ArrowMetadata = std::vector<std::pair<std::string, std::string>>;  // key → value, in order, text only

struct ArrowField {
  std::string name;
  ArrowType type = ArrowType::kInvalid;
  DType value = DType::kInvalid;  // of kValue and of a list's elements: bool, i8…i64, u8…u64, f16, f32, f64
  int64_t width = 1;              // elements a row of kFixedList and kTensor
  std::vector<int64_t> shape;     // kTensor only; its product is `width`
  bool nullable = true;
  ArrowMetadata metadata;

  bool operator==(const ArrowField&) const = default;
  [[nodiscard]] bool is_text() const { return type == ArrowType::kUtf8 || type == ArrowType::kLargeUtf8; }
  [[nodiscard]] bool is_fixed() const { return type == ArrowType::kFixedList || type == ArrowType::kTensor; }
  [[nodiscard]] bool is_list() const { return type == ArrowType::kList || type == ArrowType::kLargeList; }
  /// "list<i32>", "fixed_size_list<f32>[384]", "tensor<u8>[28,28]", "utf8" …
  [[nodiscard]] std::string type_name() const;

  static ArrowField text(std::string name);
  static ArrowField scalar(std::string name, DType value);
  static ArrowField list(std::string name, DType value);
  static ArrowField fixed_list(std::string name, DType value, int64_t width);
  static ArrowField tensor(std::string name, DType value, std::vector<int64_t> shape);
};

struct ArrowSchema {
  std::vector<ArrowField> fields;
  ArrowMetadata metadata;

  bool operator==(const ArrowSchema&) const = default;
  /// The column's number, or -1.
  [[nodiscard]] int64_t find(std::string_view name) const;
  /// The value of a metadata key, or null.
  [[nodiscard]] const std::string* get(std::string_view key) const;
  void set(std::string key, std::string value);
};

/// Refuses what cannot be written or would be ambiguous: no or double names, names over 512 bytes or not UTF-8, more
/// than 65,536 columns, double metadata keys, a shape whose product is not the width, element types that Arrow lacks
/// (bf16).
[[nodiscard]] Status check_schema(const ArrowSchema& schema);

/// The C++ type that holds one element: f16 as its 16 bits, bool as a byte that is 0 or 1.
template <typename T>
[[nodiscard]] constexpr bool holds(DType dtype) {
  switch (dtype) {
    case DType::kBool: return std::is_same_v<T, uint8_t>;
    case DType::kI8: return std::is_same_v<T, int8_t>;
    case DType::kI16: return std::is_same_v<T, int16_t>;
    case DType::kI32: return std::is_same_v<T, int32_t>;
    case DType::kI64: return std::is_same_v<T, int64_t>;
    case DType::kU8: return std::is_same_v<T, uint8_t>;
    case DType::kU16: case DType::kF16: return std::is_same_v<T, uint16_t>;
    case DType::kU32: return std::is_same_v<T, uint32_t>;
    case DType::kU64: return std::is_same_v<T, uint64_t>;
    case DType::kF32: return std::is_same_v<T, float>;
    case DType::kF64: return std::is_same_v<T, double>;
    default: return false;
  }
}

/// A view of one column of a batch. What it points to belongs to the batch (or builder) that it came from.
/// Checked when it was made: offsets rise and stay within the elements, text is UTF-8, dictionary numbers exist.
class ArrowColumn {
 public:
  ArrowType type = ArrowType::kInvalid;
  DType value = DType::kInvalid;
  int64_t width = 1;
  int64_t rows = 0;
  int64_t first = 0;       // the row of the buffers below that is row 0 of this view
  int64_t null_count = 0;  // rows without a value
  const uint8_t* validity = nullptr;    // one bit a row, least significant first; null: every row has a value
  const int32_t* offsets32 = nullptr;   // rows + 1 numbers of elements (lists) or bytes (text); one of the two is set
  const int64_t* offsets64 = nullptr;
  const std::byte* data = nullptr;      // elements or text
  const void* indices = nullptr;        // dictionary-encoded text: one number a row, of the dtype below
  DType index_type = DType::kInvalid;
  int64_t dictionary_size = 0;

  [[nodiscard]] bool valid(int64_t row) const {
    if (type == ArrowType::kNull) return false;
    const int64_t bit = first + row;
    return validity == nullptr || ((validity[bit >> 3] >> (bit & 7)) & 1) != 0;
  }
  /// Begin and end, in elements or bytes of `data`, of a row of text (not dictionary-encoded) or of a list.
  [[nodiscard]] std::pair<int64_t, int64_t> range(int64_t row) const {
    if (offsets32 != nullptr) return {offsets32[first + row], offsets32[first + row + 1]};
    if (offsets64 != nullptr) return {offsets64[first + row], offsets64[first + row + 1]};
    return {(first + row) * width, (first + row + 1) * width};
  }
  /// The text of a row; empty where there is no value.
  [[nodiscard]] std::string_view utf8(int64_t row) const {
    assert(type == ArrowType::kUtf8 || type == ArrowType::kLargeUtf8);
    if (!valid(row)) return {};
    if (indices != nullptr) return dictionary_text(row);
    const std::pair<int64_t, int64_t> at = range(row);
    return {reinterpret_cast<const char*>(data) + at.first, static_cast<size_t>(at.second - at.first)};
  }
  /// The elements of one row: one of kValue, `width` of fixed lists and tensors, any number of lists.
  template <typename T>
  [[nodiscard]] std::span<const T> items(int64_t row) const {
    assert(holds<T>(value));
    const std::pair<int64_t, int64_t> at = range(row);
    return {reinterpret_cast<const T*>(data) + at.first, static_cast<size_t>(at.second - at.first)};
  }
  /// The elements of all rows, one after another (rows × width but for lists).
  template <typename T>
  [[nodiscard]] std::span<const T> values() const {
    assert(holds<T>(value));
    if (rows == 0) return {};
    const int64_t begin = range(0).first, end = range(rows - 1).second;
    return {reinterpret_cast<const T*>(data) + begin, static_cast<size_t>(end - begin)};
  }
  /// The bytes of a row's elements or text; empty where there is no value.
  [[nodiscard]] Bytes bytes(int64_t row) const {
    if (!valid(row)) return {};
    if (value == DType::kInvalid) return as_bytes(utf8(row));
    const std::pair<int64_t, int64_t> at = range(row);
    const int64_t size = dtype_size(value);
    return {data + at.first * size, static_cast<size_t>((at.second - at.first) * size)};
  }
  /// The value of a row of kValue as a double (f16 too; i64 and u64 are rounded); 0 where there is none.
  [[nodiscard]] double number(int64_t row) const;
  /// Rows [begin, begin + count).
  [[nodiscard]] ArrowColumn slice(int64_t begin, int64_t count) const;

 private:
  [[nodiscard]] std::string_view dictionary_text(int64_t row) const;
};

/// Some rows of a stream. Copying shares the bytes.
struct ArrowBatch {
  int64_t rows = 0;
  std::vector<ArrowColumn> columns;  // one a field of the schema, in its order
  std::vector<std::shared_ptr<const void>> owners;  // what keeps the columns' bytes alive

  /// Rows [begin, begin + count) of every column.
  [[nodiscard]] ArrowBatch slice(int64_t begin, int64_t count) const;
};

}  // namespace modnet
