// Numbers and columns of a label. The label itself is tested by tests/cli/inspect-*. See commands/label.h.
#include "commands/label.h"

#include <doctest/doctest.h>

#include "tests/support/module_samples.h"

namespace modnet {
namespace {

TEST_CASE("sizes and counts have one decimal and the unit that keeps them short") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(999) == "999 B");
  CHECK(bytes_text(1000) == "1.0 kB");
  CHECK(bytes_text(999999) == "1.0 MB");
  CHECK(bytes_text(90264576) == "90.3 MB");
  CHECK(bytes_text(INT64_MAX) == "9.2 EB");
  CHECK(count_text(384) == "384");
  CHECK(count_text(22565376) == "22.6M");
  CHECK(count_text(1500) == "1.5k");
}

TEST_CASE("columns are counted in terminal cells and never run together") {
  CHECK(padded("ab", 4) == "ab  ");
  CHECK(padded("é≤", 4) == "é≤  ");
  CHECK(padded("abcd", 4) == "abcd ");
}

TEST_CASE("a component that several slots share is counted once") {
  for (const test::Golden& golden : test::golden_modules()) {
    if (golden.name != std::string("composite")) continue;
    const Result<ModuleView> view = ModuleView::open(as_bytes(golden.bytes));
    REQUIRE(view.ok());
    const Result<ModuleSummary> summary = summarize(*view);
    REQUIRE(summary.ok());
    CHECK(summary->tensors == 18);
    CHECK(summary->chain == "encoder → backbone → again, section");
    CHECK(summary->spaces.size() == 2);
    CHECK(summary->preparation.method == "wordpiece");
    return;
  }
  FAIL("no golden composite");
}

}  // namespace
}  // namespace modnet
