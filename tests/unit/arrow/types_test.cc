// Fields, schemas and column views.
#include "formats/arrow/types.h"

#include <doctest/doctest.h>

#include "formats/arrow/builder.h"

using namespace modnet;

TEST_CASE("a schema that would be ambiguous is refused") {
  ArrowSchema schema;
  schema.fields = {ArrowField::text("a"), ArrowField::scalar("b", DType::kF32)};
  CHECK(check_schema(schema).ok());
  SUBCASE("double names") { schema.fields[1].name = "a"; }
  SUBCASE("no name") { schema.fields[1].name = ""; }
  SUBCASE("long name") { schema.fields[1].name = std::string(513, 'x'); }
  SUBCASE("name that is not UTF-8") { schema.fields[1].name = "\xC0\x80"; }
  SUBCASE("bf16") { schema.fields[1].value = DType::kBF16; }
  SUBCASE("no type") { schema.fields[1].type = ArrowType::kInvalid; }
  SUBCASE("double metadata keys") { schema.metadata = {{"k", "1"}, {"k", "2"}}; }
  SUBCASE("metadata that is not text") { schema.metadata = {{"k", "\xFF"}}; }
  SUBCASE("shape that is not the width") {
    schema.fields[1] = ArrowField::tensor("b", DType::kU8, {2, 3});
    schema.fields[1].width = 7;
  }
  SUBCASE("negative dimension") { schema.fields[1] = ArrowField::tensor("b", DType::kU8, {-2, 3}); }
  SUBCASE("shape that overflows") { schema.fields[1] = ArrowField::tensor("b", DType::kU8, {1L << 40, 1L << 40}); }
  const Status status = check_schema(schema);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Code::kInvalid);
}

TEST_CASE("type names say element type and shape") {
  CHECK(ArrowField::tensor("x", DType::kU8, {28, 28}).type_name() == "tensor<u8>[28,28]");
  CHECK(ArrowField::fixed_list("x", DType::kF32, 384).type_name() == "fixed_size_list<f32>[384]");
  CHECK(ArrowField::list("x", DType::kI32).type_name() == "list<i32>");
  CHECK(ArrowField::text("x").type_name() == "utf8");
}

TEST_CASE("metadata is found and replaced by key") {
  ArrowSchema schema;
  CHECK(schema.get("k") == nullptr);
  schema.set("k", "1");
  schema.set("l", "2");
  schema.set("k", "3");
  REQUIRE(schema.get("k") != nullptr);
  CHECK(*schema.get("k") == "3");
  CHECK(schema.metadata.size() == 2);
  schema.fields = {ArrowField::text("a")};
  CHECK(schema.find("a") == 0);
  CHECK(schema.find("b") == -1);
}

TEST_CASE("a slice shows the same values as the rows it was cut from") {
  ArrowColumnBuilder text(ArrowField::text("t")), fixed(ArrowField::fixed_list("f", DType::kF32, 2));
  for (int row = 0; row < 20; ++row) {
    if (row % 3 == 0) text.add_null();
    else text.add_text("t" + std::to_string(row));
    const float values[2] = {float(row), float(-row)};
    fixed.add_items(std::span<const float>(values));
  }
  const ArrowColumn t = text.view().slice(5, 10), f = fixed.view().slice(5, 10);
  const ArrowColumn deeper = t.slice(2, 4);
  CHECK(t.null_count == 3);
  for (int row = 0; row < 10; ++row) {
    CHECK(t.valid(row) == ((row + 5) % 3 != 0));
    CHECK(t.utf8(row) == ((row + 5) % 3 == 0 ? "" : "t" + std::to_string(row + 5)));
    CHECK(f.items<float>(row)[1] == float(-(row + 5)));
  }
  CHECK(deeper.utf8(0) == "t7");
  CHECK(f.values<float>().size() == 20);
  CHECK(f.values<float>()[0] == 5.0F);
}

TEST_CASE("a number is read from every element type") {
  ArrowColumnBuilder half(ArrowField::scalar("h", DType::kF16)), small(ArrowField::scalar("s", DType::kI8)),
      large(ArrowField::scalar("l", DType::kU64));
  half.add<uint16_t>(0x3E00);
  small.add<int8_t>(-5);
  small.add_null();
  large.add<uint64_t>(1ULL << 40);
  CHECK(half.view().number(0) == 1.5);
  CHECK(small.view().number(0) == -5);
  CHECK(small.view().number(1) == 0);
  CHECK(large.view().number(0) == 1099511627776.0);
}
