// Dependency files: the text for make and ninja, and the names that cannot stand in it.
#include "commands/depfile.h"

#include <doctest/doctest.h>

#include "tests/support/temp_dir.h"

using namespace modnet;

TEST_CASE("a rule names targets and inputs, and every input has a rule of its own") {
  const auto text = depfile_text({"out/encoder.mnet", "out/backbone.mnet"}, {"model/config.json", "model/a.bin"});
  REQUIRE(text.ok());
  CHECK(*text ==
        "out/encoder.mnet out/backbone.mnet: \\\n  model/config.json \\\n  model/a.bin\n\nmodel/config.json:\n\nmodel/a.bin:\n");
  CHECK(depfile_text({"x"}, {}).value() == "x:\n");
}

TEST_CASE("names are escaped as gcc does") {
  CHECK(depfile_text({"x"}, {"a b#c$d:e.tsv"}).value() == "x: \\\n  a\\ b\\#c$$d\\:e.tsv\n\na\\ b\\#c$$d\\:e.tsv:\n");
  CHECK(depfile_text({"o p"}, {"wörter.txt"}).value() == "o\\ p: \\\n  wörter.txt\n\nwörter.txt:\n");
}

TEST_CASE("a name that make or ninja would read as something else is refused") {
  for (const std::string name : {"a\nb", "a\tb", "a=b", "a;b", "a|b", "a%b", "a*b", "a?b", "a[1]", "~a", "a\\b", "a&b", "a'b", "a\"b", "lib(x)", "a<b", "a`b", "a\rb", ""}) {
    CAPTURE(name);
    const auto input = depfile_text({"x"}, {name});
    REQUIRE(!input.ok());
    CHECK(input.error().code == Code::kUsage);
    CHECK(!depfile_text({name}, {"x"}).ok());
  }
}

TEST_CASE("a target is no input of itself, an input counts once, and redirections have no name") {
  CHECK(depfile_text({"x"}, {"x", "a", "a", "/dev/stdin", "/proc/self/fd/0"}).value() == "x: \\\n  a\n\na:\n");
}

TEST_CASE("a path is shortened where that names the same file, and not through a link that leads elsewhere") {
  const test::TempDir dir;
  std::filesystem::create_directories(dir / "a/deep");
  std::filesystem::create_directory_symlink(dir / "a/deep", dir / "link");
  const std::string b = dir.write("b", "1");
  dir.write("a/b", "2");
  CHECK(depfile_text({"x"}, {dir / "a/../b", dir / ".//b"}).value() == "x: \\\n  " + b + "\n\n" + b + ":\n");
  CHECK(depfile_text({"x"}, {dir / "link/../b"}).value() == "x: \\\n  " + (dir / "link/../b") + "\n\n" + (dir / "link/../b") + ":\n");
  CHECK(depfile_text({"./x"}, {"x"}).value() == "x:\n");
}
