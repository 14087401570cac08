#include "formats/weights/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <utility>

#include "formats/base/limits.h"
#include "formats/base/text.h"

namespace modnet {
namespace {

constexpr int64_t kMaxHeader = 64 << 10;
constexpr int64_t kMaxStrings = 1 << 24;
constexpr std::string_view kMagic("\x93NUMPY", 6);

struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;
};

/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } in any order, each key once, nothing else.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text, int64_t base) : text_(text), base_(base) {}

  Result<Header> parse() {
    Header out;
    unsigned seen = 0;
    MODNET_TRY(expect('{'));
    while (!accept('}')) {
      MODNET_ASSIGN(const std::string key, string());
      MODNET_TRY(expect(':'));
      const unsigned bit = key == "descr" ? 1u : key == "fortran_order" ? 2u : key == "shape" ? 4u : 0u;
      if (bit == 0) return error("unknown key '" + escape_text(key) + "'");
      if (seen & bit) return error("key '" + key + "' twice");
      seen |= bit;
      if (bit == 1) {
        skip();
        if (at_ < text_.size() && (text_[at_] == '[' || text_[at_] == '('))
          return invalid("a structured dtype has no meaning here", "save one field as a plain array");
        MODNET_ASSIGN(out.descr, string());
      } else if (bit == 2) {
        MODNET_ASSIGN(out.fortran, boolean());
      } else {
        MODNET_ASSIGN(out.shape, tuple());
      }
      if (!accept(',')) {
        MODNET_TRY(expect('}'));
        break;
      }
    }
    skip();
    if (at_ != text_.size()) return error("text after the closing brace");
    if (seen != 7) return error("expected descr, fortran_order and shape");
    return out;
  }

 private:
  Error error(std::string what) const {
    return malformed("npy header: " + std::move(what), "offset " + std::to_string(base_ + static_cast<int64_t>(at_)));
  }
  void skip() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool accept(char c) {
    skip();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Status expect(char c) {
    if (!accept(c)) return error(std::string("expected '") + c + "'");
    return ok();
  }
  Result<std::string> string() {
    skip();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') return error("expected a string");
    const size_t end = text_.find(quote, at_ + 1);
    if (end == text_.npos) return error("a string without an end");
    std::string out(text_.substr(at_ + 1, end - at_ - 1));
    if (out.find('\\') != out.npos || out.size() > 64) return error("not a string that a header holds");
    at_ = end + 1;
    return out;
  }
  Result<bool> boolean() {
    skip();
    if (text_.substr(at_).starts_with("True")) {
      at_ += 4;
      return true;
    }
    if (!text_.substr(at_).starts_with("False")) return error("expected True or False");
    at_ += 5;
    return false;
  }
  Result<std::vector<int64_t>> tuple() {
    std::vector<int64_t> out;
    MODNET_TRY(expect('('));
    bool comma = false;
    while (!accept(')')) {
      if (!out.empty() && !comma) return error("expected ',' between dims");
      skip();
      int64_t dim = 0;
      const char* begin = text_.data() + at_;
      const auto [end, status] = std::from_chars(begin, text_.data() + text_.size(), dim);
      if (status == std::errc::result_out_of_range) return error("a dim beyond 2^63");
      if (status != std::errc() || dim < 0) return error("expected a dim of 0 or more");
      at_ += static_cast<size_t>(end - begin);
      if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2's long
      if (static_cast<int>(out.size()) == kMaxRank) return error("rank above " + std::to_string(kMaxRank));
      out.push_back(dim);
      comma = accept(',');
    }
    if (out.size() == 1 && !comma) return error("expected a tuple, got a number in brackets");
    return out;
  }

  std::string_view text_;
  int64_t base_;
  size_t at_ = 0;
};

struct Descr {
  DType dtype = DType::kInvalid;
  int64_t item = 0;  // bytes an item
  char kind = 0;
};

struct Row {
  std::string_view code;
  DType dtype;
};
constexpr std::array<Row, 12> kRows = {{{"b1", DType::kBool}, {"i1", DType::kI8}, {"i2", DType::kI16}, {"i4", DType::kI32},
                                        {"i8", DType::kI64}, {"u1", DType::kU8}, {"u2", DType::kU16}, {"u4", DType::kU32},
                                        {"u8", DType::kU64}, {"f2", DType::kF16}, {"f4", DType::kF32},
                                        {"f8", DType::kF64}}};

Result<Descr> parse_descr(std::string_view descr) {
  const std::string shown = "'" + escape_text(descr) + "'";
  if (descr.size() < 2 || std::string_view("<>|=").find(descr[0]) == std::string_view::npos)
    return malformed("npy header: descr " + shown + " is not a dtype");
  const char order = descr[0], kind = descr[1];
  if (kind == 'O') return invalid("dtype " + shown + " holds pickled Python objects, which are never evaluated",
                                  "save the array with a plain dtype, for example .astype(str) or .astype('<f4')");
  if (kind == 'U' || kind == 'S') {
    int64_t length = 0;
    const char* last = descr.data() + descr.size();
    const auto [end, status] = std::from_chars(descr.data() + 2, last, length);
    if (status != std::errc() || end != last || length < 0 || length > (int64_t{1} << 30))
      return malformed("npy header: descr " + shown + " is not a dtype");
    if (kind == 'U' && order == '>')
      return invalid("dtype " + shown + " is big-endian", "save the array with .astype('<U" + std::to_string(length) + "')");
    return Descr{DType::kUtf8, kind == 'U' ? length * 4 : length, kind};
  }
  for (const Row& row : kRows) {
    if (row.code != descr.substr(1)) continue;
    const int64_t size = dtype_size(row.dtype);
    if (order == '>' && size > 1)
      return invalid("dtype " + shown + " is big-endian", "save the array with .astype('<" + std::string(row.code) + "')");
    if (order == '|' && size > 1) return malformed("npy header: descr " + shown + " has no byte order");
    return Descr{row.dtype, size, kind};
  }
  return invalid("dtype " + shown + " has no counterpart here",
                 "save the array as bool, int8 to int64, uint8 to uint64, float16, float32, float64 or str");
}

void append_utf8(uint32_t cp, std::string& out) {
  if (cp < 0x80) {
    out += static_cast<char>(cp);
  } else if (cp < 0x800) {
    out += static_cast<char>(0xc0u | cp >> 6);
    out += static_cast<char>(0x80u | (cp & 0x3fu));
  } else if (cp < 0x10000) {
    out += static_cast<char>(0xe0u | cp >> 12);
    out += static_cast<char>(0x80u | (cp >> 6 & 0x3fu));
    out += static_cast<char>(0x80u | (cp & 0x3fu));
  } else {
    out += static_cast<char>(0xf0u | cp >> 18);
    out += static_cast<char>(0x80u | (cp >> 12 & 0x3fu));
    out += static_cast<char>(0x80u | (cp >> 6 & 0x3fu));
    out += static_cast<char>(0x80u | (cp & 0x3fu));
  }
}

Result<std::string> decode_item(Bytes item, char kind, int64_t index) {
  std::string out;
  if (kind == 'S') {
    const std::string_view text = as_text(item);
    const size_t last = text.find_last_not_of('\0');
    out = text.substr(0, last == text.npos ? 0 : last + 1);
    if (!is_utf8(out)) return malformed("item " + std::to_string(index) + " is not UTF-8");
    return out;
  }
  size_t length = item.size() / 4;
  const auto unit = [&](size_t i) {
    uint32_t cp = 0;
    std::memcpy(&cp, item.data() + 4 * i, 4);
    return cp;
  };
  while (length > 0 && unit(length - 1) == 0) --length;
  for (size_t i = 0; i < length; ++i) {
    const uint32_t cp = unit(i);
    if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
      return malformed("item " + std::to_string(index) + " is not Unicode text");
    append_utf8(cp, out);
  }
  return out;
}

}  // namespace

int64_t NpyArray::count() const {
  int64_t n = 1;
  for (const int64_t dim : shape) n *= dim;  // read_npy made sure that it fits
  return n;
}

Result<NpyArray> read_npy(Bytes file) {
  Reader reader(file);
  MODNET_ASSIGN(const Bytes magic, reader.take(8, "the npy magic and version"));
  if (as_text(magic.first(6)) != kMagic) return malformed("not an npy file: bad magic number", "offset 0");
  const int major = static_cast<int>(magic[6]);
  if (major < 1 || major > 3)
    return malformed("npy version " + std::to_string(major) + "; expected 1, 2 or 3", "offset 6");
  int64_t length = 0;
  if (major == 1) {
    MODNET_ASSIGN(length, reader.number<uint16_t>("the npy header's length"));
  } else {
    MODNET_ASSIGN(length, reader.number<uint32_t>("the npy header's length"));
  }
  if (length > kMaxHeader)
    return malformed("an npy header of " + std::to_string(length) + " bytes; expected at most " +
                         std::to_string(kMaxHeader), "offset 8");
  const int64_t header_at = reader.offset();
  MODNET_ASSIGN(const Bytes raw, reader.take(length, "the npy header"));
  MODNET_ASSIGN(Header header, HeaderParser(as_text(raw), header_at).parse());
  MODNET_ASSIGN(const Descr descr, parse_descr(header.descr));
  if (header.fortran && header.shape.size() > 1)
    return invalid("the array is in Fortran order; expected C order", "save it with numpy.ascontiguousarray(a)");

  // Checked without its zero dims, so that a shape whose parts overflow is refused in any order.
  int64_t count = 1, size = 0;
  for (const int64_t dim : header.shape)
    if (!checked_mul(count, std::max<int64_t>(dim, 1), &count))
      return malformed("npy header: the shape's product is beyond 2^63");
  if (std::find(header.shape.begin(), header.shape.end(), 0) != header.shape.end()) count = 0;
  if (!checked_mul(count, descr.item, &size)) return malformed("npy header: the shape's product is beyond 2^63");
  if (size != reader.remaining())
    return malformed("expected " + std::to_string(size) + " bytes of data from the shape and dtype, got " +
                         std::to_string(reader.remaining()), "offset " + std::to_string(reader.offset()));
  MODNET_ASSIGN(const Bytes data, reader.take(size, "the data"));

  NpyArray out{descr.dtype, std::move(header.shape), {}, {}};
  if (descr.dtype == DType::kUtf8) {
    // '<U0' items have no bytes: without this a shape alone could ask for any amount of memory.
    if (count > kMaxStrings || (descr.item == 0 && count > static_cast<int64_t>(file.size())))
      return malformed("npy header: " + std::to_string(count) + " strings of " + std::to_string(descr.item) +
                       " bytes; expected at most " + std::to_string(kMaxStrings));
    out.strings.reserve(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      MODNET_ASSIGN(std::string item, decode_item(data.subspan(static_cast<size_t>(i * descr.item),
                                                               static_cast<size_t>(descr.item)), descr.kind, i));
      out.strings.push_back(std::move(item));
    }
    return out;
  }
  if (descr.dtype == DType::kBool && std::any_of(data.begin(), data.end(), [](std::byte b) { return b > std::byte{1}; }))
    return malformed("a bool that is neither 0 nor 1");
  out.data = data;
  return out;
}

}  // namespace modnet
