// Writes the golden module files into a folder: make_golden tests/golden/files. Run by hand when a golden file is
// added; an existing one is never replaced, because a changed byte is a break of the format.
#include <cstdio>
#include <string>

#include "formats/base/output.h"
#include "tests/support/module_samples.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_golden FOLDER\n", stderr);
    return 2;
  }
  for (const modnet::test::Golden& golden : modnet::test::golden_modules()) {
    const std::string path = std::string(argv[1]) + "/" + golden.name + ".mnet";
    const modnet::Status written = modnet::write_file(path, modnet::as_bytes(golden.bytes), modnet::Overwrite::kNo);
    std::printf("%s %s\n", written.ok() ? "wrote" : "kept", path.c_str());
  }
  return 0;
}
