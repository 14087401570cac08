// Record batches from untrusted bytes. Every claim is checked against what is there before anything is allocated or
// viewed. Tested by tests/unit/arrow/hostile_test.cc and tests/fuzz/arrow_fuzz.cc.
#include "formats/arrow/decode.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "formats/arrow/compress.h"
#include "formats/base/limits.h"
#include "formats/base/text.h"

namespace modnet {
namespace {

constexpr int64_t kFreeRows = 65536;  // rows that may need no byte at all (null columns, lists of width 0)

/// Walks through the nodes and buffers of one batch in order.
class Walk {
 public:
  Walk(const wire::RecordBatch& batch, const FeedBytes& body, int64_t slack, ArrowBatch& out)
      : batch_(batch), body_(body), budget_(static_cast<int64_t>(body.bytes.size()) + slack), out_(out) {}

  Status begin();
  Status finish() const;
  Status column(const ArrowField& field, const WireDictionary& encoding, const ArrowDictionaries& dictionaries,
                ArrowColumn& column);

 private:
  struct Node {
    int64_t length, nulls;
  };
  Result<Node> node();
  Result<Bytes> buffer(std::string_view what);
  Result<Bytes> decompressed(Bytes raw, std::string_view what);
  Result<Bytes> pinned(Bytes bytes, int64_t align, int64_t length);
  Result<ArrowMemory> expand(int64_t n);
  Status validity(const Node& node, const uint8_t** bits, int64_t* null_count);
  Status offsets(const ArrowField& field, ArrowColumn& column);
  template <typename T>
  Status check_offsets(const T* offsets, int64_t rows) const;
  Status elements(const ArrowField& field, ArrowColumn& column, int64_t count);
  Status child(const ArrowField& field, ArrowColumn& column);
  Status text(const ArrowField& field, ArrowColumn& column);
  Status encoded(const ArrowField& field, const WireDictionary& encoding, const ArrowDictionaries& dictionaries,
                 ArrowColumn& column);
  [[nodiscard]] Error bad(std::string what) const { return malformed("column '" + column_ + "' " + std::move(what)); }

  const wire::RecordBatch& batch_;
  const FeedBytes& body_;
  int64_t budget_;
  ArrowBatch& out_;
  std::string column_;
  uint32_t next_node_ = 0, next_buffer_ = 0;
  int64_t body_end_ = 0;  // where the last buffer ended
};

Status Walk::begin() {
  const int64_t rows = batch_.length();
  if (rows < 0) return malformed("a batch has " + std::to_string(rows) + " rows");
  // A row of a column that holds anything takes at least a bit. This bounds the work that a few bytes can ask for.
  int64_t most = static_cast<int64_t>(body_.bytes.size());
  if (batch_.compression() != nullptr) most = budget_;
  if (!checked_mul(most, 8, &most) || rows > std::max(most, kFreeRows))
    return malformed("a batch claims " + std::to_string(rows) + " rows in " + std::to_string(body_.bytes.size()) +
                     " bytes");
  if (batch_.compression() != nullptr) {
    if (batch_.compression()->codec() == wire::CompressionType::LZ4_FRAME)
      return Error{Code::kUnavailable,
                   "ARROW_LZ4",
                   "the data is compressed with LZ4, which this build does not read",
                   {},
                   {},
                   "write it uncompressed or with zstd (pyarrow: IpcWriteOptions(compression='zstd'))"};
    if (batch_.compression()->codec() != wire::CompressionType::ZSTD ||
        batch_.compression()->method() != wire::BodyCompressionMethod::BUFFER)
      return Error{Code::kUnavailable, "ARROW_CODEC", "the data is compressed in an unknown way", {}, {},
                   "write it uncompressed or with zstd"};
  }
  if (batch_.variadic_counts() != nullptr && batch_.variadic_counts()->size() != 0)
    return malformed("a batch has variadic buffers that no column needs");
  out_.rows = rows;
  return ok();
}

Status Walk::finish() const {
  if (batch_.nodes() != nullptr && batch_.nodes()->size() != next_node_)
    return malformed("a batch has " + std::to_string(batch_.nodes()->size()) + " nodes; expected " +
                     std::to_string(next_node_));
  if (batch_.buffers() != nullptr && batch_.buffers()->size() != next_buffer_)
    return malformed("a batch has " + std::to_string(batch_.buffers()->size()) + " buffers; expected " +
                     std::to_string(next_buffer_));
  return ok();
}

Result<Walk::Node> Walk::node() {
  if (batch_.nodes() == nullptr || next_node_ >= batch_.nodes()->size()) return bad("has no node in the batch");
  const wire::FieldNode* node = batch_.nodes()->Get(next_node_++);
  if (node->length() < 0 || node->null_count() < 0 || node->null_count() > node->length())
    return bad("has " + std::to_string(node->null_count()) + " nulls in " + std::to_string(node->length()) + " rows");
  return Node{node->length(), node->null_count()};
}

Result<ArrowMemory> Walk::expand(int64_t n) {
  if (n > budget_)
    return Error{Code::kUnavailable, "ARROW_TOO_LARGE",
                 "column '" + column_ + "' takes " + std::to_string(n) + " bytes when unpacked; expected at most " +
                     std::to_string(budget_), {}, {}, "write smaller batches or allow more with --max-memory"};
  budget_ -= n;
  MODNET_ASSIGN(ArrowMemory memory, arrow_memory(n));
  out_.owners.push_back(memory.owner);
  return memory;
}

Result<Bytes> Walk::decompressed(Bytes raw, std::string_view what) {
  if (raw.size() < 8) return bad("has " + std::string(what) + " without a length before the compressed bytes");
  int64_t length = 0;
  std::memcpy(&length, raw.data(), 8);
  raw = raw.subspan(8);
  if (length == -1) return raw;
  if (length < 0) return bad("has " + std::string(what) + " of " + std::to_string(length) + " bytes when unpacked");
  MODNET_ASSIGN(const ArrowMemory memory, expand(length));
  MODNET_TRY(zstd_decompress(raw, {memory.data, static_cast<size_t>(length)}));
  return Bytes(memory.data, static_cast<size_t>(length));
}

Result<Bytes> Walk::buffer(std::string_view what) {
  if (batch_.buffers() == nullptr || next_buffer_ >= batch_.buffers()->size())
    return bad("has no " + std::string(what) + " in the batch");
  const wire::Buffer* buffer = batch_.buffers()->Get(next_buffer_++);
  const int64_t size = static_cast<int64_t>(body_.bytes.size());
  if (buffer->length() == 0) return Bytes{};
  if (buffer->offset() < 0 || buffer->length() < 0 || buffer->offset() > size ||
      buffer->length() > size - buffer->offset())
    return bad("has " + std::string(what) + " outside the body; expected at most " + std::to_string(size) +
               " bytes, got offset " + std::to_string(buffer->offset()) + " and length " +
               std::to_string(buffer->length()));
  if (buffer->offset() < body_end_) return bad("has " + std::string(what) + " that overlaps another buffer");
  body_end_ = buffer->offset() + buffer->length();
  const Bytes raw = body_.bytes.subspan(static_cast<size_t>(buffer->offset()), static_cast<size_t>(buffer->length()));
  return batch_.compression() != nullptr ? decompressed(raw, what) : Result<Bytes>(raw);
}

/// The first `length` bytes, aligned; in our own memory where the file under them could change (align 0: only that).
Result<Bytes> Walk::pinned(Bytes bytes, int64_t align, int64_t length) {
  bytes = bytes.first(static_cast<size_t>(length));
  const bool aligned = align == 0 || reinterpret_cast<uintptr_t>(bytes.data()) % static_cast<uintptr_t>(align) == 0;
  if (aligned && body_.stable) return bytes;
  MODNET_ASSIGN(const ArrowMemory memory, arrow_memory(length));
  if (length != 0) std::memcpy(memory.data, bytes.data(), bytes.size());
  out_.owners.push_back(memory.owner);
  return Bytes(memory.data, bytes.size());
}

Status Walk::validity(const Node& at, const uint8_t** bits, int64_t* null_count) {
  MODNET_ASSIGN(Bytes map, buffer("a validity bitmap"));
  *null_count = at.nulls;
  *bits = nullptr;
  if (at.nulls == 0) return ok();
  const int64_t need = at.length / 8 + (at.length % 8 != 0 ? 1 : 0);
  if (static_cast<int64_t>(map.size()) < need)
    return bad("has a validity bitmap of " + std::to_string(map.size()) + " bytes; expected " + std::to_string(need));
  MODNET_ASSIGN(map, pinned(map, 0, need));
  *bits = reinterpret_cast<const uint8_t*>(map.data());
  int64_t set = 0;
  for (int64_t i = 0; i < need; ++i) {
    uint8_t byte = (*bits)[i];
    if (i == at.length / 8) byte &= static_cast<uint8_t>((1U << (at.length % 8)) - 1);
    set += std::popcount(byte);
  }
  if (at.length - set != at.nulls)
    return bad("has " + std::to_string(at.length - set) + " nulls in its bitmap; expected " + std::to_string(at.nulls));
  return ok();
}

template <typename T>
Status Walk::check_offsets(const T* offsets, int64_t rows) const {
  T falls = offsets[0] < 0 ? 1 : 0;
  for (int64_t i = 0; i < rows; ++i) falls |= offsets[i + 1] < offsets[i] ? 1 : 0;
  return falls == 0 ? ok() : Status(bad("has offsets that are negative or fall"));
}

Status Walk::offsets(const ArrowField& field, ArrowColumn& column) {
  static constexpr int64_t kNone[2] = {0, 0};
  MODNET_ASSIGN(Bytes raw, buffer("offsets"));
  if (column.rows == 0) {
    column.offsets64 = kNone;
    return ok();
  }
  const bool large = field.type == ArrowType::kLargeUtf8 || field.type == ArrowType::kLargeList;
  const int64_t size = large ? 8 : 4;
  if (static_cast<int64_t>(raw.size()) / size - 1 < column.rows)
    return bad("has " + std::to_string(raw.size()) + " bytes of offsets; expected " + std::to_string(column.rows) +
               " + 1 of " + std::to_string(size));
  MODNET_ASSIGN(raw, pinned(raw, size, (column.rows + 1) * size));
  if (large) {
    column.offsets64 = reinterpret_cast<const int64_t*>(raw.data());
    return check_offsets(column.offsets64, column.rows);
  }
  column.offsets32 = reinterpret_cast<const int32_t*>(raw.data());
  return check_offsets(column.offsets32, column.rows);
}

/// `count` elements: viewed in place; bools are unpacked to a byte each.
Status Walk::elements(const ArrowField& field, ArrowColumn& column, int64_t count) {
  MODNET_ASSIGN(Bytes raw, buffer("values"));
  const bool bits = field.value == DType::kBool;
  int64_t need = bits ? count / 8 + (count % 8 != 0 ? 1 : 0) : 0;
  if (!bits && !checked_mul(count, dtype_size(field.value), &need)) return bad("has too many values");
  if (static_cast<int64_t>(raw.size()) < need)
    return bad("has " + std::to_string(raw.size()) + " bytes of values; expected " + std::to_string(need));
  if (!bits) {
    raw = raw.first(static_cast<size_t>(need));
    if (reinterpret_cast<uintptr_t>(raw.data()) % static_cast<uintptr_t>(dtype_size(field.value)) != 0) {
      MODNET_ASSIGN(const ArrowMemory memory, arrow_memory(need));
      std::memcpy(memory.data, raw.data(), raw.size());
      out_.owners.push_back(memory.owner);
      raw = Bytes(memory.data, raw.size());
    }
    column.data = raw.data();
    return ok();
  }
  MODNET_ASSIGN(const ArrowMemory memory, expand(count));
  for (int64_t i = 0; i < count; ++i) memory.data[i] = (raw[static_cast<size_t>(i >> 3)] >> (i & 7)) & std::byte{1};
  column.data = memory.data;
  return ok();
}

/// The node and values of a list's elements. Rows that have a value must not hold nulls.
Status Walk::child(const ArrowField& field, ArrowColumn& column) {
  MODNET_ASSIGN(const Node at, node());
  const uint8_t* bits = nullptr;
  int64_t nulls = 0;
  MODNET_TRY(validity(at, &bits, &nulls));
  int64_t need = 0;
  if (field.is_fixed()) {
    if (!checked_mul(column.rows, field.width, &need)) return bad("has too many values");
  } else if (column.rows > 0) {
    need = column.range(column.rows - 1).second;
  }
  if (at.length < need)
    return bad("has " + std::to_string(at.length) + " values in its lists; expected " + std::to_string(need));
  MODNET_TRY(elements(field, column, at.length));
  if (nulls == 0) return ok();
  for (int64_t row = 0; row < column.rows; ++row) {
    if (!column.valid(row)) continue;
    const auto [begin, end] = column.range(row);
    for (int64_t i = begin; i < end; ++i)
      if (((bits[i >> 3] >> (i & 7)) & 1) == 0)
        return Error{Code::kInvalid, "ARROW_NULL_ITEM", "column '" + column_ + "' has a null inside the list of row " +
                     std::to_string(row) + " of a batch", {}, {}, "fill the nulls before writing"};
  }
  return ok();
}

Status Walk::text(const ArrowField& field, ArrowColumn& column) {
  MODNET_TRY(offsets(field, column));
  MODNET_ASSIGN(const Bytes raw, buffer("text"));
  column.data = raw.data();
  if (column.rows == 0) return ok();
  const int64_t begin = column.range(0).first, end = column.range(column.rows - 1).second;
  if (end > static_cast<int64_t>(raw.size()))
    return bad("has offsets past its " + std::to_string(raw.size()) + " bytes of text");
  const std::string_view all = as_text(raw).substr(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
  bool whole = is_utf8(all);
  for (int64_t row = 0; whole && row < column.rows; ++row) {
    const int64_t at = column.range(row).first - begin;
    whole = at == end - begin || (static_cast<uint8_t>(all[static_cast<size_t>(at)]) & 0xC0) != 0x80;
  }
  if (whole) return ok();
  for (int64_t row = 0; row < column.rows; ++row)  // a row without a value may hold anything
    if (!is_utf8(column.utf8(row)))
      return bad("has text that is not UTF-8 in row " + std::to_string(row) + " of a batch");
  return ok();
}

template <typename T>
bool indices_ok(const ArrowColumn& column) {
  const T* numbers = static_cast<const T*>(column.indices);
  for (int64_t row = 0; row < column.rows; ++row)
    if (column.valid(row) && (numbers[row] < T{0} || static_cast<uint64_t>(numbers[row]) >=
                                                         static_cast<uint64_t>(column.dictionary_size)))
      return false;
  return true;
}

bool check_indices(const ArrowColumn& column) {
  switch (column.index_type) {
    case DType::kI8: return indices_ok<int8_t>(column);
    case DType::kI16: return indices_ok<int16_t>(column);
    case DType::kI32: return indices_ok<int32_t>(column);
    case DType::kI64: return indices_ok<int64_t>(column);
    case DType::kU8: return indices_ok<uint8_t>(column);
    case DType::kU16: return indices_ok<uint16_t>(column);
    case DType::kU32: return indices_ok<uint32_t>(column);
    default: return indices_ok<uint64_t>(column);
  }
}

Status Walk::encoded(const ArrowField& field, const WireDictionary& encoding, const ArrowDictionaries& dictionaries,
                     ArrowColumn& column) {
  ArrowField numbers = field;
  numbers.value = encoding.index;
  MODNET_TRY(elements(numbers, column, column.rows));
  const int64_t size = dtype_size(encoding.index);
  MODNET_ASSIGN(const Bytes raw,
                pinned({column.data, static_cast<size_t>(column.rows * size)}, size, column.rows * size));
  static const int8_t kNone = 0;
  column.indices = raw.data() != nullptr ? static_cast<const void*>(raw.data()) : &kNone;
  column.index_type = encoding.index;
  const auto found = dictionaries.find(encoding.id);
  if (found == dictionaries.end()) {
    if (column.null_count != column.rows) return bad("has a dictionary that did not come before its batch");
    column.dictionary_size = 0;
    column.data = nullptr;
    return ok();
  }
  const std::shared_ptr<ArrowDictionary>& dictionary = found->second;
  column.dictionary_size = static_cast<int64_t>(dictionary->offsets.size()) - 1;
  column.offsets64 = dictionary->offsets.data();
  column.data = reinterpret_cast<const std::byte*>(dictionary->text.data());
  out_.owners.push_back(dictionary);
  return check_indices(column) ? ok() : Status(bad("has a number that its dictionary does not have"));
}

Status Walk::column(const ArrowField& field, const WireDictionary& encoding, const ArrowDictionaries& dictionaries,
                    ArrowColumn& column) {
  column_ = escape_text(field.name.substr(0, 64));
  column.type = field.type;
  column.value = field.value;
  column.width = field.is_fixed() ? field.width : 1;
  column.rows = out_.rows;
  MODNET_ASSIGN(const Node at, node());
  if (at.length != out_.rows)
    return bad("has " + std::to_string(at.length) + " rows; expected " + std::to_string(out_.rows));
  if (field.type == ArrowType::kNull) {
    column.null_count = column.rows;
    return ok();
  }
  MODNET_TRY(validity(at, &column.validity, &column.null_count));
  if (encoding.used) return encoded(field, encoding, dictionaries, column);
  if (field.is_text()) return text(field, column);
  if (field.type == ArrowType::kValue) return elements(field, column, column.rows);
  if (field.is_list()) MODNET_TRY(offsets(field, column));
  return child(field, column);
}

}  // namespace

Result<ArrowBatch> decode_batch(const wire::RecordBatch& batch, const std::vector<ArrowField>& fields,
                                const std::vector<WireDictionary>& encodings, const ArrowDictionaries& dictionaries,
                                const FeedBytes& body, int64_t slack) {
  ArrowBatch out;
  out.owners.push_back(body.owner);
  out.columns.resize(fields.size());
  Walk walk(batch, body, slack, out);
  MODNET_TRY(walk.begin());
  for (size_t i = 0; i < fields.size(); ++i)
    MODNET_TRY(walk.column(fields[i], encodings[i], dictionaries, out.columns[i]));
  MODNET_TRY(walk.finish());
  return out;
}

Status decode_dictionary(const wire::DictionaryBatch& message, const WireSchema& schema, const FeedBytes& body,
                         int64_t slack, ArrowDictionaries& dictionaries) {
  const ArrowField* owner = nullptr;
  for (size_t i = 0; i < schema.dictionaries.size() && owner == nullptr; ++i)
    if (schema.dictionaries[i].used && schema.dictionaries[i].id == message.id()) owner = &schema.schema.fields[i];
  const std::string id = std::to_string(message.id());
  if (owner == nullptr) return malformed("a dictionary has id " + id + ", which no column has");
  if (message.data() == nullptr) return malformed("dictionary " + id + " has no data");
  MODNET_ASSIGN(const ArrowBatch batch, decode_batch(*message.data(), {*owner}, {WireDictionary{}}, {}, body, slack));
  const ArrowColumn& values = batch.columns[0];
  if (values.null_count != 0)
    return Error{Code::kInvalid, "ARROW_NULL_ITEM", "dictionary " + id + " holds a null", {}, {},
                 "write the column as plain text"};
  std::shared_ptr<ArrowDictionary>& slot = dictionaries[message.id()];
  if (!message.is_delta()) {
    slot = std::make_shared<ArrowDictionary>();
  } else if (slot == nullptr) {
    return malformed("dictionary " + id + " is extended before it was there");
  } else if (slot.use_count() != 1) {
    slot = std::make_shared<ArrowDictionary>(*slot);  // batches handed out still use the shorter one
  }
  for (int64_t row = 0; row < values.rows; ++row) {
    slot->text += values.utf8(row);
    slot->offsets.push_back(static_cast<int64_t>(slot->text.size()));
  }
  return ok();
}

}  // namespace modnet
