// UTF-8 checks, escaping for terminals, base64 (RFC 4648 vectors).
#include "formats/base/text.h"

#include <doctest/doctest.h>

#include <string>

namespace modnet {
namespace {

TEST_CASE("every Unicode scalar value is UTF-8, and every surrogate is not") {
  int wrong = 0;
  for (uint32_t cp = 0; cp <= 0x110000; ++cp) {
    std::string text;
    if (cp < 0x80) text = {static_cast<char>(cp)};
    else if (cp < 0x800) text = {static_cast<char>(0xc0 | cp >> 6), static_cast<char>(0x80 | (cp & 0x3f))};
    else if (cp < 0x10000)
      text = {static_cast<char>(0xe0 | cp >> 12), static_cast<char>(0x80 | (cp >> 6 & 0x3f)),
              static_cast<char>(0x80 | (cp & 0x3f))};
    else
      text = {static_cast<char>(0xf0 | cp >> 18), static_cast<char>(0x80 | (cp >> 12 & 0x3f)),
              static_cast<char>(0x80 | (cp >> 6 & 0x3f)), static_cast<char>(0x80 | (cp & 0x3f))};
    const bool good = cp <= 0x10ffff && (cp < 0xd800 || cp > 0xdfff);
    wrong += is_utf8(text) == good ? 0 : 1;
  }
  CHECK(wrong == 0);
}

TEST_CASE("the first bad byte is found: overlong, cut off, lone, beyond") {
  CHECK(utf8_error("") == -1);
  CHECK(utf8_error("h\xc3\xa9llo") == -1);
  CHECK(utf8_error("ab\x80") == 2);
  CHECK(utf8_error("a\xc0\x80") == 1);
  CHECK(utf8_error("\xe0\x80\x80") == 0);
  CHECK(utf8_error("\xf0\x80\x80\x80") == 0);
  CHECK(utf8_error("abc\xe2\x82") == 3);
  CHECK(utf8_error("\xff") == 0);
  CHECK(utf8_error("\xf5\x80\x80\x80") == 0);
}

TEST_CASE("what could move a cursor, hide text or turn its direction is shown, not sent") {
  CHECK(escape_text("plain \xc3\xa9 \xe6\x97\xa5") == "plain \xc3\xa9 \xe6\x97\xa5");
  CHECK(escape_text("a\x1b[31mb\r\n\tc\x7f") == "a\\x1b[31mb\\r\\n\\tc\\x7f");
  CHECK(escape_text(std::string_view("\0", 1)) == "\\x00");
  CHECK(escape_text("\xe2\x80\xae") == "\\u{202e}");
  CHECK(escape_text("\xc2\x9b") == "\\u{009b}");
  CHECK(escape_text("\xe2\x80\xa8") == "\\u{2028}");
  CHECK(escape_text("\xef\xbb\xbf") == "\\u{feff}");
  CHECK(escape_text("\xff" "a\xc3") == "\\xffa\\xc3");
}

TEST_CASE("base64 gives the vectors of RFC 4648 both ways") {
  const std::pair<std::string_view, std::string_view> cases[] = {{"", ""},         {"f", "Zg=="},     {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},  {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : cases) {
    CHECK(base64_encode(as_bytes(plain)) == coded);
    CHECK(base64_decode(coded).value() == plain);
  }
}

TEST_CASE("base64 of every byte survives the round trip") {
  std::string bytes;
  for (int n = 0; n < 256; ++n) bytes += static_cast<char>(n);
  CHECK(base64_decode(base64_encode(as_bytes(bytes))).value() == bytes);
}

TEST_CASE("base64 refuses what no encoder writes") {
  for (const std::string_view bad : {"Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm9 ", "Zh==", "Zm9=", "Z-9_"})
    CHECK_MESSAGE(!base64_decode(bad).ok(), bad);
}

TEST_CASE("JSON text keeps its values and loses every character that a terminal would obey") {
  CHECK(escape_json("{\n  \"a\": \"\xc3\xa9 \xe2\x80\xae\xc2\x9b\x7f\xef\xbb\xbf\"\n}") == "{\n  \"a\": \"\xc3\xa9 \\u202e\\u009b\\u007f\\ufeff\"\n}");
  CHECK(escape_json("\"##[group]##\"") == "\"\\u0023#[group]##\"");
  CHECK(escape_json("\"\xf0\x9f\x99\x82\"") == "\"\xf0\x9f\x99\x82\"");
}

}  // namespace

}  // namespace modnet
