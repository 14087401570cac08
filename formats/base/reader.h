// Little-endian reads from untrusted bytes: every read is bounds-checked, nothing is copied but numbers.
// Tested by tests/unit/base/reader_test.cc.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "formats/base/result.h"

namespace modnet {

using Bytes = std::span<const std::byte>;

[[nodiscard]] inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Walks forward through bytes. `bytes` must outlive the reader and every span that it hands out.
class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  [[nodiscard]] int64_t offset() const { return offset_; }
  [[nodiscard]] int64_t remaining() const { return static_cast<int64_t>(bytes_.size()) - offset_; }

  /// The next `n` bytes, or kMalformed naming `field` and the offset.
  [[nodiscard]] Result<Bytes> take(int64_t n, std::string_view field) {
    if (n < 0 || n > remaining())
      return malformed(std::string(field) + " ends past the data; expected " + std::to_string(n) + " more bytes, got " +
                           std::to_string(remaining()),
                       "offset " + std::to_string(offset_));
    const Bytes out = bytes_.subspan(static_cast<size_t>(offset_), static_cast<size_t>(n));
    offset_ += n;
    return out;
  }

  /// A little-endian number.
  template <typename T>
  [[nodiscard]] Result<T> number(std::string_view field) {
    static_assert(std::is_arithmetic_v<T> && std::endian::native == std::endian::little);
    MODNET_ASSIGN(const Bytes raw, take(sizeof(T), field));
    T value;
    std::memcpy(&value, raw.data(), sizeof(T));
    return value;
  }

 private:
  Bytes bytes_;
  int64_t offset_ = 0;
};

}  // namespace modnet
