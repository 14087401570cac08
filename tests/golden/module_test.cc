// The golden module files: written by this build to the same bytes, read to the same records.
#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <sstream>
#include <string>

#include "formats/base/file.h"
#include "formats/module/chunks.h"
#include "formats/module/index.h"
#include "formats/module/read.h"
#include "formats/module/verify.h"
#include "tests/support/module_samples.h"
#include "tests/support/skip.h"

using namespace modnet;

namespace {
const std::string kFolder = test::source_dir() + "/tests/golden/files";

std::string golden_file(const std::string& name) {
  Result<std::string> bytes = read_file(kFolder + "/" + name + ".mnet", 1 << 20);
  REQUIRE(bytes.ok());
  return *bytes;
}
}  // namespace

TEST_CASE("every golden file is written again byte for byte") {
  for (const test::Golden& golden : test::golden_modules()) {
    CAPTURE(golden.name);
    const std::string file = golden_file(golden.name);
    CHECK(file.size() < 20480);
    if (golden.compressed && zstd_version() != "1.5.4") {
      MESSAGE("compressed bytes are promised for zstd 1.5.4 only; this is " << zstd_version());
      continue;
    }
    CHECK(golden.bytes == file);
  }
}

TEST_CASE("every golden file opens, verifies and gives the records that wrote it") {
  for (const test::Golden& golden : test::golden_modules()) {
    CAPTURE(golden.name);
    const std::string file = golden_file(golden.name);
    const Result<ModuleView> view = ModuleView::open(as_bytes(file));
    REQUIRE(view.ok());
    const VerifyReport report = verify_module(*view, 2);
    for (const Error& error : report.failures) MESSAGE(error.what);
    CHECK(report.passed());
    const Result<ModuleView> written = ModuleView::open(as_bytes(golden.bytes));
    REQUIRE(written.ok());
    CHECK(view->digests().content == written->digests().content);
    CHECK(view->index().contract == written->index().contract);
    CHECK(view->index().graph == written->index().graph);
    CHECK(view->index().identity == written->index().identity);
  }
}

TEST_CASE("digests of golden files never change: digests.txt, which the independent reader checks as well") {
  const Result<std::string> table = read_file(test::source_dir() + "/tests/golden/digests.txt", 1 << 20);
  REQUIRE(table.ok());
  std::istringstream lines(*table);
  std::string name, content, file_digest;
  size_t count = 0;
  for (; lines >> name >> content >> file_digest; ++count) {
    CAPTURE(name);
    const std::string file = golden_file(name);
    const Result<ModuleView> view = ModuleView::open(as_bytes(file));
    REQUIRE(view.ok());
    CHECK(hex(view->digests().content) == content);
    CHECK(hex(view->digests().file) == file_digest);
  }
  CHECK(count == test::golden_modules().size());
}

TEST_CASE("there is no golden file without a sample that writes it") {
  std::set<std::string> names;
  for (const test::Golden& golden : test::golden_modules()) names.insert(golden.name + ".mnet");
  std::set<std::string> files;
  for (const std::filesystem::directory_entry& entry : std::filesystem::directory_iterator(kFolder))
    files.insert(entry.path().filename().string());
  CHECK(files == names);
}

TEST_CASE("compression changes the file, not the content") {
  const std::string raw_file = golden_file("backbone");
  const std::string packed_file = golden_file("backbone-zstd");
  const Result<ModuleView> raw = ModuleView::open(as_bytes(raw_file));
  const Result<ModuleView> packed = ModuleView::open(as_bytes(packed_file));
  REQUIRE(raw.ok());
  REQUIRE(packed.ok());
  CHECK(raw->digests().content == packed->digests().content);
  CHECK(raw->digests().file != packed->digests().file);
}
