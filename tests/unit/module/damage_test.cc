// What a hostile file may try (the parser list of FAULTS): each is refused with its code, none crashes or asks for
// memory.
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <limits>

#include <flatbuffers/flatbuffers.h>

#include "formats/module/check.h"
#include "formats/module/read.h"
#include "formats/module/write.h"
#include "tests/support/module_damage.h"
#include "tests/support/module_samples.h"

using namespace modnet;

namespace {
using Change = std::function<void(ModuleIndex&)>;

/// Opening the changed file fails as malformed, with `text` in the message.
void refused(const std::string& file, const Change& change, const std::string& text) {
  const std::string broken = test::with_index(file, change);
  const Result<ModuleView> view = ModuleView::open(as_bytes(broken));
  CAPTURE(text);
  REQUIRE(!view.ok());
  CHECK(view.error().code == Code::kMalformed);
  CHECK(view.error().what.find(text) != std::string::npos);
  if (view.error().what.find(text) == std::string::npos) MESSAGE(view.error().what);
}
constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
}  // namespace

TEST_CASE("a small file cut off at any byte is refused") {
  const std::string file = test::composite_bytes();
  for (size_t n = 0; n < file.size(); ++n) {
    const Result<ModuleView> view = ModuleView::open(as_bytes(file).first(n));
    REQUIRE(!view.ok());
    CHECK(view.error().code == Code::kMalformed);
  }
  const std::string longer = file + '\0';
  CHECK(ModuleView::open(as_bytes(longer)).error().code == Code::kMalformed);
}

TEST_CASE("segments that overlap, leave holes or pass the end are refused") {
  const std::string file = test::backbone_bytes();
  refused(
      file, [](ModuleIndex& m) { m.tensors[2].offset = m.tensors[1].offset; }, "hole or an overlap");
  refused(
      file, [](ModuleIndex& m) { m.tensors[2].offset += 64; }, "hole or an overlap");
  refused(
      file, [](ModuleIndex& m) { m.tensors[2].offset += 8; }, "hole or an overlap");
  refused(
      file, [](ModuleIndex& m) { m.tensors[0].offset = 0; }, "hole or an overlap");
  refused(
      file, [](ModuleIndex& m) { m.tensors[0].offset = kMost - 63; }, "hole or an overlap");
  refused(
      file, [](ModuleIndex& m) { m.tensors.pop_back(); }, "hole or an overlap");
  refused(
      file, [](ModuleIndex& m) { m.assets.pop_back(); }, "hole or an overlap");
  refused(
      file, [](ModuleIndex& m) { m.assets[0].raw_length = m.assets[0].stored_length = 1 << 20; }, "past the segments");
  refused(
      file, [](ModuleIndex& m) { m.assets[0].raw_length = m.assets[0].stored_length = uint64_t{1} << 62; },
      "past the segments");
  refused(
      file, [](ModuleIndex& m) { m.assets[0].raw_length = m.assets[0].stored_length = kMost; }, "above 2^63");
}

TEST_CASE("components that are too short, too long or disagree about a range are refused") {
  const std::string file = test::composite_bytes();
  refused(
      file, [](ModuleIndex& m) { m.components[0].length = 64; }, "too short");
  refused(
      file, [](ModuleIndex& m) { m.components[0].length = kMost; }, "past the segments");
  refused(
      file, [](ModuleIndex& m) { m.components[0].offset += 64; }, "hole or an overlap");
  refused(
      file, [](ModuleIndex& m) { m.components[3].length -= 64; }, "says otherwise");
  refused(
      file, [](ModuleIndex& m) { m.components[3].content[0] ^= 1; }, "says otherwise");
  refused(
      file, [](ModuleIndex& m) { m.components[0].slot = m.components[1].slot; }, "occurs twice");
}

TEST_CASE("a component whose digests are not those of the index is a digest error") {
  for (const Change& change : {Change([](ModuleIndex& m) { m.components[1].content[0] ^= 1; }),
                               Change([](ModuleIndex& m) { m.components[1].file[0] ^= 1; })}) {
    const std::string broken = test::with_index(test::composite_bytes(), change);
    const Result<ModuleView> view = ModuleView::open(as_bytes(broken));
    REQUIRE(view.ok());
    CHECK(view->component("backbone").error().code == Code::kDigest);
  }
}

TEST_CASE("shape × dtype that is not the raw length, or does not fit a number, is refused") {
  const std::string file = test::backbone_bytes();
  refused(
      file,
      [](ModuleIndex& m) {
        m.tensors[5].shape = {3, 6};
      },
      "from shape and dtype");
  refused(
      file, [](ModuleIndex& m) { m.tensors[5].shape = {}; }, "from shape and dtype");
  refused(
      file, [](ModuleIndex& m) { m.tensors[5].shape[0] = 0; }, "from shape and dtype");
  refused(
      file, [](ModuleIndex& m) { m.tensors[5].shape = {kMost}; }, "does not fit");
  refused(
      file,
      [](ModuleIndex& m) {
        m.tensors[5].shape = {uint64_t{1} << 40, uint64_t{1} << 40};
      },
      "does not fit");
  refused(
      file,
      [](ModuleIndex& m) {
        m.tensors[5].shape = {0, uint64_t{1} << 40, uint64_t{1} << 40};
      },
      "does not fit");
  refused(
      file, [](ModuleIndex& m) { m.tensors[5].shape.assign(9, 1); }, "rank 9");
  refused(
      file, [](ModuleIndex& m) { m.tensors[5].raw_length += 1; }, "expected equal lengths");
  refused(
      file, [](ModuleIndex& m) { m.tensors[5].dtype = DType::kUtf8; }, "dtype 14");
  refused(
      file, [](ModuleIndex& m) { m.tensors[5].dtype = DType::kInvalid; }, "dtype 0");
}

TEST_CASE("chunk tables that do not add up are refused") {
  const std::string file = test::chunked_bytes({Codec::kZstd, 3});
  refused(
      file, [](ModuleIndex& m) { m.tensors[0].chunk_raw = 0; }, "expected 1 to 4 MiB");
  refused(
      file, [](ModuleIndex& m) { m.tensors[0].chunk_raw = uint64_t{1} << 40; }, "expected 1 to 4 MiB");
  refused(
      file, [](ModuleIndex& m) { m.tensors[0].chunk_stored.pop_back(); }, "1 chunks; expected 2");
  refused(
      file, [](ModuleIndex& m) { m.tensors[0].chunk_stored.push_back(1); }, "3 chunks; expected 2");
  refused(
      file, [](ModuleIndex& m) { m.tensors[0].chunk_stored[0] += 1; }, "bytes in all");
  refused(
      file, [](ModuleIndex& m) { m.tensors[0].chunk_stored[0] = 0; }, "stored length 0");
  refused(
      file, [](ModuleIndex& m) { m.tensors[0].chunk_stored[0] = kMost; }, "stored length");
  refused(
      file, [](ModuleIndex& m) { m.tensors[0].raw_length = uint64_t{1} << 62; }, "chunks; expected");
}

TEST_CASE("names that are empty, long, out of order or used twice are refused") {
  const std::string file = test::backbone_bytes();
  refused(
      file, [](ModuleIndex& m) { m.identity.name = ""; }, "no name");
  refused(
      file, [](ModuleIndex& m) { m.identity.name = std::string(513, 'x'); }, "513 bytes");
  refused(
      file, [](ModuleIndex& m) { m.tensors[1].name = m.tensors[0].name; }, "occurs twice");
  refused(
      file, [](ModuleIndex& m) { m.tensors[1].name = "a"; }, "out of order");
  refused(
      file, [](ModuleIndex& m) { m.tensors[0].name = ""; }, "no name");
  refused(
      file, [](ModuleIndex& m) { m.assets[0].name = ""; }, "no name");
  refused(
      file, [](ModuleIndex& m) { m.contract.ports[1].number = m.contract.ports[0].number; }, "sorted by number");
  refused(
      file,
      [](ModuleIndex& m) {
        m.contract.ports[1].direction = m.contract.ports[0].direction;
        m.contract.ports[1].name = m.contract.ports[0].name;
      },
      "occurs twice in one direction");
  refused(
      file, [](ModuleIndex& m) { m.graph.taps[1].name = m.graph.taps[0].name; }, "occurs twice");
  refused(
      file, [](ModuleIndex& m) { m.graph.nodes[1].attributes[1].name = "epsilon"; }, "occurs twice");
  refused(
      file, [](ModuleIndex& m) { m.graph.nodes[1].op = ""; }, "no name");
  refused(
      file, [](ModuleIndex& m) { std::swap(m.contract.requirements.ops[0], m.contract.requirements.ops[1]); },
      "out of order");
  refused(
      file,
      [](ModuleIndex& m) {
        m.optional_features = {"b", "a"};
      },
      "out of order");
}

TEST_CASE("impossible dims of ports are refused") {
  const std::string file = test::backbone_bytes();
  refused(
      file, [](ModuleIndex& m) { m.contract.ports[1].dims[1].size = 0; }, "fixed dim of size 0");
  refused(
      file, [](ModuleIndex& m) { m.contract.ports[1].dims[1].size = kMost; }, "above 2^63");
  refused(
      file, [](ModuleIndex& m) { m.contract.ports[0].dims[0].size = 3; }, "impossible bounds");
  refused(
      file, [](ModuleIndex& m) { m.contract.ports[0].dims[0].multiple_of = 0; }, "impossible bounds");
  refused(
      file, [](ModuleIndex& m) { m.contract.ports[0].dims[1].min = 1000; }, "impossible bounds");
  refused(
      file,
      [](ModuleIndex& m) {
        m.contract.ports[0].dims.assign(9, Dim{"B", 0, 1, 0, 1});
      },
      "rank 9");
}

TEST_CASE("components nested 32 deep open, 33 deep do not") {
  std::string file = test::encoder_bytes();
  for (int i = 0; i < 33; ++i) {
    ModuleWriter writer;
    writer.set_identity({"shell", Kind::kComposite, "1.0.0", "", {}});
    REQUIRE(writer.add_component("in", as_bytes(file)).ok());
    file = *writer.to_memory();
  }
  Result<ModuleView> view = ModuleView::open(as_bytes(file));
  for (int depth = 1; depth <= 32; ++depth) {
    view = view->component("in");
    REQUIRE(view.ok());
    CHECK(view->depth() == depth);
  }
  const Result<ModuleView> deeper = view->component("in");
  REQUIRE(!deeper.ok());
  CHECK(deeper.error().what.find("32 deep") != std::string::npos);
}

TEST_CASE("an index whose lists share one large table is refused quickly") {
  // Nodes that are all the same table, with a long list of inputs: each is cheap in the file, all together are not.
  flatbuffers::FlatBufferBuilder builder(1 << 20);
  const std::vector<uint32_t> zeros(100000, 0);
  const auto inputs = builder.CreateVector(zeros);
  flatbuffers::uoffset_t start = builder.StartTable();
  builder.AddOffset(12, inputs);  // Node.inputs
  const flatbuffers::Offset<flatbuffers::Table> node(builder.EndTable(start));
  const std::vector<flatbuffers::Offset<flatbuffers::Table>> nodes(100000, node);
  const auto list = builder.CreateVector(nodes);
  start = builder.StartTable();
  builder.AddOffset(8, list);  // Graph.nodes
  const flatbuffers::Offset<flatbuffers::Table> graph(builder.EndTable(start));
  start = builder.StartTable();
  builder.AddElement<uint8_t>(14, 1, 0);  // Requirements.determinism
  const flatbuffers::Offset<flatbuffers::Table> needs(builder.EndTable(start));
  const auto strings = builder.CreateVectorOfStrings(std::vector<std::string>{"", "m"});
  start = builder.StartTable();
  builder.AddOffset(4, strings);
  builder.AddElement<uint32_t>(6, 1, 0);  // name
  builder.AddElement<uint8_t>(8, 1, 0);   // kind
  builder.AddOffset(18, needs);
  builder.AddOffset(20, graph);
  builder.Finish(flatbuffers::Offset<flatbuffers::Table>(builder.EndTable(start)), "MNET");
  const std::string index(reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize());
  CHECK(index.size() < 1 << 20);
  ModuleWriter writer;
  writer.set_identity({"m", Kind::kAdapter, "1.0.0", "", {}});
  const std::string file = test::with_index_bytes(*writer.to_memory(), index);
  const auto began = std::chrono::steady_clock::now();
  const Result<ModuleView> view = ModuleView::open(as_bytes(file));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  REQUIRE(!view.ok());
  CHECK(view.error().code == Code::kMalformed);
  CHECK(seconds < 2);
}

TEST_CASE("raw sizes are computed without overflow, zero dims included") {
  CHECK(*tensor_size(DType::kF32, {}) == 4);
  CHECK(*tensor_size(DType::kF32, {0, 5}) == 0);
  CHECK(*tensor_size(DType::kF64, {3, 5}) == 120);
  CHECK(*tensor_size(DType::kU8, {(uint64_t{1} << 63) - 1}) == std::numeric_limits<int64_t>::max());
  CHECK(!tensor_size(DType::kI8, {uint64_t{1} << 63}).ok());
  CHECK(!tensor_size(DType::kF16, {uint64_t{1} << 62}).ok());
  CHECK(tensor_size(static_cast<DType>(99), {1}).error().code == Code::kUnavailable);
}
