// Column builders. Tested by tests/unit/arrow/builder_test.cc.
#include "formats/arrow/builder.h"

namespace modnet {

ArrowColumnBuilder::ArrowColumnBuilder(const ArrowField& field)
    : type_(field.type), value_(field.value), width_(field.is_fixed() ? field.width : 1) {
  if (is_list() || is_text()) offsets_.push_back(0);
}

void ArrowColumnBuilder::add_text(std::string_view text) {
  assert(is_text());
  append(text.data(), text.size());
  offsets_.push_back(static_cast<int64_t>(data_.size()));
  count_rows(1);
}

void ArrowColumnBuilder::mark_valid(int64_t count) {
  validity_.resize(static_cast<size_t>((rows_ + 7) / 8), 0);
  for (int64_t row = rows_ - count; row < rows_; ++row)
    validity_[static_cast<size_t>(row >> 3)] |= static_cast<uint8_t>(1U << (row & 7));
}

void ArrowColumnBuilder::add_null() {
  if (type_ != ArrowType::kNull && null_count_ == 0 && rows_ != 0) mark_valid(rows_);
  ++rows_;
  ++null_count_;
  if (type_ == ArrowType::kNull) return;
  validity_.resize(static_cast<size_t>((rows_ + 7) / 8), 0);
  if (!offsets_.empty()) {
    offsets_.push_back(offsets_.back());
  } else {
    data_.resize(data_.size() + static_cast<size_t>(width_ * dtype_size(value_)));
  }
}

void ArrowColumnBuilder::append(const ArrowColumn& column) {
  assert(value_ == column.value);
  if (type_ == ArrowType::kNull || column.null_count != 0 || column.indices != nullptr) {
    for (int64_t row = 0; row < column.rows; ++row) {
      if (!column.valid(row)) {
        add_null();
        continue;
      }
      const Bytes bytes = column.bytes(row);
      append(bytes.data(), bytes.size());
      if (!offsets_.empty())
        offsets_.push_back(offsets_.back() + static_cast<int64_t>(bytes.size()) / (is_text() ? 1 : dtype_size(value_)));
      count_rows(1);
    }
    return;
  }
  if (column.rows == 0) return;
  const int64_t begin = column.range(0).first, end = column.range(column.rows - 1).second;
  const int64_t size = is_text() ? 1 : dtype_size(value_);
  append(column.data + begin * size, static_cast<size_t>((end - begin) * size));
  if (!offsets_.empty()) {
    const int64_t shift = offsets_.back() - begin;
    for (int64_t row = 0; row < column.rows; ++row) offsets_.push_back(column.range(row).second + shift);
  }
  count_rows(column.rows);
}

ArrowColumn ArrowColumnBuilder::view() const {
  ArrowColumn out;
  out.type = type_;
  out.value = value_;
  out.width = width_;
  out.rows = rows_;
  out.null_count = null_count_;
  out.validity = null_count_ != 0 && type_ != ArrowType::kNull ? validity_.data() : nullptr;
  out.offsets64 = offsets_.empty() ? nullptr : offsets_.data();
  out.data = data_.data();
  return out;
}

void ArrowColumnBuilder::clear() {
  rows_ = 0;
  null_count_ = 0;
  data_.clear();
  validity_.clear();
  if (!offsets_.empty()) offsets_.resize(1);
}

ArrowBatchBuilder::ArrowBatchBuilder(const ArrowSchema& schema) {
  columns_.reserve(schema.fields.size());
  for (const ArrowField& field : schema.fields) columns_.emplace_back(field);
}

void ArrowBatchBuilder::append(const ArrowBatch& batch) {
  assert(batch.columns.size() == columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) columns_[i].append(batch.columns[i]);
  rows_ += batch.rows;
}

ArrowBatch ArrowBatchBuilder::batch() const {
  ArrowBatch out;
  out.rows = columns_.empty() ? rows_ : columns_[0].rows();
  for (const ArrowColumnBuilder& column : columns_) {
    assert(column.rows() == out.rows);
    out.columns.push_back(column.view());
  }
  return out;
}

void ArrowBatchBuilder::clear() {
  for (ArrowColumnBuilder& column : columns_) column.clear();
  rows_ = 0;
}

}  // namespace modnet
