// Probes: how many, how large, always the same, and what they become at a port.
#include "libmod/prepare/probes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <set>

#include "tests/unit/prepare/runner/models.h"

namespace modnet {
namespace {

using test::picture_model;
using test::runner_of;
using test::SmallModel;
using test::text_model;

Probes must(Result<Probes> result) {
  if (!result.ok()) FAIL(result.error().what);
  return std::move(result).value();
}
std::string must(Result<std::string> result) {
  if (!result.ok()) FAIL(result.error().what);
  return std::move(result).value();
}
std::vector<float> floats(const std::string& bytes) {
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), out.size() * sizeof(float));
  return out;
}
Port image(DType dtype, const std::vector<uint64_t>& shape) {
  Port port = test::small_port(1, Direction::kInput, "image", dtype, Semantic::kImage);
  for (const uint64_t size : shape) port.dims.push_back({"", size, 1, 0, 1});
  return port;
}

TEST_CASE("there are at least 64 built-in texts, all different") {
  const std::span<const std::string_view> texts = builtin_probe_texts();
  CHECK(static_cast<int64_t>(texts.size()) >= kProbeItems);
  CHECK(std::set<std::string_view>(texts.begin(), texts.end()).size() == texts.size());
  size_t shortest = 1000, longest = 0;
  for (const std::string_view text : texts) {
    shortest = std::min(shortest, text.size());
    longest = std::max(longest, text.size());
  }
  CHECK(shortest <= 2);
  CHECK(longest >= 200);
}

TEST_CASE("text probes are the token ids of every built-in text, within 128 KiB, the same for any threads") {
  const SmallModel model = text_model(20);
  std::vector<Probes> made;
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    Runner encoder = runner_of(model, {"tokens"}, {.context = {&pool}});
    made.push_back(must(text_probes(encoder, "ids")));
  }
  CHECK(made[0] == made[1]);
  const Probes& probes = made[0];
  CHECK(probes.count == builtin_probe_texts().size());
  CHECK(probes.source == "builtin-text-1");
  REQUIRE(probes.inputs.size() == 1);
  const ProbeArray& array = probes.inputs[0];
  CHECK(array.port == "ids");
  CHECK(array.dtype == DType::kI32);
  CHECK(array.offsets.size() == probes.count + 1);
  CHECK(array.data.size() == array.offsets.back() * 4);
  CHECK(static_cast<int64_t>(array.data.size()) <= kProbeInputBytes);
  for (size_t i = 0; i < probes.count; ++i) CHECK(array.offsets[i + 1] > array.offsets[i]);
}

TEST_CASE("drawn probes are 64 small pictures within 128 KiB, decided by the seed alone") {
  for (const Port& port : {image(DType::kF32, {28, 28}), image(DType::kU8, {3, 224, 224}), image(DType::kF32, {784}), image(DType::kU8, {2})}) {
    CAPTURE(port.dims.size());
    const Probes probes = must(drawn_probes({port}, 7));
    CHECK(static_cast<int64_t>(probes.count) >= 64);
    REQUIRE(probes.inputs.size() == 1);
    const ProbeArray& array = probes.inputs[0];
    CHECK(array.dtype == DType::kU8);
    CHECK(array.offsets.empty());
    REQUIRE(array.item_shape.size() + 1 == port.dims.size());
    uint64_t n = probes.count;
    for (size_t i = 0; i < array.item_shape.size(); ++i) {
      CHECK(array.item_shape[i] >= 1);
      CHECK(array.item_shape[i] <= port.dims[i + 1].size);
      n *= array.item_shape[i];
    }
    CHECK(array.data.size() == n);
    CHECK(static_cast<int64_t>(array.data.size()) <= kProbeInputBytes);
    CHECK(must(drawn_probes({port}, 7)) == probes);
    CHECK_FALSE(must(drawn_probes({port}, 8)) == probes);
  }
}

TEST_CASE("two drawn inputs share the room and differ; optional ones are left out") {
  Port first = image(DType::kU8, {100, 100}), second = first, third = first;
  second.name = "other";
  third.optional = true;
  const Probes probes = must(drawn_probes({first, second, third}, 1));
  REQUIRE(probes.inputs.size() == 2);
  CHECK(static_cast<int64_t>(probes.inputs[0].data.size() + probes.inputs[1].data.size()) <= kProbeInputBytes);
  CHECK(probes.inputs[0].data != probes.inputs[1].data);
}

TEST_CASE("probes are not drawn for ragged ports, other types, or sizes that are not fixed") {
  Port port = image(DType::kU8, {4});
  port.layout = Layout::kRagged;
  CHECK_FALSE(drawn_probes({port}, 1).ok());
  CHECK_FALSE(drawn_probes({image(DType::kI64, {4})}, 1).ok());
  port = image(DType::kU8, {4, 4});
  port.dims[2] = {"W", 0, 1, 0, 1};
  const Result<Probes> got = drawn_probes({port}, 1);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().what.find("dimension 2") != std::string::npos);
}

TEST_CASE("a small picture is enlarged by index times small over size, in each dimension") {
  const ProbeArray array{"image", DType::kU8, {2, 3}, {}, std::string("\x00\x33\x66\x99\xcc\xff", 6)};
  const std::string large = must(expand_probe(array, image(DType::kU8, {5, 4}), 1));
  REQUIRE(large.size() == 20);
  for (size_t y = 0; y < 5; ++y)
    for (size_t x = 0; x < 4; ++x) {
      CAPTURE(y);
      CAPTURE(x);
      CHECK(large[y * 4 + x] == array.data[(y * 2 / 5) * 3 + x * 3 / 4]);
    }
}

TEST_CASE("bytes become numbers in the declared range, or from -1 to 1") {
  const ProbeArray array{"image", DType::kU8, {2}, {}, std::string("\x00\xff\x33\x66", 4)};
  Port port = image(DType::kF32, {2});
  CHECK(floats(must(expand_probe(array, port, 2))) ==
        std::vector<float>{-1, 1, static_cast<float>(-1 + 2 * 51 / 255.0), static_cast<float>(-1 + 2 * 102 / 255.0)});
  port.values.emplace();
  port.values->low = 0;
  port.values->high = 255;
  CHECK(floats(must(expand_probe(array, port, 2))) == std::vector<float>{0, 255, 51, 102});
}

TEST_CASE("stored inputs that are as the port takes them stay as they are") {
  const ProbeArray plain{"image", DType::kU8, {2, 2}, {}, "abcdefgh"};
  CHECK(must(expand_probe(plain, image(DType::kU8, {2, 2}), 2)) == plain.data);
  Port tokens = test::small_port(1, Direction::kInput, "tokens", DType::kI32, Semantic::kTokens);
  tokens.layout = Layout::kRagged;
  tokens.dims.push_back({"T", 0, 1, 20, 1});
  const ProbeArray ragged{"tokens", DType::kI32, {}, {0, 1, 3}, std::string(12, 'x')};
  CHECK(must(expand_probe(ragged, tokens, 2)) == ragged.data);
}

TEST_CASE("stored inputs that a port would misread are refused") {
  Port tokens = test::small_port(1, Direction::kInput, "tokens", DType::kI32, Semantic::kTokens);
  tokens.layout = Layout::kRagged;
  tokens.dims.push_back({"T", 0, 1, 20, 1});
  const auto refused = [](const ProbeArray& array, const Port& port, int64_t count) {
    const Result<std::string> got = expand_probe(array, port, count);
    return !got.ok() && got.error().code == Code::kMalformed && got.error().what.find("'" + port.name + "'") != std::string::npos;
  };
  CHECK(refused({"tokens", DType::kU8, {}, {0, 1, 3}, "xyz"}, tokens, 2));                   // another type
  CHECK(refused({"tokens", DType::kI32, {}, {0, 1, 3}, std::string(8, 'x')}, tokens, 2));    // fewer bytes than offsets say
  CHECK(refused({"tokens", DType::kI32, {}, {0, 1, 3}, std::string(12, 'x')}, tokens, 3));   // another count
  CHECK(refused({"tokens", DType::kI32, {2}, {0, 1, 3}, std::string(24, 'x')}, tokens, 2));  // wider rows
  CHECK(refused({"tokens", DType::kI32, {}, {}, std::string(8, 'x')}, tokens, 2));           // not ragged
  CHECK(refused({"image", DType::kU8, {2, 2}, {}, "abc"}, image(DType::kU8, {4, 4}), 1));
  CHECK(refused({"image", DType::kU8, {2, 2}, {}, "abcd"}, image(DType::kU8, {2, 2}), 2));
  CHECK(refused({"image", DType::kU8, {2}, {}, "ab"}, image(DType::kU8, {4, 4}), 1));
  CHECK(refused({"image", DType::kU8, {0, 2}, {}, ""}, image(DType::kU8, {4, 4}), 1));
  CHECK(refused({"image", DType::kI16, {2, 2}, {}, std::string(8, 'x')}, image(DType::kF32, {4, 4}), 1));
  CHECK(refused({"image", DType::kU8, {uint64_t{1} << 62, 8}, {}, "abcd"}, image(DType::kU8, {4, 4}), 1));
  CHECK(refused({"image", DType::kU8, {2}, {0, 1, 2}, "abcd"}, image(DType::kU8, {2}), 2));  // ragged, the port is not
}

TEST_CASE("outputs are stored for each port: rows of items, or mean and first row of sequences") {
  ThreadPool pool(2);
  const SmallModel text = text_model(20), model = test::small_transformer(test::small_spec());
  Runner encoder = runner_of(text, {"tokens"}, {.context = {&pool}});
  Probes probes = must(text_probes(encoder, "tokens"));
  Runner backbone = runner_of(model, {"embedding", "hidden"}, {.context = {&pool}});
  REQUIRE(fill_probe_outputs(backbone, probes).ok());
  REQUIRE(probes.outputs.size() == 3);
  CHECK(probes.outputs[0].port == "embedding");
  CHECK(probes.outputs[1].port == "hidden:mean");
  CHECK(probes.outputs[2].port == "hidden:first");
  for (const ProbeArray& one : probes.outputs) {
    CHECK(one.dtype == DType::kF32);
    CHECK(one.item_shape == std::vector<uint64_t>{24});
    CHECK(one.offsets.empty());
    CHECK(one.data.size() == probes.count * 24 * 4);
  }
  // The embedding is the mean, normalised: the two agree in direction.
  const std::vector<float> unit = floats(probes.outputs[0].data), mean = floats(probes.outputs[1].data);
  for (size_t i = 0; i < probes.count; ++i) {
    double squares = 0;
    for (size_t k = 0; k < 24; ++k) squares += static_cast<double>(mean[i * 24 + k]) * mean[i * 24 + k];
    for (size_t k = 0; k < 24; ++k) CHECK(unit[i * 24 + k] == doctest::Approx(mean[i * 24 + k] / std::sqrt(squares)).epsilon(1e-5));
  }
  Probes again = probes;
  REQUIRE(fill_probe_outputs(backbone, again).ok());
  CHECK(again == probes);
}

/// The items of `set` so many times over.
Probes repeated(const Probes& set, size_t times) {
  Probes out = set;
  out.count = set.count * times;
  for (ProbeArray& array : out.inputs) {
    const std::string once = array.data;
    const std::vector<uint64_t> offsets = array.offsets;
    for (size_t t = 1; t < times; ++t) {
      array.data += once;
      for (size_t i = 1; i < offsets.size(); ++i) array.offsets.push_back(offsets.back() * t + offsets[i]);
    }
  }
  return out;
}

TEST_CASE("many items run in parts: the same bits as one at a time, and an error names items of the whole") {
  ThreadPool pool(2);
  const SmallModel text = text_model(20), model = test::small_transformer(test::small_spec());
  Runner encoder = runner_of(text, {"tokens"}, {.context = {&pool}});
  Runner backbone = runner_of(model, {"embedding", "hidden"}, {.context = {&pool}});
  Probes few = must(text_probes(encoder, "tokens"));
  Probes many = repeated(few, 5);
  REQUIRE(fill_probe_outputs(backbone, few).ok());
  REQUIRE(fill_probe_outputs(backbone, many).ok());
  for (size_t port = 0; port < few.outputs.size(); ++port) {
    std::string expected;
    for (int i = 0; i < 5; ++i) expected += few.outputs[port].data;
    CHECK(many.outputs[port].data == expected);
  }
  const Result<ProbeColumns> columns = probe_columns(many, backbone.inputs());
  REQUIRE(columns.ok());
  int64_t items = 0, rows = 0, most = 0;
  REQUIRE(each_slice(*columns, static_cast<int64_t>(many.count), [&](std::span<const PortColumn> slice, int64_t count, int64_t its_rows) -> Status {
            CHECK(slice[0].offsets.front() == 0);
            CHECK(slice[0].offsets.back() == its_rows);
            items += count;
            rows += its_rows;
            most = std::max(most, its_rows);
            return ok();
          }).ok());
  CHECK(items == static_cast<int64_t>(many.count));
  CHECK(rows == static_cast<int64_t>(many.inputs[0].offsets.back()));
  CHECK(most <= kSliceRows);
  const size_t item = 3 * few.count + 7;
  const int32_t wrong = 1 << 20;
  std::memcpy(many.inputs[0].data.data() + many.inputs[0].offsets[item] * sizeof wrong, &wrong, sizeof wrong);
  const Status status = fill_probe_outputs(backbone, many);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().where == "item " + std::to_string(item));
}

TEST_CASE("drawn probes run through a backbone of pictures") {
  ThreadPool pool(1);
  const SmallModel model = picture_model(DType::kF32, {28, 28}, 6);
  Runner backbone = runner_of(model, {"features"}, {.context = {&pool}});
  Probes probes = must(drawn_probes(backbone.inputs(), 0));
  REQUIRE(fill_probe_outputs(backbone, probes).ok());
  REQUIRE(probes.outputs.size() == 1);
  CHECK(probes.outputs[0].data.size() == 64 * 6 * 4);
  const std::vector<float> values = floats(probes.outputs[0].data);
  CHECK(std::set<float>(values.begin(), values.end()).size() > 64);
}

TEST_CASE("probes of a port that the backbone does not have are refused by name, unless there is no choice") {
  ThreadPool pool(1);
  const SmallModel model = picture_model(DType::kU8, {4, 4}, 2);
  Runner backbone = runner_of(model, {"features"}, {.context = {&pool}});
  Probes probes = must(drawn_probes({image(DType::kU8, {4, 4})}, 0));
  probes.inputs.push_back(probes.inputs[0]);
  probes.inputs[1].port = "tokens";
  const Status status = fill_probe_outputs(backbone, probes);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().what.find("'tokens'") != std::string::npos);
  probes.inputs.erase(probes.inputs.begin());  // one stored input, one port
  CHECK(fill_probe_outputs(backbone, probes).ok());
}

}  // namespace
}  // namespace modnet
