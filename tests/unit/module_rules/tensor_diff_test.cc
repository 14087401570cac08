// Tensors compared by name and digest; renames, also of a whole prefix.
#include "libmod/module/tensor_diff.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace modnet {
namespace {

TensorRecord tensor(const std::string& name, const std::string& bytes, std::vector<uint64_t> shape = {2}, DType dtype = DType::kF32) {
  TensorRecord out;
  out.name = name;
  out.dtype = dtype;
  out.shape = std::move(shape);
  out.digest = sha256(as_bytes(bytes));
  return out;
}

using Records = std::vector<TensorRecord>;

TEST_CASE("each kind of change is one entry") {
  const TensorDiff diff = diff_tensors(Records{tensor("bytes", "1"), tensor("dtype", "2"), tensor("gone", "3"), tensor("old", "4"), tensor("same", "5"),
                                               tensor("shape", "6")},
                                       Records{tensor("bytes", "x"), tensor("dtype", "2", {2}, DType::kI32), tensor("fresh", "7"), tensor("new", "4"),
                                               tensor("same", "5"), tensor("shape", "6", {1, 2})});
  CHECK(diff.equal == 1);
  REQUIRE(diff.changes.size() == 6);
  const auto has = [&](size_t i, Change change, const std::string& name) {
    CHECK(diff.changes[i].change == change);
    CHECK((diff.changes[i].before ? diff.changes[i].before : diff.changes[i].after)->name == name);
  };
  has(0, Change::kChanged, "bytes");
  has(1, Change::kChanged, "dtype");
  has(2, Change::kAdded, "fresh");
  has(3, Change::kRemoved, "gone");
  has(4, Change::kRenamed, "old");
  CHECK(diff.changes[4].after->name == "new");
  has(5, Change::kChanged, "shape");
  CHECK(diff.prefixes.empty());
}

TEST_CASE("a prefix that was renamed is found, also for tensors with equal bytes") {
  Records before, after;
  for (int layer = 0; layer < 3; ++layer)
    for (const char* part : {".bias", ".weight"}) {
      const std::string tail = std::to_string(layer) + part;
      // All biases are equal: only the prefix says which is which. Names sort in another order after it.
      const std::string bytes = part == std::string(".bias") ? "zeros" : tail;
      before.push_back(tensor("bert.layer." + tail, bytes));
      after.push_back(tensor("layer." + tail, bytes));
    }
  const TensorDiff diff = diff_tensors(before, after);
  CHECK(diff.equal == 0);
  REQUIRE(diff.changes.size() == 6);
  for (const TensorChange& change : diff.changes) {
    REQUIRE(change.change == Change::kRenamed);
    CHECK(change.before->name == "bert." + change.after->name);
  }
  REQUIRE(diff.prefixes.size() == 1);
  CHECK(diff.prefixes[0].before == "bert");
  CHECK(diff.prefixes[0].after.empty());
  CHECK(diff.prefixes[0].tensors == 6);
}

TEST_CASE("equal tensors of which there are more on one side are renamed as far as they go") {
  const TensorDiff diff = diff_tensors(Records{tensor("a", "0"), tensor("b", "0")}, Records{tensor("c", "0")});
  REQUIRE(diff.changes.size() == 2);
  CHECK(std::count_if(diff.changes.begin(), diff.changes.end(), [](const TensorChange& c) { return c.change == Change::kRenamed; }) == 1);
}

TEST_CASE("prefixes end where a part of the name begins") {
  using Names = std::pair<std::string, std::string>;
  CHECK(differing_prefixes("bert.a.w", "a.w") == Names{"bert", ""});
  CHECK(differing_prefixes("x.layer.0.w", "y.layer.0.w") == Names{"x", "y"});
  CHECK(differing_prefixes("xlayer.w", "ylayer.w") == Names{"xlayer", "ylayer"});
  CHECK(differing_prefixes("old", "new") == Names{"old", "new"});
  CHECK(differing_prefixes("enc/w", "dec/w") == Names{"enc", "dec"});
}

}  // namespace
}  // namespace modnet
