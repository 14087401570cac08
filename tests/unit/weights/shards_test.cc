// Sharded safetensors: the shards hold exactly what the index says, under plain names (FAULTS 28, 34).
#include <doctest/doctest.h>

#include "formats/weights/safetensors.h"
#include "tests/support/file_bytes.h"

namespace modnet {
namespace {

Result<ShardIndex> index_of(std::string_view json) { return read_shard_index(as_bytes(json)); }

std::string file_with(std::string_view tensor, char value) {
  return test::safetensors_bytes("{\"" + std::string(tensor) + R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                                 std::string(1, value));
}

struct TwoShards {
  std::string first = file_with("a", 'A'), second = file_with("b", 'B');
  ShardIndex index = index_of(R"({"metadata":{"total_size":2,"other":[1,{"x":null}]},)"
                              R"("weight_map":{"b":"2.safetensors","a":"1.safetensors"}})").value();
  Shard shard(std::string name, const std::string& bytes) const {
    return {std::move(name), read_safetensors(as_bytes(bytes)).value()};
  }
};

TEST_CASE("an index is read with its claimed size and its shards") {
  const TwoShards two;
  CHECK(two.index.total_size == 2);
  CHECK(two.index.shards() == std::vector<std::string>{"1.safetensors", "2.safetensors"});
}

TEST_CASE("shards that match join into one sorted list, in any order of shards") {
  const TwoShards two;
  const Shard shards[] = {two.shard("2.safetensors", two.second), two.shard("1.safetensors", two.first)};
  const Result<std::vector<ForeignTensor>> out = join_shards(two.index, shards);
  REQUIRE(out.ok());
  REQUIRE(out->size() == 2);
  CHECK(out.value()[0].name == "a");
  CHECK(as_text(out.value()[1].data) == "B");
}

TEST_CASE("a swapped, dropped, doubled or extra shard is refused by name") {
  const TwoShards two;
  const Shard one = two.shard("1.safetensors", two.first), other = two.shard("2.safetensors", two.second);
  const Shard swapped[] = {two.shard("1.safetensors", two.second), two.shard("2.safetensors", two.first)};
  CHECK(join_shards(two.index, swapped).error().what.find("does not") != std::string::npos);
  const Shard dropped[] = {one};
  CHECK(join_shards(two.index, dropped).error().what.find("'2.safetensors' is missing") != std::string::npos);
  const Shard doubled[] = {one, other, one};
  CHECK(join_shards(two.index, doubled).error().what.find("given twice") != std::string::npos);
  const std::string third = file_with("c", 'C');
  const Shard extra[] = {one, other, two.shard("3.safetensors", third)};
  CHECK(join_shards(two.index, extra).error().what.find("'c' is in shard '3.safetensors'") != std::string::npos);
  const std::string again = file_with("a", 'Z');
  const Shard shadowed[] = {one, other, two.shard("3.safetensors", again)};
  CHECK_FALSE(join_shards(two.index, shadowed).ok());
}

TEST_CASE("a shard's name has no folder, no `..` and is not absolute") {
  for (const std::string_view name : {"../x", "/etc/x", "a/b", "..", ".", "", "a\\\\b", "a\\u0000b"}) {
    const std::string json = R"({"weight_map":{"t":")" + std::string(name) + R"("}})";
    CHECK_MESSAGE(index_of(json).error().code == Code::kMalformed, json);
  }
}

TEST_CASE("what is not an index is refused") {
  for (const std::string_view json :
       {"", "[]", "1", "{}", "{\"weight_map\":{}}", "{\"weight_map\":[]}", "{\"weight_map\":\"x\"}", "{\"weight_map\":1}",
        "{\"weight_map\":{\"a\":1}}", "{\"weight_map\":{\"a\":{}}}", "{\"weight_map\":{\"a\":[]}}",
        "{\"weight_map\":{\"a\":\"x\",\"a\":\"x\"}}", "{\"weight_map\":{\"a\":\"x\"},\"weight_map\":{\"a\":\"x\"}}",
        "{\"weight_map\":{\"a\":\"x\"}", "{\"weight_map\":{\"a\":\"x\"}}}", "{\"weight_map\":{\"a\":\"\xff\"}}"})
    CHECK_MESSAGE(index_of(json).error().code == Code::kMalformed, json);
  CHECK_FALSE(index_of(std::string_view("{\"weight_map\":{\"a\":\"x\"}}\0", 25)).ok());
  CHECK_FALSE(index_of(R"({"metadata":)" + std::string(100'000, '[')).ok());
  CHECK_FALSE(index_of("[[" + std::string(100'000, '[')).ok());
}

}  // namespace
}  // namespace modnet
