// Error lines and exit codes. What goes to which stream is tested by tests/cli. See commands/console.h, commands/exit.h.
#include "commands/console.h"

#include <doctest/doctest.h>

#include "commands/exit.h"

namespace modnet {
namespace {

TEST_CASE("every kind of failure has its documented exit code") {
  const auto code = [](Code kind) { return exit_code(Error{kind, "X", "x", {}, {}, {}}); };
  CHECK(code(Code::kNo) == 1);
  CHECK(code(Code::kUsage) == 2);
  CHECK(code(Code::kUnreadable) == 3);
  CHECK(code(Code::kMalformed) == 3);
  CHECK(code(Code::kInvalid) == 3);
  CHECK(code(Code::kDigest) == 4);
  CHECK(code(Code::kUnavailable) == 5);
  CHECK(code(Code::kInternal) == 70);
  CHECK(exit_code(Error{Code::kUnavailable, "READER_GONE", "x", {}, {}, {}}) == 141);
}

TEST_CASE("an error line has file, place, id, what and fix, and leaves out what is not known") {
  CHECK(error_line({Code::kMalformed, "MALFORMED", "bad magic", "offset 0", "m.mnet", "use another"}) ==
        "modnet: m.mnet:offset 0: MALFORMED: bad magic; use another");
  CHECK(error_line({Code::kUsage, "USAGE", "no command", {}, {}, {}}) == "modnet: USAGE: no command");
  CHECK(error_line({Code::kInvalid, "INVALID", "no rows", "row 3", {}, {}}) == "modnet: INVALID: row 3: no rows");
}

TEST_CASE("what comes from a file cannot drive the terminal or fake a second line") {
  const std::string line = error_line({Code::kMalformed, "MALFORMED", "name '\033[2J'", "x\ny", "a\nmodnet: ok", "\x9b"});
  for (const char c : line) CHECK(static_cast<unsigned char>(c) >= 0x20);
  CHECK(line.find('\x9b') == std::string::npos);
}

}  // namespace
}  // namespace modnet
