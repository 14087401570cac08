// Column builders.
#include "formats/arrow/builder.h"

#include <doctest/doctest.h>

#include "tests/unit/arrow/support.h"

using namespace modnet;

TEST_CASE("a null after many values leaves the values before it valid") {
  ArrowColumnBuilder column(ArrowField::scalar("x", DType::kI64));
  std::vector<int64_t> many(100, 7);
  column.add_rows(std::span<const int64_t>(many));
  column.add_null();
  column.add<int64_t>(8);
  const ArrowColumn view = column.view();
  CHECK(view.rows == 102);
  CHECK(view.null_count == 1);
  for (int64_t row = 0; row < 102; ++row) CHECK(view.valid(row) == (row != 100));
  CHECK(view.items<int64_t>(100)[0] == 0);
  CHECK(view.items<int64_t>(101)[0] == 8);
}

TEST_CASE("appending slices gives the rows that were appended") {
  ArrowBatchBuilder source(test::every_type()), whole(test::every_type());
  test::add_rows(source, 0, 50);
  const ArrowBatch all = source.batch();
  for (int64_t at = 0; at < 50; at += 7) whole.append(all.slice(at, std::min<int64_t>(7, 50 - at)));
  const ArrowBatch copy = whole.batch();
  REQUIRE(copy.rows == 50);
  for (size_t i = 0; i < all.columns.size(); ++i)
    for (int64_t row = 0; row < 50; ++row) {
      CHECK(copy.columns[i].valid(row) == all.columns[i].valid(row));
      CHECK(as_text(copy.columns[i].bytes(row)) == as_text(all.columns[i].bytes(row)));
    }
}

TEST_CASE("a cleared builder begins anew") {
  ArrowBatchBuilder builder(test::every_type());
  test::add_rows(builder, 0, 9);
  builder.clear();
  CHECK(builder.rows() == 0);
  test::add_rows(builder, 5, 6);
  CHECK(builder.rows() == 1);
  CHECK(builder.batch().columns[0].utf8(0) == "row 5");
  CHECK(builder.batch().columns[0].null_count == 0);
}
