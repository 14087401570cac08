#include "formats/base/text.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace modnet {
namespace {

/// Length of the well-formed sequence at text[i] with its code point, or 0.
int decode_one(std::string_view text, size_t i, uint32_t* code_point) {
  const auto at = [&](size_t k) -> uint32_t { return k < text.size() ? static_cast<uint8_t>(text[k]) : 0u; };
  const uint32_t a = at(i);
  if (a < 0x80) {
    *code_point = a;
    return 1;
  }
  const auto tail = [&](size_t k) { return (at(k) & 0xc0u) == 0x80u; };
  if (a >= 0xc2 && a <= 0xdf && tail(i + 1)) {
    *code_point = (a & 0x1fu) << 6 | (at(i + 1) & 0x3fu);
    return 2;
  }
  if (a >= 0xe0 && a <= 0xef && tail(i + 1) && tail(i + 2)) {
    const uint32_t cp = (a & 0xfu) << 12 | (at(i + 1) & 0x3fu) << 6 | (at(i + 2) & 0x3fu);
    if (cp < 0x800 || (cp >= 0xd800 && cp <= 0xdfff)) return 0;
    *code_point = cp;
    return 3;
  }
  if (a >= 0xf0 && a <= 0xf4 && tail(i + 1) && tail(i + 2) && tail(i + 3)) {
    const uint32_t cp =
        (a & 7u) << 18 | (at(i + 1) & 0x3fu) << 12 | (at(i + 2) & 0x3fu) << 6 | (at(i + 3) & 0x3fu);
    if (cp < 0x10000 || cp > 0x10ffff) return 0;
    *code_point = cp;
    return 4;
  }
  return 0;
}

bool unsafe(uint32_t cp) {
  return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x61c || (cp >= 0x200e && cp <= 0x200f) ||
         (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

int64_t utf8_error(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    if (static_cast<uint8_t>(text[i]) < 0x80) {
      ++i;
      continue;
    }
    uint32_t cp = 0;
    const int n = decode_one(text, i, &cp);
    if (n == 0) return static_cast<int64_t>(i);
    i += static_cast<size_t>(n);
  }
  return -1;
}

std::string escape_text(std::string_view text) {
  // Nearly all names are printable ASCII, and checks compose a message's subject for each record that they look at.
  const auto plain = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string out;
  out.reserve(text.size());
  std::array<char, 16> buffer{};
  for (size_t i = 0; i < text.size();) {
    uint32_t cp = 0;
    const int n = decode_one(text, i, &cp);
    if (n == 0) {
      std::snprintf(buffer.data(), buffer.size(), "\\x%02x", static_cast<unsigned>(static_cast<uint8_t>(text[i])));
      out += buffer.data();
      ++i;
      continue;
    }
    if (unsafe(cp)) {
      if (cp == '\n') out += "\\n";
      else if (cp == '\t') out += "\\t";
      else if (cp == '\r') out += "\\r";
      else {
        std::snprintf(buffer.data(), buffer.size(), cp < 0x80 ? "\\x%02x" : "\\u{%04x}", static_cast<unsigned>(cp));
        out += buffer.data();
      }
    } else {
      out.append(text.substr(i, static_cast<size_t>(n)));
    }
    i += static_cast<size_t>(n);
  }
  return out;
}

std::string escape_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  std::array<char, 16> buffer{};
  for (size_t i = 0; i < json.size();) {
    uint32_t cp = 0;
    const int n = std::max(1, decode_one(json, i, &cp));
    // Below 0x7f: the white space between values, or escaped already.
    if ((cp >= 0x7f && unsafe(cp)) || json.substr(i).starts_with("##[")) {
      std::snprintf(buffer.data(), buffer.size(), "\\u%04x", static_cast<unsigned>(cp));
      out += buffer.data();
    } else {
      out.append(json.substr(i, static_cast<size_t>(n)));
    }
    i += static_cast<size_t>(n);
  }
  return out;
}

std::string base64_encode(Bytes bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '=');
  char* to = out.data();
  for (size_t i = 0; i < bytes.size(); i += 3, to += 4) {
    const size_t n = std::min<size_t>(3, bytes.size() - i);
    uint32_t word = 0;
    for (size_t k = 0; k < n; ++k) word |= static_cast<uint32_t>(bytes[i + k]) << (16 - 8 * k);
    for (size_t k = 0; k <= n; ++k) to[k] = kBase64[(word >> (18 - 6 * k)) & 63u];
  }
  return out;
}

Result<std::string> base64_decode(std::string_view text) {
  static constexpr uint8_t kNone = 64;
  static constexpr std::array<uint8_t, 256> kValues = [] {
    std::array<uint8_t, 256> values{};
    values.fill(kNone);
    for (uint8_t i = 0; i < kNone; ++i) values[static_cast<uint8_t>(kBase64[i])] = i;
    return values;
  }();
  if (text.size() % 4 != 0) return malformed("base64 text is not a multiple of 4 characters long");
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    size_t pad = 0;
    if (i + 4 == text.size()) pad = text[i + 3] != '=' ? 0u : text[i + 2] != '=' ? 1u : 2u;
    uint32_t word = 0;
    for (size_t k = 0; k < 4; ++k) {
      const uint8_t value = k >= 4 - pad ? 0 : kValues[static_cast<uint8_t>(text[i + k])];
      if (value == kNone) return malformed("not a base64 character", "offset " + std::to_string(i + k));
      word = word << 6 | value;
    }
    for (size_t k = 0; k < 3 - pad; ++k) out += static_cast<char>(word >> (16 - 8 * k) & 255u);
    if ((pad == 1 && (word & 0xffu)) || (pad == 2 && (word & 0xffffu))) return malformed("base64 text has stray bits at its end");
  }
  return out;
}

}  // namespace modnet
