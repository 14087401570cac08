// Plain schemas → Arrow schema messages. Tested by tests/unit/arrow/writer_test.cc and, with pyarrow as the judge, by
// tests/parity/arrow_parity.py.
#include "formats/arrow/wire.h"

namespace modnet {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

std::pair<wire::Type, Offset<void>> encode_element(FlatBufferBuilder& out, DType value) {
  switch (value) {
    case DType::kBool: return {wire::Type::Bool, wire::CreateBool(out).Union()};
    case DType::kF16: return {wire::Type::FloatingPoint, wire::CreateFloatingPoint(out, wire::Precision::HALF).Union()};
    case DType::kF32:
      return {wire::Type::FloatingPoint, wire::CreateFloatingPoint(out, wire::Precision::SINGLE).Union()};
    case DType::kF64:
      return {wire::Type::FloatingPoint, wire::CreateFloatingPoint(out, wire::Precision::DOUBLE).Union()};
    default: break;
  }
  const bool is_signed = value == DType::kI8 || value == DType::kI16 || value == DType::kI32 || value == DType::kI64;
  return {wire::Type::Int, wire::CreateInt(out, static_cast<int>(dtype_size(value) * 8), is_signed).Union()};
}

std::pair<wire::Type, Offset<void>> encode_type(FlatBufferBuilder& out, const ArrowField& field) {
  switch (field.type) {
    case ArrowType::kNull: return {wire::Type::Null, wire::CreateNull(out).Union()};
    case ArrowType::kUtf8: return {wire::Type::Utf8, wire::CreateUtf8(out).Union()};
    case ArrowType::kLargeUtf8: return {wire::Type::LargeUtf8, wire::CreateLargeUtf8(out).Union()};
    case ArrowType::kList: return {wire::Type::List, wire::CreateList(out).Union()};
    case ArrowType::kLargeList: return {wire::Type::LargeList, wire::CreateLargeList(out).Union()};
    case ArrowType::kFixedList: case ArrowType::kTensor:
      return {wire::Type::FixedSizeList, wire::CreateFixedSizeList(out, static_cast<int>(field.width)).Union()};
    default: return encode_element(out, field.value);
  }
}

Offset<wire::Field> encode_field(FlatBufferBuilder& out, const ArrowField& field) {
  std::vector<Offset<wire::Field>> children;
  if (field.is_list() || field.is_fixed()) {
    const auto [type, value] = encode_element(out, field.value);
    const Offset<flatbuffers::String> name = out.CreateString("item");
    const auto none = out.CreateVector(std::vector<Offset<wire::Field>>());
    children.push_back(wire::CreateField(out, name, true, type, value, 0, none));
  }
  ArrowMetadata metadata = field.metadata;
  if (field.type == ArrowType::kTensor) {
    std::string dims;
    for (const int64_t dim : field.shape) dims += (dims.empty() ? "" : ",") + std::to_string(dim);
    metadata.emplace_back("ARROW:extension:name", "arrow.fixed_shape_tensor");
    metadata.emplace_back("ARROW:extension:metadata", "{\"shape\":[" + dims + "]}");
  }
  const auto [type, value] = encode_type(out, field);
  const Offset<flatbuffers::String> name = out.CreateString(field.name);
  const auto child_vector = out.CreateVector(children);
  const auto pairs = encode_metadata(out, metadata);
  return wire::CreateField(out, name, field.nullable, type, value, 0, child_vector, pairs);
}

}  // namespace

Offset<flatbuffers::Vector<Offset<wire::KeyValue>>> encode_metadata(FlatBufferBuilder& out,
                                                                    const ArrowMetadata& metadata) {
  if (metadata.empty()) return 0;
  std::vector<Offset<wire::KeyValue>> pairs;
  for (const auto& [key, value] : metadata) {
    const Offset<flatbuffers::String> k = out.CreateString(key);
    const Offset<flatbuffers::String> v = out.CreateString(value);
    pairs.push_back(wire::CreateKeyValue(out, k, v));
  }
  return out.CreateVector(pairs);
}

Offset<wire::Schema> encode_schema(FlatBufferBuilder& out, const ArrowSchema& schema) {
  std::vector<Offset<wire::Field>> fields;
  for (const ArrowField& field : schema.fields) fields.push_back(encode_field(out, field));
  const auto field_vector = out.CreateVector(fields);
  const auto pairs = encode_metadata(out, schema.metadata);
  return wire::CreateSchema(out, wire::Endianness::Little, field_vector, pairs);
}

}  // namespace modnet
