// Fields, schemas and column views. Tested by tests/unit/arrow/types_test.cc.
#include "formats/arrow/types.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "formats/base/limits.h"
#include "formats/base/text.h"

namespace modnet {
namespace {

constexpr int64_t kMaxColumns = 65536;

bool arrow_has(DType dtype) {
  switch (dtype) {
    case DType::kBool: case DType::kI8: case DType::kI16: case DType::kI32: case DType::kI64: case DType::kU8:
    case DType::kU16: case DType::kU32: case DType::kU64: case DType::kF16: case DType::kF32: case DType::kF64:
      return true;
    default:
      return false;
  }
}

Error bad_field(const ArrowField& field, std::string what) {
  return invalid("column '" + escape_text(field.name.substr(0, 64)) + "' " + std::move(what));
}

Status check_field(const ArrowField& field) {
  if (field.name.empty()) return invalid("a column has no name");
  if (static_cast<int64_t>(field.name.size()) > kMaxNameBytes)
    return bad_field(field, "has a name of " + std::to_string(field.name.size()) + " bytes; expected at most " +
                                std::to_string(kMaxNameBytes));
  if (!is_utf8(field.name)) return bad_field(field, "has a name that is not UTF-8");
  switch (field.type) {
    case ArrowType::kNull: case ArrowType::kUtf8: case ArrowType::kLargeUtf8:
      if (field.value != DType::kInvalid) return bad_field(field, "has an element type that its type does not use");
      return ok();
    case ArrowType::kValue: case ArrowType::kList: case ArrowType::kLargeList: break;
    case ArrowType::kFixedList: case ArrowType::kTensor:
      if (field.width < 0 || field.width > INT32_MAX)
        return bad_field(field, "has " + std::to_string(field.width) + " elements a row; expected 0 to 2^31 - 1");
      break;
    default:
      return bad_field(field, "has no type");
  }
  if (!arrow_has(field.value))
    return bad_field(field, "has elements of type " + std::string(dtype_name(field.value)) + ", which Arrow lacks");
  if (field.type != ArrowType::kTensor) return ok();
  int64_t product = 1;
  if (field.shape.size() > static_cast<size_t>(kMaxRank))
    return bad_field(field, "has a shape of more than 8 dimensions");
  for (const int64_t dim : field.shape)
    if (!checked_mul(product, dim, &product)) return bad_field(field, "has a shape that is negative or too large");
  if (product != field.width)
    return bad_field(field, "has a shape of " + std::to_string(product) + " elements; expected " +
                                std::to_string(field.width));
  return ok();
}

Status check_metadata(const ArrowMetadata& metadata) {
  std::unordered_set<std::string_view> keys;
  for (const auto& [key, value] : metadata) {
    if (!is_utf8(key)) return invalid("metadata key '" + escape_text(key.substr(0, 64)) + "' is not UTF-8");
    if (!keys.insert(key).second)
      return invalid("metadata key '" + escape_text(key.substr(0, 64)) + "' is there twice");
    if (!is_utf8(value))
      return invalid("metadata key '" + escape_text(key.substr(0, 64)) + "' has a value that is not UTF-8");
  }
  return ok();
}

}  // namespace

std::string ArrowField::type_name() const {
  const std::string element = "<" + std::string(dtype_name(value)) + ">";
  switch (type) {
    case ArrowType::kNull: return "null";
    case ArrowType::kValue: return std::string(dtype_name(value));
    case ArrowType::kUtf8: return "utf8";
    case ArrowType::kLargeUtf8: return "large_utf8";
    case ArrowType::kList: return "list" + element;
    case ArrowType::kLargeList: return "large_list" + element;
    case ArrowType::kFixedList: return "fixed_size_list" + element + "[" + std::to_string(width) + "]";
    case ArrowType::kTensor: {
      std::string dims;
      for (const int64_t dim : shape) dims += (dims.empty() ? "" : ",") + std::to_string(dim);
      return "tensor" + element + "[" + dims + "]";
    }
    default: return "unknown";
  }
}

ArrowField ArrowField::text(std::string name) {
  return {.name = std::move(name), .type = ArrowType::kUtf8, .shape = {}, .metadata = {}};
}
ArrowField ArrowField::scalar(std::string name, DType value) {
  return {.name = std::move(name), .type = ArrowType::kValue, .value = value, .shape = {}, .metadata = {}};
}
ArrowField ArrowField::list(std::string name, DType value) {
  return {.name = std::move(name), .type = ArrowType::kList, .value = value, .shape = {}, .metadata = {}};
}
ArrowField ArrowField::fixed_list(std::string name, DType value, int64_t width) {
  return {.name = std::move(name), .type = ArrowType::kFixedList, .value = value, .width = width, .shape = {},
          .metadata = {}};
}
ArrowField ArrowField::tensor(std::string name, DType value, std::vector<int64_t> shape) {
  int64_t width = 1;
  for (const int64_t dim : shape)
    if (!checked_mul(width, dim, &width)) width = -1;  // check_schema refuses it
  return {.name = std::move(name), .type = ArrowType::kTensor, .value = value, .width = width,
          .shape = std::move(shape), .metadata = {}};
}

int64_t ArrowSchema::find(std::string_view name) const {
  for (size_t i = 0; i < fields.size(); ++i)
    if (fields[i].name == name) return static_cast<int64_t>(i);
  return -1;
}

const std::string* ArrowSchema::get(std::string_view key) const {
  for (const auto& [k, v] : metadata)
    if (k == key) return &v;
  return nullptr;
}

void ArrowSchema::set(std::string key, std::string value) {
  for (auto& [k, v] : metadata)
    if (k == key) {
      v = std::move(value);
      return;
    }
  metadata.emplace_back(std::move(key), std::move(value));
}

Status check_schema(const ArrowSchema& schema) {
  if (static_cast<int64_t>(schema.fields.size()) > kMaxColumns)
    return invalid("there are " + std::to_string(schema.fields.size()) + " columns; expected at most 65536");
  std::unordered_set<std::string_view> names;
  for (const ArrowField& field : schema.fields) {
    MODNET_TRY(check_field(field));
    MODNET_TRY(check_metadata(field.metadata));
    if (!names.insert(field.name).second) return bad_field(field, "is there twice");
  }
  return check_metadata(schema.metadata);
}

std::string_view ArrowColumn::dictionary_text(int64_t row) const {
  const int64_t at = first + row;
  uint64_t index = 0;  // a negative number was refused when the batch was read
  switch (dtype_size(index_type)) {
    case 1: index = static_cast<const uint8_t*>(indices)[at]; break;
    case 2: index = static_cast<const uint16_t*>(indices)[at]; break;
    case 4: index = static_cast<const uint32_t*>(indices)[at]; break;
    default: index = static_cast<const uint64_t*>(indices)[at]; break;
  }
  if (index >= static_cast<uint64_t>(dictionary_size)) return {};
  const int64_t begin = offsets64[index], end = offsets64[index + 1];
  return {reinterpret_cast<const char*>(data) + begin, static_cast<size_t>(end - begin)};
}

double ArrowColumn::number(int64_t row) const {
  if (!valid(row)) return 0;
  switch (value) {
    case DType::kBool: case DType::kU8: return items<uint8_t>(row)[0];
    case DType::kI8: return items<int8_t>(row)[0];
    case DType::kI16: return items<int16_t>(row)[0];
    case DType::kU16: return items<uint16_t>(row)[0];
    case DType::kI32: return items<int32_t>(row)[0];
    case DType::kU32: return items<uint32_t>(row)[0];
    case DType::kI64: return static_cast<double>(items<int64_t>(row)[0]);
    case DType::kU64: return static_cast<double>(items<uint64_t>(row)[0]);
    case DType::kF16: return f16_to_f32(items<uint16_t>(row)[0]);
    case DType::kF32: return items<float>(row)[0];
    case DType::kF64: return items<double>(row)[0];
    default: return 0;
  }
}

ArrowColumn ArrowColumn::slice(int64_t begin, int64_t count) const {
  assert(begin >= 0 && count >= 0 && count <= rows - begin);
  ArrowColumn out = *this;
  out.first += begin;
  out.rows = count;
  if (type == ArrowType::kNull) {
    out.null_count = count;
  } else if (null_count != 0) {
    out.null_count = 0;
    for (int64_t row = 0; row < count; ++row) out.null_count += out.valid(row) ? 0 : 1;
  }
  return out;
}

ArrowBatch ArrowBatch::slice(int64_t begin, int64_t count) const {
  ArrowBatch out;
  out.rows = count;
  out.columns.reserve(columns.size());
  for (const ArrowColumn& column : columns) out.columns.push_back(column.slice(begin, count));
  out.owners = owners;
  return out;
}

}  // namespace modnet
