// The header is parsed with a SAX handler, because a DOM would drop duplicate keys before they can be refused.
#include "formats/weights/safetensors.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "formats/base/limits.h"
#include "formats/base/text.h"

namespace modnet {
namespace {

constexpr int64_t kMaxHeader = 100'000'000;  // as in the reference implementation
constexpr int64_t kMaxMetadata = 1 << 16;    // entries; each may cost ten times its bytes

struct Named {
  std::string_view name;
  DType dtype;
};
constexpr std::array<Named, 13> kDtypes = {{{"BOOL", DType::kBool}, {"I8", DType::kI8}, {"I16", DType::kI16},
                                            {"I32", DType::kI32}, {"I64", DType::kI64}, {"U8", DType::kU8},
                                            {"U16", DType::kU16}, {"U32", DType::kU32}, {"U64", DType::kU64},
                                            {"F16", DType::kF16}, {"BF16", DType::kBF16}, {"F32", DType::kF32},
                                            {"F64", DType::kF64}}};

std::string show(std::string_view name) { return "'" + escape_text(name) + "'"; }

/// A tensor's entry while its offsets are still numbers.
struct Entry {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  std::array<int64_t, 2> offsets{};
};

/// Expects {NAME: {"dtype": string, "shape": [uint…], "data_offsets": [uint, uint]}, "__metadata__": {string: string}}
/// and nothing else. Every callback returns false to stop, after `error` was set.
struct HeaderSax {
  enum class Field : uint8_t { kNone = 0, kDtype = 1, kShape = 2, kOffsets = 4 };

  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
  std::optional<Error> error;
  int depth = 0;
  bool in_metadata = false, seen_metadata = false, in_array = false;
  std::string metadata_key;
  Field field = Field::kNone;
  unsigned seen = 0;
  size_t offsets = 0;

  bool fail(std::string what) {
    error = malformed(std::move(what), "header");
    return false;
  }
  std::string place() const {
    if (in_metadata) return "'__metadata__'";
    return entries.empty() ? "the header" : "tensor " + show(entries.back().name);
  }
  bool wrong_type(std::string_view got) {
    return fail(place() + ": a " + std::string(got) + " where the format has none");
  }

  bool null() { return wrong_type("null"); }
  bool boolean(bool) { return wrong_type("boolean"); }
  bool number_integer(int64_t) { return wrong_type("negative number"); }
  bool number_float(double, const std::string&) { return wrong_type("fraction, or number beyond 64 bits,"); }
  bool binary(nlohmann::json::binary_t&) { return wrong_type("binary value"); }

  bool number_unsigned(uint64_t value) {
    if (!in_array) return wrong_type("number");
    if (value > static_cast<uint64_t>(INT64_MAX)) return fail(place() + ": a number beyond 2^63");
    Entry& entry = entries.back();
    if (field == Field::kShape) {
      if (entry.shape.size() >= static_cast<size_t>(kMaxRank))
        return fail(place() + ": rank above " + std::to_string(kMaxRank));
      entry.shape.push_back(static_cast<int64_t>(value));
    } else {
      if (offsets == 2) return fail(place() + ": expected 2 data_offsets, got more");
      entry.offsets[offsets++] = static_cast<int64_t>(value);
    }
    return true;
  }

  bool string(std::string& value) {
    if (depth == 2 && in_metadata) {
      if (!metadata.emplace(metadata_key, value).second)
        return fail("'__metadata__': key " + show(metadata_key) + " twice");
      return static_cast<int64_t>(metadata.size()) <= kMaxMetadata || fail("'__metadata__': over 65536 keys");
    }
    if (depth != 2 || in_array || field != Field::kDtype) return wrong_type("string");
    entries.back().dtype = value;
    return true;
  }

  bool key(std::string& value) {
    if (depth == 1) {
      in_metadata = value == "__metadata__";
      if (in_metadata) {
        if (std::exchange(seen_metadata, true)) return fail("'__metadata__' twice");
        return true;
      }
      if (static_cast<int64_t>(entries.size()) >= kMaxTensors) return fail("over 2^20 tensors");
      if (value.empty()) return fail("a tensor without a name");
      if (static_cast<int64_t>(value.size()) > kMaxNameBytes)
        return fail("a tensor's name of " + std::to_string(value.size()) + " bytes; expected at most " +
                    std::to_string(kMaxNameBytes));
      entries.emplace_back().name = value;
      seen = 0;
      offsets = 0;
      return true;
    }
    if (in_metadata) {
      metadata_key = value;
      return true;
    }
    field = value == "dtype" ? Field::kDtype
            : value == "shape" ? Field::kShape
            : value == "data_offsets" ? Field::kOffsets
                                      : Field::kNone;
    if (field == Field::kNone) return fail(place() + ": unknown key " + show(value.substr(0, 64)));
    if (seen & static_cast<unsigned>(field)) return fail(place() + ": key " + show(value) + " twice");
    seen |= static_cast<unsigned>(field);
    return true;
  }

  bool start_object(size_t) {
    if (in_array || depth >= 2) return wrong_type("nested object");
    ++depth;
    return true;
  }
  bool end_object() {
    if (depth == 2 && !in_metadata) {
      if (seen != 7) return fail(place() + ": expected dtype, shape and data_offsets");
      if (offsets != 2) return fail(place() + ": expected 2 data_offsets, got " + std::to_string(offsets));
    }
    --depth;
    return true;
  }
  bool start_array(size_t) {
    if (depth != 2 || in_metadata || in_array || (field != Field::kShape && field != Field::kOffsets))
      return wrong_type("list");
    in_array = true;
    return true;
  }
  bool end_array() {
    in_array = false;
    return true;
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    error = malformed("the header is not valid JSON", "offset " + std::to_string(8 + position));
    return false;
  }
};

Result<ForeignTensor> resolve(Entry&& entry, Bytes data) {
  const Named* known = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const Named& n) { return n.name == entry.dtype; });
  if (known == kDtypes.end())
    return invalid("tensor " + show(entry.name) + " has dtype " + show(entry.dtype.substr(0, 32)) +
                       ", which this build does not know",
                   "convert it to one of BOOL, I8 to I64, U8 to U64, F16, BF16, F32, F64");
  // A zero dim makes the product 0 only after every other dim was multiplied: overflow is refused in any order.
  int64_t size = dtype_size(known->dtype);
  bool empty = false;
  for (const int64_t dim : entry.shape) {
    empty = empty || dim == 0;
    if (!checked_mul(size, dim == 0 ? 1 : dim, &size))
      return malformed("tensor " + show(entry.name) + ": the shape's product is beyond 2^63", "header");
  }
  if (empty) size = 0;
  const auto [begin, end] = entry.offsets;
  if (begin > end || end > static_cast<int64_t>(data.size()))
    return malformed("tensor " + show(entry.name) + ": data_offsets [" + std::to_string(begin) + ", " +
                         std::to_string(end) + "] end past the " + std::to_string(data.size()) + " bytes of data",
                     "header");
  if (end - begin != size)
    return malformed("tensor " + show(entry.name) + ": expected " + std::to_string(size) +
                         " bytes from its shape and dtype, got " + std::to_string(end - begin) + " from its data_offsets",
                     "header");
  const Bytes view = data.subspan(static_cast<size_t>(begin), static_cast<size_t>(size));
  if (known->dtype == DType::kBool && std::any_of(view.begin(), view.end(), [](std::byte b) { return b > std::byte{1}; }))
    return malformed("tensor " + show(entry.name) + ": a BOOL that is neither 0 nor 1");
  return ForeignTensor{std::move(entry.name), known->dtype, std::move(entry.shape), view};
}

/// In the order of offsets, every tensor must begin where the one before ended, and the last must end the file.
Status check_layout(std::vector<Entry>& entries, int64_t data_size) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.offsets < b.offsets; });
  int64_t at = 0;
  for (const Entry& entry : entries) {
    const int64_t begin = entry.offsets[0];
    if (begin < at)
      return malformed("tensor " + show(entry.name) + " overlaps another; expected its data at " + std::to_string(at) +
                           " or later, got " + std::to_string(begin), "header");
    if (begin > at)
      return malformed("a hole of " + std::to_string(begin - at) + " bytes before tensor " + show(entry.name), "header");
    if (entry.offsets[1] < begin)
      return malformed("tensor " + show(entry.name) + ": data_offsets run backwards", "header");
    at = entry.offsets[1];
  }
  if (at > data_size)
    return malformed("tensor " + show(entries.back().name) + " ends past the file; expected " + std::to_string(at) +
                         " bytes of data, got " + std::to_string(data_size), "header");
  if (at < data_size)
    return malformed(std::to_string(data_size - at) + " bytes after the last tensor belong to none");
  return ok();
}

}  // namespace

const ForeignTensor* Safetensors::find(std::string_view name) const {
  const std::vector<ForeignTensor>::const_iterator at =
      std::lower_bound(tensors.begin(), tensors.end(), name,
                       [](const ForeignTensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
  return at != tensors.end() && at->name == name ? &*at : nullptr;
}

Result<Safetensors> read_safetensors(Bytes file) {
  Reader reader(file);
  MODNET_ASSIGN(const uint64_t length, reader.number<uint64_t>("the header's length"));
  if (length > static_cast<uint64_t>(kMaxHeader))
    return malformed("not a safetensors file: a header of " + std::to_string(length) + " bytes; expected at most " +
                         std::to_string(kMaxHeader), "offset 0");
  MODNET_ASSIGN(const Bytes raw, reader.take(static_cast<int64_t>(length), "the header"));
  MODNET_ASSIGN(const Bytes data, reader.take(reader.remaining(), "the data"));
  const std::string_view header = as_text(raw);
  if (header.empty() || header.front() != '{')
    return malformed("not a safetensors file: expected a header that begins with '{'", "offset 8");
  if (const size_t nul = header.find('\0'); nul != header.npos)  // the parser would take it for the end
    return malformed("the header is not valid JSON", "offset " + std::to_string(8 + nul));
  HeaderSax sax;
  if (!nlohmann::json::sax_parse(header.begin(), header.end(), &sax))
    return sax.error ? std::move(*sax.error) : malformed("the header is not valid JSON", "offset 8");

  Safetensors out;
  out.metadata = std::move(sax.metadata);
  MODNET_TRY(check_layout(sax.entries, static_cast<int64_t>(data.size())));
  out.tensors.reserve(sax.entries.size());
  for (Entry& entry : sax.entries) {
    MODNET_ASSIGN(ForeignTensor tensor, resolve(std::move(entry), data));
    out.tensors.push_back(std::move(tensor));
  }
  std::sort(out.tensors.begin(), out.tensors.end(),
            [](const ForeignTensor& a, const ForeignTensor& b) { return a.name < b.name; });
  for (size_t i = 1; i < out.tensors.size(); ++i)
    if (out.tensors[i].name == out.tensors[i - 1].name)
      return malformed("tensor " + show(out.tensors[i].name) + " twice", "header");
  return out;
}

}  // namespace modnet
