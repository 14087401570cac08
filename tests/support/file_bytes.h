// Bytes of foreign files, built by hand so that tests can break them in one place at a time.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace modnet::test {

/// `value` as little-endian bytes.
template <typename T>
[[nodiscard]] std::string le(T value) {
  static_assert(std::endian::native == std::endian::little);
  std::string out(sizeof(T), '\0');
  std::memcpy(out.data(), &value, sizeof(T));
  return out;
}

/// A safetensors file of this header and data.
[[nodiscard]] inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  return le<uint64_t>(header.size()) + std::string(header) + std::string(data);
}

/// An npy file, version 1, of this header literal (padded as NumPy does) and data.
[[nodiscard]] inline std::string npy_bytes(std::string_view literal, std::string_view data) {
  std::string header(literal);
  while ((10 + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + le<uint16_t>(static_cast<uint16_t>(header.size())) + header +
         std::string(data);
}

/// An IDX header: type code, then the dims.
template <typename... Dim>
[[nodiscard]] std::string idx_header(uint8_t type, Dim... dims) {
  std::string out("\0\0", 2);
  out += static_cast<char>(type);
  out += static_cast<char>(sizeof...(dims));
  ((out += le<uint32_t>(__builtin_bswap32(static_cast<uint32_t>(dims)))), ...);
  return out;
}

}  // namespace modnet::test
