// Items through a module: text to tokens to embeddings, any cut into batches, and what is refused.
#include "libmod/prepare/runner.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/prepare/runner/models.h"

namespace modnet {
namespace {

using test::first_difference;
using test::picture_model;
using test::runner_of;
using test::small_batch;
using test::SmallBatch;
using test::SmallModel;
using test::text_model;

const std::vector<std::string_view> kTexts = {"unaffable", "", "the cafe, the cafe", "a", "漢字 the", "the the the the the the the the the the", "zzz"};

Result<std::vector<OutputColumn>> run(Runner& runner, std::span<const std::string_view> texts, RunCounts* counts = nullptr) {
  PortColumn column;
  column.port = "text";
  column.dtype = DType::kUtf8;
  column.texts = texts;
  std::vector<OutputColumn> outputs;
  MODNET_ASSIGN(const RunCounts made, runner.run({&column, 1}, static_cast<int64_t>(texts.size()), &outputs));
  if (counts != nullptr) *counts = made;
  return outputs;
}
std::vector<OutputColumn> must(Result<std::vector<OutputColumn>> result) {
  if (!result.ok()) FAIL(result.error().where, ": ", result.error().what);
  return std::move(result).value();
}
Error error_of(const SmallModel& model, const std::vector<std::string>& outputs, ThreadPool& pool) {
  const Result<Runner> runner = Runner::make(model.flat(), outputs, {.context = {&pool}});
  REQUIRE_FALSE(runner.ok());
  return runner.error();
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_CASE("text comes out as tokens and as embeddings, the same as from the tokens themselves") {
  ThreadPool pool(2);
  const SmallModel model = text_model(0);
  Runner runner = runner_of(model, {"tokens", "embedding", "hidden"}, {.context = {&pool}});
  CHECK(runner.takes_text());
  CHECK(runner.outputs().size() == 3);
  RunCounts counts;
  const std::vector<OutputColumn> outputs = must(run(runner, kTexts, &counts));
  const Tokenizer tokenizer = test::load(test::kBertSample);
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets = {0};
  for (const std::string_view text : kTexts) {
    const Encoding encoding = *tokenizer.encode(text);
    ids.insert(ids.end(), encoding.ids.begin(), encoding.ids.end());
    offsets.push_back(static_cast<int64_t>(ids.size()));
  }
  CHECK(outputs[0].ids == ids);
  CHECK(outputs[0].offsets == offsets);
  CHECK(counts.items == 7);
  CHECK(counts.tokens == static_cast<int64_t>(ids.size()));
  CHECK(counts.truncated == 0);
  CHECK(outputs[1].width == 24);
  CHECK(outputs[1].values.size() == 7 * 24);
  CHECK(outputs[1].offsets.empty());
  CHECK(outputs[2].values.size() == ids.size() * 24);
  CHECK(outputs[2].offsets == offsets);

  const SmallModel bare = test::small_transformer(test::small_spec());
  Runner backbone = runner_of(bare, {"embedding"}, {.context = {&pool}});
  CHECK_FALSE(backbone.takes_text());
  const PortColumn tokens{"tokens", DType::kI32, ids.data(), offsets, {}};
  std::vector<OutputColumn> again;
  REQUIRE(backbone.run({&tokens, 1}, 7, &again).ok());
  CHECK(first_difference(again[0].values, outputs[1].values) == -1);
}

TEST_CASE("no cut into batches, no memory limit and no number of threads changes a bit") {
  const SmallModel model = text_model(0);
  std::vector<std::string_view> texts;
  for (int i = 0; i < 30; ++i) texts.insert(texts.end(), kTexts.begin(), kTexts.end());  // several pieces for the threads
  ThreadPool one(1);
  Runner whole = runner_of(model, {"embedding", "hidden", "tokens"}, {.context = {&one}, .batch_items = 1000});
  const std::vector<OutputColumn> want = must(run(whole, texts));
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    for (const RunnerOptions& options : {RunnerOptions{.context = {&pool}, .batch_items = 1}, RunnerOptions{.context = {&pool}, .batch_items = 13},
                                         RunnerOptions{.context = {&pool}}, RunnerOptions{.context = {&pool}, .arena_limit = 1},
                                         RunnerOptions{.context = {&pool}, .arena_limit = 100000}}) {
      CAPTURE(threads);
      CAPTURE(options.batch_items);
      CAPTURE(options.arena_limit);
      Runner runner = runner_of(model, {"embedding", "hidden", "tokens"}, options);
      const std::vector<OutputColumn> got = must(run(runner, texts));
      CHECK(first_difference(got[0].values, want[0].values) == -1);
      CHECK(first_difference(got[1].values, want[1].values) == -1);
      CHECK(got[1].offsets == want[1].offsets);
      CHECK(got[2].ids == want[2].ids);
    }
  }
}

TEST_CASE("a runner can be used again, and runs no items at all") {
  ThreadPool pool(2);
  const SmallModel model = text_model(0);
  Runner runner = runner_of(model, {"embedding", "hidden"}, {.context = {&pool}});
  const std::vector<OutputColumn> first = must(run(runner, kTexts));
  const std::vector<OutputColumn> none = must(run(runner, {}));
  CHECK(none[0].values.empty());
  CHECK(none[0].width == 24);
  CHECK(none[0].offsets.empty());
  CHECK(none[1].width == 24);
  CHECK(none[1].offsets == std::vector<int64_t>{0});
  CHECK(first_difference(must(run(runner, kTexts))[0].values, first[0].values) == -1);
}

TEST_CASE("texts that are too long are cut and counted, or refused by item") {
  ThreadPool pool(2);
  const SmallModel model = text_model(6);
  Runner cut = runner_of(model, {"tokens"}, {.context = {&pool}});
  RunCounts counts;
  const std::vector<OutputColumn> outputs = must(run(cut, kTexts, &counts));
  CHECK(counts.truncated == 2);
  for (size_t i = 0; i + 1 < outputs[0].offsets.size(); ++i) {
    const int64_t length = outputs[0].offsets[i + 1] - outputs[0].offsets[i];
    CHECK(length <= 6);
    CHECK(outputs[0].ids[static_cast<size_t>(outputs[0].offsets[i + 1] - 1)] == 3);  // [SEP] stays last
  }
  Runner strict = runner_of(model, {"tokens"}, {.context = {&pool}, .overflow = Overflow::kError});
  const Result<std::vector<OutputColumn>> got = run(strict, kTexts);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().code == Code::kInvalid);
  CHECK(got.error().id == "TEXT_TOO_LONG");
  CHECK(got.error().where == "item 2");
  CHECK(has(got.error().what, "6 tokens"));
}

TEST_CASE("a prefix stands before every text") {
  ThreadPool pool(1);
  const SmallModel plain = text_model(0), prefixed = text_model(0, "the ");
  Runner a = runner_of(plain, {"tokens"}, {.context = {&pool}}), b = runner_of(prefixed, {"tokens"}, {.context = {&pool}});
  const std::vector<std::string_view> with = {"the cafe", "the a"}, without = {"cafe", "a"};
  CHECK(must(run(a, with))[0].ids == must(run(b, without))[0].ids);
}

TEST_CASE("text that is not UTF-8 is refused by item, whichever thread sees it") {
  ThreadPool pool(3);
  const SmallModel model = text_model(0);
  Runner runner = runner_of(model, {"tokens"}, {.context = {&pool}});
  std::vector<std::string_view> texts(500, "the cafe");
  texts[137] = "a\xff";
  texts[400] = "\xff";
  const Result<std::vector<OutputColumn>> got = run(runner, texts);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().where == "item 137");
}

TEST_CASE("an output that is not there is refused with a list of those that are, taps among them") {
  ThreadPool pool(1);
  const Error error = error_of(text_model(0), {"logits"}, pool);
  CHECK(error.code == Code::kUsage);
  CHECK(has(error.what, "'logits'"));
  for (const char* known : {"tokens", "hidden", "embedding", "hidden.0", "hidden.2"}) CHECK(has(error.fix, known));
}

TEST_CASE("taps come out as the values they name") {
  ThreadPool pool(1);
  const SmallModel model = text_model(0);
  Runner runner = runner_of(model, {"hidden.2", "hidden", "hidden.0"}, {.context = {&pool}});
  const std::vector<OutputColumn> outputs = must(run(runner, kTexts));
  CHECK(first_difference(outputs[0].values, outputs[1].values) == -1);
  CHECK(outputs[0].width == 24);
  CHECK(outputs[0].offsets == outputs[1].offsets);
  CHECK(first_difference(outputs[2].values, outputs[1].values) != -1);
}

TEST_CASE("an input that is missing is named; an optional one is zeros") {
  ThreadPool pool(1);
  const SmallModel model = test::small_transformer(test::small_spec());
  Runner runner = runner_of(model, {"embedding"}, {.context = {&pool}});
  CHECK(runner.inputs().size() == 2);
  SmallBatch batch = small_batch({3, 0, 5});
  std::fill(batch.types.begin(), batch.types.end(), 0);
  const PortColumn tokens{"tokens", DType::kI32, batch.ids.data(), batch.offsets, {}};
  const PortColumn types{"token_types", DType::kI32, batch.types.data(), batch.offsets, {}};
  std::vector<OutputColumn> outputs;
  const Result<RunCounts> missing = runner.run({&types, 1}, 3, &outputs);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == Code::kUsage);
  CHECK(has(missing.error().what, "'tokens'"));
  REQUIRE(runner.run({&tokens, 1}, 3, &outputs).ok());
  const std::vector<float> without = outputs[0].values;
  const PortColumn both[] = {types, tokens};
  REQUIRE(runner.run(both, 3, &outputs).ok());
  CHECK(first_difference(outputs[0].values, without) == -1);
}

TEST_CASE("columns that a plan would misread are refused") {
  ThreadPool pool(1);
  const SmallModel model = test::small_transformer(test::small_spec());
  Runner runner = runner_of(model, {"embedding"}, {.context = {&pool}});
  const SmallBatch batch = small_batch({3, 0, 5}), other = small_batch({3, 1, 4}), fewer = small_batch({3, 0});
  std::vector<OutputColumn> outputs;
  const auto error = [&](std::vector<PortColumn> columns) {
    const Result<RunCounts> got = runner.run(columns, 3, &outputs);
    REQUIRE_FALSE(got.ok());
    return got.error();
  };
  const PortColumn good{"tokens", DType::kI32, batch.ids.data(), batch.offsets, {}};
  CHECK(has(error({{"tokens", DType::kI64, batch.ids.data(), batch.offsets, {}}}).what, "i64"));
  CHECK(has(error({{"tokens", DType::kI32, batch.ids.data(), {}, {}}}).what, "ragged"));
  CHECK(has(error({{"tokens", DType::kI32, fewer.ids.data(), fewer.offsets, {}}}).what, "ragged"));
  const Error differ = error({good, {"token_types", DType::kI32, other.types.data(), other.offsets, {}}});
  CHECK(differ.code == Code::kInvalid);
  CHECK(differ.where == "item 1");
  CHECK(has(differ.what, "'token_types'"));
  const SmallModel pictures = picture_model(DType::kU8, {2, 2}, 3);
  Runner flat = runner_of(pictures, {"features"}, {.context = {&pool}});
  const std::vector<uint8_t> pixels(12);
  const PortColumn ragged{"image", DType::kU8, pixels.data(), batch.offsets, {}};
  const Result<RunCounts> got = flat.run({&ragged, 1}, 3, &outputs);
  REQUIRE_FALSE(got.ok());
  CHECK(has(got.error().what, "one row an item"));
  const SmallModel texts = text_model(0);
  Runner text = runner_of(texts, {"tokens"}, {.context = {&pool}});
  const PortColumn no_text{"text", DType::kI32, batch.ids.data(), batch.offsets, {}};
  CHECK_FALSE(text.run({&no_text, 1}, 3, &outputs).ok());
}

TEST_CASE("a sequence longer than the module takes, and a foreign token, are named by item") {
  ThreadPool pool(1);
  const SmallModel model = test::small_transformer(test::small_spec());
  Runner runner = runner_of(model, {"embedding"}, {.context = {&pool}, .batch_items = 2});
  std::vector<OutputColumn> outputs;
  const SmallBatch longer = small_batch({3, 2, 21});
  const PortColumn tokens{"tokens", DType::kI32, longer.ids.data(), longer.offsets, {}};
  const Result<RunCounts> got = runner.run({&tokens, 1}, 3, &outputs);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().id == "MAXLEN_REDUCED");
  CHECK(got.error().where == "item 2");
  SmallBatch foreign = small_batch({3, 2, 4});
  foreign.ids[6] = 1000;
  const PortColumn bad{"tokens", DType::kI32, foreign.ids.data(), foreign.offsets, {}};
  const Result<RunCounts> refused = runner.run({&bad, 1}, 3, &outputs);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::kInvalid);
  CHECK(refused.error().where == "item 2");
  CHECK(has(refused.error().what, "1000"));
}

TEST_CASE("of several foreign tokens the first one's item is named, whatever the batches and threads") {
  const SmallModel model = test::small_transformer(test::small_spec());
  SmallBatch batch = small_batch(std::vector<int64_t>(400, 7));
  for (const size_t item : {123, 124, 300, 399}) batch.ids[item * 7 + 5] = 1000 + static_cast<int32_t>(item);
  const PortColumn tokens{"tokens", DType::kI32, batch.ids.data(), batch.offsets, {}};
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    for (const int64_t limit : {int64_t{1}, int64_t{100'000}, int64_t{4} << 20}) {
      CAPTURE(threads);
      CAPTURE(limit);
      Runner runner = runner_of(model, {"embedding"}, {.context = {&pool}, .arena_limit = limit});
      std::vector<OutputColumn> outputs;
      const Result<RunCounts> refused = runner.run({&tokens, 1}, 400, &outputs);
      REQUIRE_FALSE(refused.ok());
      CHECK(refused.error().where == "item 123");
      CHECK(has(refused.error().what, "1123"));
    }
  }
}

TEST_CASE("pictures run in any batches") {
  ThreadPool pool(2);
  const SmallModel model = picture_model(DType::kU8, {5, 4}, 7);
  std::vector<uint8_t> pixels(20 * 11);
  for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 37);
  const PortColumn column{"image", DType::kU8, pixels.data(), {}, {}};
  std::vector<float> want;
  for (const int64_t batch : {11, 1, 4}) {
    Runner runner = runner_of(model, {"features", "pixels"}, {.context = {&pool}, .batch_items = batch});
    CHECK(runner.weight_bytes() == 4 * (7 * 20 + 7));
    std::vector<OutputColumn> outputs;
    REQUIRE(runner.run({&column, 1}, 11, &outputs).ok());
    CHECK(outputs[0].width == 7);
    if (want.empty()) want = outputs[0].values;
    CHECK(first_difference(outputs[0].values, want) == -1);
    CHECK(outputs[1].values == std::vector<float>(pixels.begin(), pixels.end()));
  }
}

TEST_CASE("a port that is declared otherwise than the graph makes it is refused") {
  ThreadPool pool(1);
  SmallModel model = picture_model(DType::kU8, {2, 2}, 3);
  model.contract.ports[1].dims[1].size = 4;
  Error error = error_of(model, {"features"}, pool);
  CHECK(error.code == Code::kMalformed);
  CHECK(error.where == "port 'features'");
  model.contract.ports[1].dims[1].size = 3;
  model.contract.ports[1].dtype = DType::kF64;
  CHECK(has(error_of(model, {"features"}, pool).what, "f64"));
  model = test::small_transformer(test::small_spec());
  model.contract.ports[2].layout = Layout::kRowMajor;  // "hidden"
  model.contract.ports[2].dims.erase(model.contract.ports[2].dims.begin() + 1);
  CHECK(error_of(model, {"hidden"}, pool).where == "port 'hidden'");
}

TEST_CASE("a text stage that says what this build does not know is refused") {
  ThreadPool pool(1);
  SmallModel model = text_model(0);
  model.graph.nodes[0].attributes.push_back({"zeta", int64_t{1}});
  CHECK(error_of(model, {"tokens"}, pool).id == "OP_UNSUPPORTED");
  model = text_model(0);
  model.graph.nodes[0].attributes[0].value = std::string("other.json");
  CHECK(has(error_of(model, {"tokens"}, pool).what, "'other.json'"));
  model = text_model(-1);
  CHECK(has(error_of(model, {"tokens"}, pool).what, "negative"));
  model = text_model(0);
  model.graph.nodes[0].version = 2;
  CHECK(error_of(model, {"tokens"}, pool).id == "OP_UNSUPPORTED");
}

}  // namespace
}  // namespace modnet
