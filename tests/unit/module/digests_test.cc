// What each digest covers, and what it leaves out.
#include "formats/module/digests.h"

#include <doctest/doctest.h>

#include <functional>
#include <set>
#include <vector>

#include "tests/support/module_samples.h"

using namespace modnet;

namespace {
ModuleIndex sample_index() {
  ModuleIndex out;
  out.identity = {"m", Kind::kBackbone, "1.0.0", "MIT", {}};
  out.contract = test::full_contract();
  out.graph = test::full_graph();
  TensorRecord a, b;
  a.name = "a";
  b.name = "b";
  a.dtype = b.dtype = DType::kF32;
  a.shape = {2, 3};
  b.shape = {6};
  a.digest[0] = 1;
  b.digest[0] = 2;
  out.tensors = {a, b};
  AssetRecord asset;
  asset.name = "vocab";
  asset.mediatype = "text/plain";
  asset.digest[0] = 3;
  out.assets = {asset};
  out.components = {{"encoder", 128, 64, Digest{4}, Digest{5}}};
  return out;
}
}  // namespace

TEST_CASE("the body changes with each thing that it covers") {
  const std::vector<std::function<void(ModuleIndex&)>> changes = {
      [](ModuleIndex&) {},
      [](ModuleIndex& m) { m.identity.kind = Kind::kHead; },
      [](ModuleIndex& m) { m.graph.inputs[0] = "other"; },
      [](ModuleIndex& m) { m.graph.outputs.push_back("hidden"); },
      [](ModuleIndex& m) { m.graph.nodes[0].domain = "modnet"; },
      [](ModuleIndex& m) { m.graph.nodes[0].version = 14; },
      [](ModuleIndex& m) { m.graph.nodes[0].op = "Take"; },
      [](ModuleIndex& m) { m.graph.nodes[1].inputs.pop_back(); },
      [](ModuleIndex& m) { m.graph.nodes[0].attributes[0].value = 0.0; },
      [](ModuleIndex& m) { m.graph.nodes[1].attributes[0].value = 0.0; },  // was -0.0
      [](ModuleIndex& m) { m.graph.nodes[1].attributes[4].value = std::vector<double>{}; },
      [](ModuleIndex& m) { m.graph.taps[0].value = "hidden"; },
      [](ModuleIndex& m) { m.tensors[0].name = "a2"; },
      [](ModuleIndex& m) { m.tensors[0].dtype = DType::kI32; },
      [](ModuleIndex& m) {
        m.tensors[0].shape = {3, 2};
      },
      [](ModuleIndex& m) { m.tensors[0].digest[31] = 1; },
      [](ModuleIndex& m) { m.assets[0].name = "v"; },
      [](ModuleIndex& m) { m.assets[0].digest[31] = 1; },
      [](ModuleIndex& m) { m.components[0].slot = "backbone"; },
      [](ModuleIndex& m) { m.components[0].content[31] = 1; }};
  std::set<Digest> seen;
  for (const std::function<void(ModuleIndex&)>& change : changes) {
    ModuleIndex index = sample_index();
    change(index);
    seen.insert(body_digest(index));
  }
  CHECK(seen.size() == changes.size());
}

TEST_CASE("names of nodes, the label and the layout do not change the content") {
  const std::vector<std::function<void(ModuleIndex&)>> changes = {
      [](ModuleIndex& m) { m.graph.nodes[0].name = "renamed"; },
      [](ModuleIndex& m) { m.identity.name = "renamed"; },
      [](ModuleIndex& m) { m.identity.version = "2.0.0"; },
      [](ModuleIndex& m) { m.identity.licence = "GPL-2.0-only"; },
      [](ModuleIndex& m) {
        m.identity.lineage = {{"converted-from", "x", Digest{9}}};
      },
      [](ModuleIndex& m) { m.tensors[0].offset = 640; },
      [](ModuleIndex& m) { m.tensors[0].codec = Codec::kZstd; },
      [](ModuleIndex& m) { m.tensors[0].hash[0] = 1; },
      [](ModuleIndex& m) { m.assets[0].mediatype = "text/csv"; },
      [](ModuleIndex& m) { m.components[0].file[0] = 1; },
      [](ModuleIndex& m) { std::swap(m.tensors[0], m.tensors[1]); },
      [](ModuleIndex& m) { m.optional_features = {"x"}; }};
  const Digest before = content_digest(sample_index());
  for (size_t i = 0; i < changes.size(); ++i) {
    CAPTURE(i);
    ModuleIndex index = sample_index();
    changes[i](index);
    CHECK(content_digest(index) == before);
  }
}

TEST_CASE("the contract changes with every field of every record") {
  const std::vector<std::function<void(Contract&)>> changes = {
      [](Contract&) {},
      [](Contract& c) { c.ports[0].number = 8; },
      [](Contract& c) { c.ports[0].direction = Direction::kOutput; },
      [](Contract& c) { c.ports[0].name = "y"; },
      [](Contract& c) { c.ports[0].value = "y"; },
      [](Contract& c) { c.ports[0].dtype = DType::kF16; },
      [](Contract& c) { c.ports[0].layout = Layout::kRowMajor; },
      [](Contract& c) { c.ports[0].dims[0].symbol = "N"; },
      [](Contract& c) { c.ports[0].dims[1].min = 1; },
      [](Contract& c) { c.ports[0].dims[1].max = 256; },
      [](Contract& c) { c.ports[0].dims[1].multiple_of = 16; },
      [](Contract& c) { c.ports[0].dims[2].size = 5; },
      [](Contract& c) { c.ports[0].semantic = Semantic::kEmbedding; },
      [](Contract& c) { c.ports[0].optional = false; },
      [](Contract& c) { c.ports[0].sequence->axis = 2; },
      [](Contract& c) { c.ports[0].sequence->max_length = 1; },
      [](Contract& c) { c.ports[0].sequence->pad_id = 1; },
      [](Contract& c) { c.ports[0].sequence->pad_side = Side::kNone; },
      [](Contract& c) { c.ports[0].sequence->mask = MaskPolarity::kAdditive; },
      [](Contract& c) { c.ports[0].sequence->causal = false; },
      [](Contract& c) { c.ports[0].sequence->stride = 1; },
      [](Contract& c) { c.ports[0].sequence->sample_rate = 8000; },
      [](Contract& c) { c.ports[0].sequence->stream_state = ""; },
      [](Contract& c) { c.ports[0].sequence.reset(); },
      [](Contract& c) { c.ports[0].values->low.reset(); },
      [](Contract& c) { c.ports[0].values->high = 0; },
      [](Contract& c) { c.ports[0].values->mean = {}; },
      [](Contract& c) { c.ports[0].values->std[1] = 0.0; },
      [](Contract& c) { c.ports[0].values->norm = NormKind::kNone; },
      [](Contract& c) { c.ports[0].values->nonfinite = NonFinite::kNever; },
      [](Contract& c) { c.ports[0].values->tolerance = 0; },
      [](Contract& c) { c.ports[0].preparation->method = "byte-bpe"; },
      [](Contract& c) { c.ports[0].preparation->digest[0] ^= 1; },
      [](Contract& c) { c.ports[0].preparation->special_ids[0].role = "bos"; },
      [](Contract& c) { c.ports[0].preparation->special_ids[0].id = 7; },
      [](Contract& c) { c.ports[0].preparation->unicode_norm = "nfc"; },
      [](Contract& c) { c.ports[0].preparation->resampling = ""; },
      [](Contract& c) { c.ports[0].preparation->prefixes.pop_back(); },
      [](Contract& c) { c.ports[0].space->id = "x"; },
      [](Contract& c) { c.ports[0].space->version = "3"; },
      [](Contract& c) { c.ports[0].space->fingerprint[0] ^= 1; },
      [](Contract& c) { c.ports[0].space->root[0] ^= 1; },
      [](Contract& c) { c.ports[0].space->metric = Metric::kL2; },
      [](Contract& c) { c.ports[0].space->pooling = Pooling::kMax; },
      [](Contract& c) { c.ports[0].space->normalized = false; },
      [](Contract& c) { c.ports[0].space->prefix_dims = {}; },
      [](Contract& c) { c.ports[0].space->probes[0] ^= 1; },
      [](Contract& c) { c.ports[1].labels->names[0] = "x"; },
      [](Contract& c) { c.ports[1].labels->closed = true; },
      [](Contract& c) { c.ports[1].labels->thresholds = {}; },
      [](Contract& c) { c.ports[0].quantisation->scheme = "x"; },
      [](Contract& c) { c.ports[0].quantisation->granularity = "tensor"; },
      [](Contract& c) { c.ports.pop_back(); },
      [](Contract& c) { c.requirements.min_reader_major = 0; },
      [](Contract& c) { c.requirements.min_reader_minor = 1; },
      [](Contract& c) { c.requirements.ops[0].domain = "a"; },
      [](Contract& c) { c.requirements.ops[0].name = "a"; },
      [](Contract& c) { c.requirements.ops[0].version = 7; },
      [](Contract& c) { c.requirements.batch_limit = 0; },
      [](Contract& c) { c.requirements.memory = 0; },
      [](Contract& c) { c.requirements.determinism = Determinism::kNone; },
      [](Contract& c) { c.requirements.licence = ""; },
      [](Contract& c) { c.requirements.base_content[0] ^= 1; },
      [](Contract& c) { c.requirements.composes[0].name = "a"; },
      [](Contract& c) { c.requirements.composes[0].range = "*"; }};
  std::set<Digest> seen;
  for (const std::function<void(Contract&)>& change : changes) {
    Contract contract = test::full_contract();
    change(contract);
    seen.insert(contract_digest(contract));
  }
  CHECK(seen.size() == changes.size());
}

TEST_CASE("a space's fingerprint covers body, preparation, tap, pooling, normalisation and fixed dims") {
  const std::vector<Dim> dims = {{"B", 0, 1, 0, 1}, {"", 384, 1, 0, 1}};
  const auto print = [&](uint8_t body, uint8_t preparation, std::string_view tap, Pooling pooling, bool normalized,
                         const std::vector<Dim>& sizes) {
    return space_fingerprint(Digest{body}, Digest{preparation}, tap, pooling, normalized, sizes);
  };
  const Digest base = print(1, 2, "embedding", Pooling::kMean, true, dims);
  const std::set<Digest> all = {base,
                                print(9, 2, "embedding", Pooling::kMean, true, dims),
                                print(1, 9, "embedding", Pooling::kMean, true, dims),
                                print(1, 2, "hidden", Pooling::kMean, true, dims),
                                print(1, 2, "embedding", Pooling::kCls, true, dims),
                                print(1, 2, "embedding", Pooling::kMean, false, dims),
                                print(1, 2, "embedding", Pooling::kMean, true, {dims[1]})};
  CHECK(all.size() == 7);
  std::vector<Dim> renamed = dims;
  renamed[0] = {"N", 0, 2, 64, 2};
  CHECK(print(1, 2, "embedding", Pooling::kMean, true, renamed) == base);
}

TEST_CASE("probes are bound by their bytes, not by the name of their source") {
  Probes probes = test::sample_probes();
  const Digest before = probes_digest(probes);
  probes.source = "elsewhere";
  CHECK(probes_digest(probes) == before);
  probes.outputs[0].data[0] = static_cast<char>(probes.outputs[0].data[0] ^ 1);
  CHECK(probes_digest(probes) != before);
  Probes swapped = test::sample_probes();
  std::swap(swapped.inputs, swapped.outputs);
  CHECK(probes_digest(swapped) != before);
}
