// Arrow schema messages → plain records, with everything checked that FlatBuffers' verifier does not look at.
// Tested by tests/unit/arrow/reader_test.cc and tests/fuzz/arrow_fuzz.cc.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "formats/arrow/wire.h"
#include "formats/base/limits.h"
#include "formats/base/text.h"

namespace modnet {
namespace {

constexpr int kMaxDepth = 64;
constexpr int kMaxTables = 1 << 20;
constexpr size_t kMaxTensorMetadata = 65536;
constexpr std::string_view kExtensionName = "ARROW:extension:name";
constexpr std::string_view kExtensionMetadata = "ARROW:extension:metadata";

using Pairs = flatbuffers::Vector<flatbuffers::Offset<wire::KeyValue>>;

std::string column_label(std::string_view name) { return "column '" + escape_text(name.substr(0, 64)) + "'"; }

/// Text of a message; the budget keeps tables that share one string from growing without bound.
Result<std::string> copy_text(const flatbuffers::String* text, int64_t* budget, std::string_view what) {
  if (text == nullptr) return std::string();
  *budget -= static_cast<int64_t>(text->size());
  if (*budget < 0) return malformed("names and metadata are larger than the message that holds them");
  std::string out(text->c_str(), text->size());
  if (!is_utf8(out)) return malformed(std::string(what) + " is not UTF-8", std::string(what));
  return out;
}

Result<DType> int_type(const wire::Int& type) {
  switch (type.bit_width()) {
    case 8: return type.is_signed() ? DType::kI8 : DType::kU8;
    case 16: return type.is_signed() ? DType::kI16 : DType::kU16;
    case 32: return type.is_signed() ? DType::kI32 : DType::kU32;
    case 64: return type.is_signed() ? DType::kI64 : DType::kU64;
    default: return malformed("an integer has " + std::to_string(type.bit_width()) + " bits; expected 8, 16, 32 or 64");
  }
}

Error not_read(std::string_view name, std::string_view type) {
  return Error{
      Code::kInvalid, "ARROW_TYPE", column_label(name) + " has type " + std::string(type) + ", which is not read",
      "schema",       {},           "drop the column or cast it to text, numbers, or lists of numbers"};
}

/// The element type of a number or bool field.
Result<DType> element_type(const wire::Field& field, std::string_view name) {
  switch (field.type_type()) {
    case wire::Type::Bool: return DType::kBool;
    case wire::Type::Int:
      if (field.type_as_Int() == nullptr) return malformed(column_label(name) + " has no type", "schema");
      return int_type(*field.type_as_Int());
    case wire::Type::FloatingPoint:
      if (field.type_as_FloatingPoint() == nullptr) return malformed(column_label(name) + " has no type", "schema");
      switch (field.type_as_FloatingPoint()->precision()) {
        case wire::Precision::HALF: return DType::kF16;
        case wire::Precision::SINGLE: return DType::kF32;
        case wire::Precision::DOUBLE: return DType::kF64;
        default: return malformed(column_label(name) + " has an unknown floating-point precision", "schema");
      }
    case wire::Type::NONE: return malformed(column_label(name) + " has no type", "schema");
    default: {
      const char* word = field.type_type() <= wire::Type::MAX ? wire::EnumNameType(field.type_type()) : "";
      std::string type = *word != '\0' ? word : "number " + std::to_string(static_cast<int>(field.type_type()));
      std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
      return not_read(name, type);
    }
  }
}

Status list_element(const wire::Field& field, ArrowField& out) {
  const auto* children = field.children();
  if (children == nullptr || children->size() != 1 || children->Get(0) == nullptr)
    return malformed(column_label(out.name) + " is a list without exactly one element type", "schema");
  const wire::Field& child = *children->Get(0);
  if (child.dictionary() != nullptr) return not_read(out.name, "list of dictionary-encoded values");
  Result<DType> element = element_type(child, out.name);
  if (!element.ok() && element.error().code == Code::kInvalid) return not_read(out.name, "list of other than numbers");
  MODNET_ASSIGN(out.value, std::move(element));
  return ok();
}

Status tensor_shape(const std::string& text, ArrowField& out) {
  const Error bad = malformed(column_label(out.name) + " has tensor metadata that is not {\"shape\":[…]}", "schema");
  if (text.size() > kMaxTensorMetadata) return bad;
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("shape") || !json["shape"].is_array()) return bad;
  int64_t product = 1;
  for (const nlohmann::json& dim : json["shape"]) {
    if (!dim.is_number_integer() || (dim.is_number_unsigned() && dim.get<uint64_t>() > INT64_MAX)) return bad;
    out.shape.push_back(dim.get<int64_t>());
    if (!checked_mul(product, out.shape.back(), &product)) return bad;
  }
  if (out.shape.size() > static_cast<size_t>(kMaxRank)) return bad;
  if (product != out.width)
    return malformed(column_label(out.name) + " has a tensor shape of " + std::to_string(product) +
                         " elements; expected " + std::to_string(out.width),
                     "schema");
  if (json.contains("permutation")) {
    const nlohmann::json& order = json["permutation"];
    if (!order.is_array()) return bad;
    for (size_t i = 0; i < order.size(); ++i)
      if (order[i] != i) return not_read(out.name, "tensor in permuted order");
  }
  out.type = ArrowType::kTensor;
  return ok();
}

/// Takes the extension's keys out of the field's metadata; an extension that is not known is its storage type.
Status read_extension(ArrowField& out) {
  std::string name, text;
  ArrowMetadata rest;
  for (auto& [key, value] : out.metadata) {
    if (key == kExtensionName) name = value;
    else if (key == kExtensionMetadata) text = value;
    else rest.emplace_back(key, value);
  }
  if (name != "arrow.fixed_shape_tensor") return ok();
  if (out.type != ArrowType::kFixedList)
    return malformed(column_label(out.name) + " is a tensor over " + out.type_name(), "schema");
  out.metadata = std::move(rest);
  return tensor_shape(text, out);
}

Status decode_field(const wire::Field& field, int64_t* budget, ArrowField& out, WireDictionary& dictionary) {
  MODNET_ASSIGN(out.name, copy_text(field.name(), budget, "a column's name"));
  out.nullable = field.nullable();
  MODNET_ASSIGN(out.metadata, decode_metadata(field.custom_metadata(), budget));
  switch (field.type_type()) {
    case wire::Type::Null: out.type = ArrowType::kNull; break;
    case wire::Type::Utf8: out.type = ArrowType::kUtf8; break;
    case wire::Type::LargeUtf8: out.type = ArrowType::kLargeUtf8; break;
    case wire::Type::List: out.type = ArrowType::kList; break;
    case wire::Type::LargeList: out.type = ArrowType::kLargeList; break;
    case wire::Type::FixedSizeList: {
      const wire::FixedSizeList* list = field.type_as_FixedSizeList();
      if (list == nullptr || list->list_size() < 0)
        return malformed(column_label(out.name) + " has a negative list size", "schema");
      out.type = ArrowType::kFixedList;
      out.width = list->list_size();
      break;
    }
    default: {
      MODNET_ASSIGN(out.value, element_type(field, out.name));
      out.type = ArrowType::kValue;
    }
  }
  if (out.is_list() || out.is_fixed()) MODNET_TRY(list_element(field, out));
  if (const wire::DictionaryEncoding* encoding = field.dictionary()) {
    if (!out.is_text()) return not_read(out.name, "dictionary-encoded " + out.type_name());
    dictionary.used = true;
    dictionary.id = encoding->id();
    dictionary.index = DType::kI32;  // Arrow's default where no index type is given
    if (encoding->index_type() != nullptr) {
      MODNET_ASSIGN(dictionary.index, int_type(*encoding->index_type()));
    }
  }
  return read_extension(out);
}

}  // namespace

Result<const wire::Message*> verify_message(Bytes bytes) {
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), kMaxDepth, kMaxTables);
  if (!verifier.VerifyBuffer<wire::Message>(nullptr)) return malformed("an Arrow message is not well-formed");
  const wire::Message* message = flatbuffers::GetRoot<wire::Message>(bytes.data());
  if (message->version() != wire::MetadataVersion::V5 && message->version() != wire::MetadataVersion::V4)
    return Error{Code::kUnavailable, "ARROW_VERSION",
                 "an Arrow message has version " + std::to_string(static_cast<int>(message->version()) + 1) +
                     "; expected 4 or 5", {}, {}, "write it again with a current Arrow library"};
  if (message->header() == nullptr) return malformed("an Arrow message has no header");
  if (message->body_length() < 0)
    return malformed("an Arrow message has a body of " + std::to_string(message->body_length()) + " bytes");
  return message;
}

Result<const wire::Footer*> verify_footer(Bytes bytes) {
  flatbuffers::Verifier verifier(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), kMaxDepth, kMaxTables);
  if (!verifier.VerifyBuffer<wire::Footer>(nullptr)) return malformed("the Arrow footer is not well-formed");
  return flatbuffers::GetRoot<wire::Footer>(bytes.data());
}

Result<ArrowMetadata> decode_metadata(const Pairs* pairs, int64_t* budget) {
  ArrowMetadata out;
  if (pairs == nullptr) return out;
  for (const wire::KeyValue* pair : *pairs) {
    *budget -= 16;
    if (pair == nullptr) return malformed("a metadata entry is missing");
    MODNET_ASSIGN(std::string key, copy_text(pair->key(), budget, "a metadata key"));
    MODNET_ASSIGN(std::string value, copy_text(pair->value(), budget, "a metadata value"));
    out.emplace_back(std::move(key), std::move(value));
  }
  return out;
}

Result<WireSchema> decode_schema(const wire::Schema& schema, int64_t message_bytes) {
  if (schema.endianness() != wire::Endianness::Little)
    return Error{Code::kUnavailable, "ARROW_ENDIAN", "the stream is big-endian", "schema", {},
                 "write it again on a little-endian machine"};
  int64_t budget = message_bytes;
  WireSchema out;
  MODNET_ASSIGN(out.schema.metadata, decode_metadata(schema.custom_metadata(), &budget));
  if (schema.fields() != nullptr) {
    if (schema.fields()->size() > 65536) return malformed("there are more than 65,536 columns", "schema");
    for (const wire::Field* field : *schema.fields()) {
      if (field == nullptr) return malformed("a column is missing", "schema");
      budget -= 4;
      MODNET_TRY(decode_field(*field, &budget, out.schema.fields.emplace_back(), out.dictionaries.emplace_back()));
    }
  }
  if (Status status = check_schema(out.schema); !status.ok())
    return malformed(status.error().what, "schema");
  return out;
}

}  // namespace modnet
