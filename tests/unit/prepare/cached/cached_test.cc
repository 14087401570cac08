// Values that are looked up are those that would be computed, bit for bit, and what must not be served is computed.
#include "libmod/prepare/cached.h"

#include <doctest/doctest.h>

#include "tests/support/temp_dir.h"
#include "tests/unit/prepare/runner/models.h"

namespace modnet {
namespace {

using test::runner_of;
using test::SmallModel;
using test::text_model;

using Texts = std::vector<std::string_view>;
const Texts kTexts = {"unaffable", "", "the cafe, the cafe", "a", "漢字 the", "the the the the the the the the the the", "zzz"};

/// The text model behind a cache, counting what it computes.
struct Line {
  Line(CacheStore& store, const std::string& output, int64_t max_length = 0, Overflow overflow = Overflow::kCut, uint64_t longest = 0)
      : model(text_model(max_length)), runner(runner_of(model, {output}, {.context = {&pool}, .overflow = overflow})) {
    CachedValues::Options options;
    options.function = sha256(as_bytes(output + std::to_string(max_length)));
    options.port = runner.outputs()[0];
    options.inputs = runner.inputs();
    options.longest = longest;
    options.overflow = overflow;
    options.pool = &pool;
    values.emplace(store, options, [this](std::span<const PortColumn> columns, int64_t items, OutputColumn* out, std::vector<ItemFacts>* facts) -> Result<RunCounts> {
      computed += items;
      std::vector<OutputColumn> made;
      MODNET_ASSIGN(const RunCounts counts, runner.run(columns, items, &made, facts));
      *out = std::move(made[0]);
      return counts;
    });
  }
  Result<RunCounts> run(const Texts& texts, OutputColumn* out) {
    PortColumn column;
    column.port = "text";
    column.dtype = DType::kUtf8;
    column.texts = texts;
    return values->run({&column, 1}, static_cast<int64_t>(texts.size()), out);
  }
  /// The same without a cache.
  OutputColumn plain(const Texts& texts, RunCounts* counts) {
    PortColumn column;
    column.port = "text";
    column.dtype = DType::kUtf8;
    column.texts = texts;
    std::vector<OutputColumn> made;
    Result<RunCounts> result = runner.run({&column, 1}, static_cast<int64_t>(texts.size()), &made);
    REQUIRE(result.ok());
    *counts = *result;
    return std::move(made[0]);
  }

  ThreadPool pool{2};
  SmallModel model;
  Runner runner;
  std::optional<CachedValues> values;
  int64_t computed = 0;
};
std::unique_ptr<CacheStore> open_store(const test::TempDir& dir) { return std::move(CacheStore::open({dir.path()})).value(); }

void check_same(Line& line, const Texts& texts) {
  RunCounts plain_counts;
  const OutputColumn plain = line.plain(texts, &plain_counts);
  OutputColumn cached;
  const Result<RunCounts> counts = line.run(texts, &cached);
  REQUIRE(counts.ok());
  CHECK(cached.width == plain.width);
  CHECK(cached.offsets == plain.offsets);
  CHECK(test::first_difference(cached.values, plain.values) == -1);
  CHECK(counts->items == plain_counts.items);
  CHECK(counts->tokens == plain_counts.tokens);
  CHECK(counts->truncated == plain_counts.truncated);
  CHECK(cached.port.name == plain.port.name);
}

TEST_CASE("embeddings and token embeddings are the same bits from a cache, whole, in part and not at all") {
  for (const std::string output : {"embedding", "hidden"}) {
    const test::TempDir dir;
    {
      const auto store = open_store(dir);
      Line line(*store, output, 6);
      check_same(line, {kTexts[1], kTexts[4]});
      CHECK(line.computed == 2);
      check_same(line, kTexts);
      CHECK(line.computed == 7);
      check_same(line, {kTexts[5], kTexts[0]});
      CHECK(line.computed == 7);
    }
    const auto store = open_store(dir);
    Line line(*store, output, 6);
    check_same(line, kTexts);
    CHECK(line.computed == 0);
    CHECK(line.values->hits() == 7);
    CHECK(line.values->misses() == 0);
    Line other(*store, output, 5);  // another function
    check_same(other, kTexts);
    CHECK(other.computed == 7);
  }
}

TEST_CASE("an item that comes twice is computed once") {
  const test::TempDir dir;
  const auto store = open_store(dir);
  Line line(*store, "embedding");
  check_same(line, {"a", "the", "a", "a", "the"});
  CHECK(line.computed == 2);
  CHECK(line.values->hits() == 3);
  CHECK(line.values->misses() == 2);
  CHECK(store->counts().stored == 2);
}

TEST_CASE("a text that was cut is not served where that is an error, and errors name the item of the batch") {
  const test::TempDir dir;
  const auto store = open_store(dir);
  Line cutting(*store, "embedding", 6);
  check_same(cutting, kTexts);
  Line strict(*store, "embedding", 6, Overflow::kError);
  OutputColumn out;
  const Result<RunCounts> refused = strict.run(kTexts, &out);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().id == "TEXT_TOO_LONG");
  CHECK(refused.error().where == "item 2");
  CHECK(strict.run({kTexts[0], kTexts[1], kTexts[3]}, &out).ok());
}

TEST_CASE("a sequence that is longer than this module takes is computed, to be refused") {
  const test::TempDir dir;
  const auto store = open_store(dir);
  Line line(*store, "embedding");
  check_same(line, kTexts);
  Line shorter(*store, "embedding", 0, Overflow::kCut, 5);
  OutputColumn out;
  REQUIRE(shorter.run(kTexts, &out).ok());
  CHECK(shorter.computed == 2);  // its compute() would refuse them
}

TEST_CASE("token ids are keys as well, by their values and lengths") {
  const test::TempDir dir;
  const auto store = open_store(dir);
  ThreadPool pool(2);
  const SmallModel model = test::small_transformer(test::small_spec());
  Runner runner = runner_of(model, {"embedding"}, {.context = {&pool}});
  CachedValues::Options options{.port = runner.outputs()[0], .inputs = runner.inputs(), .pool = &pool};
  int64_t computed = 0;
  CachedValues values(*store, options, [&](std::span<const PortColumn> columns, int64_t items, OutputColumn* out, std::vector<ItemFacts>* facts) -> Result<RunCounts> {
    computed += items;
    std::vector<OutputColumn> made;
    MODNET_ASSIGN(const RunCounts counts, runner.run(columns, items, &made, facts));
    *out = std::move(made[0]);
    return counts;
  });
  const std::vector<int32_t> ids = {2, 5, 3, 2, 5, 7, 3, 2, 5, 3, 2, 3};
  const std::vector<int64_t> offsets = {0, 3, 7, 10, 12};
  const PortColumn tokens{"tokens", DType::kI32, ids.data(), offsets, {}};
  std::vector<OutputColumn> plain;
  REQUIRE(runner.run({&tokens, 1}, 4, &plain).ok());
  OutputColumn first;
  REQUIRE(values.run({&tokens, 1}, 4, &first).ok());
  CHECK(computed == 3);  // the third is the first
  CHECK(test::first_difference(first.values, plain[0].values) == -1);

  const std::vector<int32_t> more = {2, 9, 3, 2, 5, 7, 3};
  const std::vector<int64_t> more_offsets = {0, 3, 7};
  const PortColumn again{"tokens", DType::kI32, more.data(), more_offsets, {}};
  REQUIRE(runner.run({&again, 1}, 2, &plain).ok());
  REQUIRE(values.run({&again, 1}, 2, &first).ok());
  CHECK(computed == 4);
  CHECK(test::first_difference(first.values, plain[0].values) == -1);

  std::vector<int32_t> unknown = more;
  unknown[1] = 1000;
  const PortColumn bad{"tokens", DType::kI32, unknown.data(), more_offsets, {}};
  const Result<RunCounts> refused = values.run({&bad, 1}, 2, &first);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().where == "item 0");
}

TEST_CASE("a module whose bytes are not what it records is told before anything of it is kept") {
  const SmallModel model = text_model(0);
  const FlatGraph graph = model.flat();
  FlatRecords records;
  const std::string tensor = model.tensors.begin()->first;
  TensorRecord record;
  record.digest = sha256(graph.tensor(tensor)->bytes);
  AssetRecord asset;
  asset.digest = sha256(*graph.asset("tokenizer.json"));
  records.tensor = [&](std::string_view) { return &record; };
  records.asset = [&](std::string_view) { return &asset; };
  ThreadPool pool(2);
  const ValueIdentity value{{}, {"text"}, {tensor}, {"tokenizer.json"}};
  CHECK(check_digests(graph, records, value, pool).ok());
  asset.digest[0] ^= 1;
  CHECK(check_digests(graph, records, value, pool).error().what.starts_with("asset 'tokenizer.json'"));
  record.digest[31] ^= 1;
  const Status refused = check_digests(graph, records, value, pool);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::kDigest);
  CHECK(refused.error().what.starts_with("tensor '" + tensor + "'"));
}

TEST_CASE("a function is the value and the arithmetic, so that neither serves for the other") {
  ValueIdentity one, two;
  two.digest[0] = 1;
  CHECK(cache_function(one) != cache_function(two));
  CHECK(cache_function(one) != one.digest);
}

}  // namespace
}  // namespace modnet
