// Records → index bytes → records, and what the decoder refuses.
#include "formats/module/index.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "formats/module/read.h"
#include "tests/support/module_samples.h"

using namespace modnet;

namespace {
ModuleIndex full_index() {
  ModuleIndex out;
  out.identity = {"m", Kind::kComposite, "1.2.3-rc.1", "MIT", {{"component", "p", Digest{1}}}};
  out.contract = test::full_contract();
  out.graph = test::full_graph();
  TensorRecord tensor;
  tensor.name = "w";
  tensor.dtype = DType::kBF16;
  tensor.shape = {1, 0, std::numeric_limits<uint64_t>::max()};
  tensor.codec = Codec::kZstd;
  tensor.offset = 1;
  tensor.stored_length = 2;
  tensor.raw_length = 3;
  tensor.chunk_raw = 4;
  tensor.chunk_stored = {5, 6};
  tensor.digest[0] = 7;
  tensor.hash[15] = 8;
  out.tensors = {tensor};
  AssetRecord asset;
  asset.name = "a";
  asset.mediatype = "text/plain";
  asset.codec = Codec::kZstd;
  asset.offset = 1;
  asset.stored_length = 2;
  asset.raw_length = 3;
  asset.chunk_raw = 4;
  asset.chunk_stored = {5};
  asset.digest[31] = 7;
  asset.hash[0] = 8;
  out.assets = {asset};
  out.components = {{"slot", 1, 2, Digest{3}, Digest{4}}};
  out.required_features = {"a", "b"};
  out.optional_features = {"c"};
  return out;
}

Result<ModuleIndex> decode(const std::string& bytes) { return decode_index(as_bytes(bytes), int64_t{1} << 26); }
}  // namespace

TEST_CASE("every field of every record survives the index") {
  const ModuleIndex index = full_index();
  const Result<std::string> bytes = encode_index(index);
  REQUIRE(bytes.ok());
  const Result<ModuleIndex> back = decode(*bytes);
  REQUIRE(back.ok());
  CHECK(back->identity == index.identity);
  CHECK(back->contract == index.contract);
  CHECK(std::signbit(back->contract.ports[0].values->std[1]));
  CHECK(back->graph == index.graph);
  CHECK(std::signbit(std::get<double>(back->graph.nodes[1].attributes[0].value)));
  const TensorRecord &t = back->tensors.at(0), &u = index.tensors[0];
  CHECK(t.name == u.name);
  CHECK(t.dtype == u.dtype);
  CHECK(t.shape == u.shape);
  CHECK(t.codec == u.codec);
  CHECK(t.offset == u.offset);
  CHECK(t.stored_length == u.stored_length);
  CHECK(t.raw_length == u.raw_length);
  CHECK(t.chunk_raw == u.chunk_raw);
  CHECK(t.chunk_stored == u.chunk_stored);
  CHECK(t.digest == u.digest);
  CHECK(t.hash == u.hash);
  const AssetRecord &a = back->assets.at(0), &b = index.assets[0];
  CHECK(a.name == b.name);
  CHECK(a.mediatype == b.mediatype);
  CHECK(a.codec == b.codec);
  CHECK(a.offset == b.offset);
  CHECK(a.stored_length == b.stored_length);
  CHECK(a.raw_length == b.raw_length);
  CHECK(a.chunk_raw == b.chunk_raw);
  CHECK(a.chunk_stored == b.chunk_stored);
  CHECK(a.digest == b.digest);
  CHECK(a.hash == b.hash);
  const ComponentRecord &c = back->components.at(0), &d = index.components[0];
  CHECK(c.slot == d.slot);
  CHECK(c.offset == d.offset);
  CHECK(c.length == d.length);
  CHECK(c.content == d.content);
  CHECK(c.file == d.file);
  CHECK(back->required_features == index.required_features);
  CHECK(back->optional_features == index.optional_features);
  CHECK(*encode_index(*back) == *bytes);
}

TEST_CASE("an index at an odd address reads the same") {
  const Result<std::string> bytes = encode_index(full_index());
  REQUIRE(bytes.ok());
  for (size_t shift = 1; shift < 9; ++shift) {
    const std::string moved = std::string(shift, '\0') + *bytes;
    const Result<ModuleIndex> back = decode_index(as_bytes(moved).subspan(shift), int64_t{1} << 26);
    REQUIRE(back.ok());
    CHECK(back->contract == full_index().contract);
  }
}

TEST_CASE("an enum value that no version defines is refused by name") {
  const auto refused = [](const std::function<void(ModuleIndex&)>& change, std::string_view field) {
    ModuleIndex index = full_index();
    change(index);
    const Result<ModuleIndex> back = decode(*encode_index(index));
    REQUIRE(!back.ok());
    CHECK(back.error().code == Code::kMalformed);
    CHECK(back.error().where == field);
  };
  for (const uint8_t number : {uint8_t{0}, uint8_t{200}}) {
    refused([&](ModuleIndex& m) { m.identity.kind = static_cast<Kind>(number); }, "identity.kind");
    refused([&](ModuleIndex& m) { m.tensors[0].codec = static_cast<Codec>(number); }, "tensor.codec");
    refused([&](ModuleIndex& m) { m.assets[0].codec = static_cast<Codec>(number); }, "asset.codec");
    refused([&](ModuleIndex& m) { m.contract.ports[0].direction = static_cast<Direction>(number); }, "port.direction");
    refused([&](ModuleIndex& m) { m.contract.ports[0].dtype = static_cast<DType>(number); }, "port.dtype");
    refused([&](ModuleIndex& m) { m.contract.ports[0].layout = static_cast<Layout>(number); }, "port.layout");
    refused([&](ModuleIndex& m) { m.contract.ports[0].semantic = static_cast<Semantic>(number); }, "port.semantic");
    refused([&](ModuleIndex& m) { m.contract.ports[0].sequence->pad_side = static_cast<Side>(number); },
            "port.sequence.pad_side");
    refused([&](ModuleIndex& m) { m.contract.ports[0].sequence->mask = static_cast<MaskPolarity>(number); },
            "port.sequence.mask");
    refused([&](ModuleIndex& m) { m.contract.ports[0].values->norm = static_cast<NormKind>(number); },
            "port.values.norm");
    refused([&](ModuleIndex& m) { m.contract.ports[0].values->nonfinite = static_cast<NonFinite>(number); },
            "port.values.nonfinite");
    refused([&](ModuleIndex& m) { m.contract.ports[0].space->metric = static_cast<Metric>(number); },
            "port.space.metric");
    refused([&](ModuleIndex& m) { m.contract.ports[0].space->pooling = static_cast<Pooling>(number); },
            "port.space.pooling");
    refused([&](ModuleIndex& m) { m.contract.requirements.determinism = static_cast<Determinism>(number); },
            "requirements.determinism");
  }
}

TEST_CASE("text that is not UTF-8 is refused") {
  ModuleIndex index = full_index();
  index.graph.nodes[0].name = "caf\xe9";
  const Result<ModuleIndex> back = decode(*encode_index(index));
  REQUIRE(!back.ok());
  CHECK(back.error().what.find("not UTF-8") != std::string::npos);
}

TEST_CASE("an index cut off at any byte is refused, and no flipped byte crashes the decoder") {
  const std::string bytes = *encode_index(full_index());
  for (size_t n = 0; n < bytes.size(); ++n) {
    const Result<ModuleIndex> back = decode(bytes.substr(0, n));
    if (!back.ok()) CHECK(back.error().code == Code::kMalformed);
    // The builder writes from the back: the root's tables come first, so short prefixes lose texts and lists.
    if (n < bytes.size() / 2) CHECK(!back.ok());
  }
  int refused = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (const int mask : {0x01, 0x80, 0xff}) {
      std::string broken = bytes;
      broken[i] = static_cast<char>(broken[i] ^ mask);
      if (!decode(broken).ok()) ++refused;
    }
  }
  CHECK(refused > 0);
}

TEST_CASE("records that would take more memory than the budget are refused") {
  ModuleIndex index = full_index();
  index.contract.ports[1].labels->names.assign(10000, "x");  // 4 bytes each in the file, 40 in memory
  const std::string bytes = *encode_index(index);
  const Result<ModuleIndex> small = decode_index(as_bytes(bytes), 100000);
  REQUIRE(!small.ok());
  CHECK(small.error().what.find("memory limit") != std::string::npos);
  CHECK(decode_index(as_bytes(bytes), 1000000).ok());
}
