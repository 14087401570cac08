// The closing digest.
#include "formats/arrow/seal.h"

#include <doctest/doctest.h>

#include "tests/unit/arrow/support.h"

using namespace modnet;

namespace {

std::string cell(uint8_t kind, std::string_view bytes) {
  std::string out(1, static_cast<char>(kind));
  const uint64_t length = bytes.size();
  out.append(reinterpret_cast<const char*>(&length), 8);
  return out.append(bytes);
}
std::string hash_text(std::string_view bytes) {
  const Hash128 hash = xxh3_128(as_bytes(bytes));
  return std::string(reinterpret_cast<const char*>(hash.data()), hash.size());
}
Digest digest_of(const ArrowSchema& schema, const ArrowBatch& batch) {
  SealHash hash(schema);
  hash.add(batch);
  return hash.finish();
}

}  // namespace

TEST_CASE("the digest is the one that modnet-stream.5 spells out") {
  ArrowSchema schema;
  schema.fields = {ArrowField::text("id"), ArrowField::fixed_list("e", DType::kF32, 2),
                   ArrowField::list("l", DType::kI32)};
  schema.metadata = {{"pandas", "ignored"}, {"modnet.z", "2"}, {"modnet.a", "1"}};
  ArrowBatchBuilder rows(schema);
  const float pair[2] = {1.0F, -2.0F};
  const std::string long_text(5000, 'x');
  rows.column(0).add_text("ab");
  rows.column(1).add_items(std::span<const float>(pair));
  rows.column(2).add_items(std::span<const int32_t>());
  rows.column(0).add_text(long_text);
  rows.column(1).add_null();
  rows.column(2).add_null();

  DomainHash header("modnet.stream.1");
  header.number(3);
  header.text("id").number(14).number(0);
  header.text("e").number(64 + 12).number(1).number(2);
  header.text("l").number(64 + 4).number(0);
  header.number(2).text("modnet.a").text("1").text("modnet.z").text("2");
  const Digest head = header.finish();
  std::string all(reinterpret_cast<const char*>(head.data()), head.size());
  all += hash_text(cell(14, "ab") + cell(76, {reinterpret_cast<const char*>(pair), 8}) + cell(68, ""));
  std::string long_cell = cell(14 | 0x80, long_text).substr(0, 9) + hash_text(long_text);
  all += hash_text(long_cell + cell(0, "") + cell(0, ""));
  CHECK(hex(digest_of(schema, rows.batch())) == hex(sha256(as_bytes(all))));
}

TEST_CASE("the digest does not depend on batches") {
  const ArrowSchema schema = test::every_type();
  ArrowBatchBuilder rows(schema);
  test::add_rows(rows, 0, 3000);
  const ArrowBatch all = rows.batch();
  const Digest once = digest_of(schema, all);
  for (const int64_t step : {1, 7, 1024, 2999}) {
    SealHash hash(schema);
    for (int64_t at = 0; at < all.rows; at += step) hash.add(all.slice(at, std::min(step, all.rows - at)));
    CHECK(hash.rows() == 3000);
    CHECK(hex(hash.finish()) == hex(once));
  }
}

TEST_CASE("every change of a value, a name, a shape or modnet's metadata changes the digest") {
  ArrowSchema schema;
  schema.fields = {ArrowField::text("a"), ArrowField::text("b"), ArrowField::tensor("t", DType::kU8, {2, 3})};
  schema.metadata = {{"modnet.contract", "x"}};
  const auto make = [](const ArrowSchema& with, std::string_view a, std::string_view b, uint8_t last) {
    ArrowBatchBuilder rows(with);
    rows.column(0).add_text(a);
    rows.column(1).add_text(b);
    const uint8_t image[6] = {1, 2, 3, 4, 5, last};
    rows.column(2).add_items(std::span<const uint8_t>(image));
    return hex(digest_of(with, rows.batch()));
  };
  const std::string base = make(schema, "xy", "z", 6);
  CHECK(make(schema, "xy", "z", 6) == base);
  CHECK(make(schema, "x", "yz", 6) != base);
  CHECK(make(schema, "xy", "z", 7) != base);
  ArrowSchema other = schema;
  std::swap(other.fields[0].name, other.fields[1].name);
  CHECK(make(other, "xy", "z", 6) != base);
  other = schema;
  other.fields[2].shape = {3, 2};
  CHECK(make(other, "xy", "z", 6) != base);
  other = schema;
  other.set("modnet.contract", "y");
  CHECK(make(other, "xy", "z", 6) != base);
  other = schema;
  other.set("pandas", "{}");
  CHECK(make(other, "xy", "z", 6) == base);
}

TEST_CASE("an empty text and no value are different") {
  ArrowSchema schema;
  schema.fields = {ArrowField::text("a")};
  ArrowBatchBuilder empty(schema), null(schema);
  empty.column(0).add_text("");
  null.column(0).add_null();
  CHECK(hex(digest_of(schema, empty.batch())) != hex(digest_of(schema, null.batch())));
}
