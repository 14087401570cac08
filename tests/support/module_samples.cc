#include "tests/support/module_samples.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "formats/module/digests.h"
#include "formats/module/edit.h"
#include "formats/module/signatures.h"
#include "tests/support/signing_keys.h"

namespace modnet::test {
namespace {

/// A value that must be there; a sample that cannot be built is a bug of the test.
template <typename T>
T must(Result<T> result) {
  if (result.ok()) return std::move(result).value();
  std::fprintf(stderr, "sample: %s\n", result.error().what.c_str());
  std::abort();
}

/// `n` bytes that do not repeat soon: a linear congruential sequence.
std::string pattern(size_t n, uint32_t seed) {
  std::string out(n, '\0');
  for (char& byte : out) {
    seed = seed * 1664525u + 1013904223u;
    byte = static_cast<char>(seed >> 24);
  }
  return out;
}

Producer owned(std::string bytes) {
  return [kept = std::move(bytes)](std::string*) -> Result<Bytes> { return as_bytes(kept); };
}

Digest digest_of(std::string_view text) { return sha256(as_bytes(text)); }

Port port(uint32_t number, Direction direction, const std::string& name, DType dtype, std::vector<Dim> dims,
          Semantic semantic) {
  Port out;
  out.number = number;
  out.direction = direction;
  out.name = name;
  out.value = name;
  out.dtype = dtype;
  out.dims = std::move(dims);
  out.semantic = semantic;
  return out;
}
Dim symbol(const std::string& name, uint64_t max = 0) { return {name, 0, 1, max, 1}; }
Dim fixed(uint64_t size) { return {"", size, 1, 0, 1}; }

Node node(const std::string& domain, const std::string& op, std::vector<std::string> inputs,
          std::vector<std::string> outputs) {
  Node out;
  out.domain = domain;
  out.op = op;
  out.inputs = std::move(inputs);
  out.outputs = std::move(outputs);
  return out;
}

Identity identity(const std::string& name, Kind kind) { return {name, kind, "1.0.0", "Apache-2.0", {}}; }

PreparationRecord wordpiece() {
  PreparationRecord out;
  out.method = "wordpiece";
  out.digest = digest_of("vocabulary");
  out.special_ids = {{"cls", 101}, {"sep", 102}, {"pad", 0}, {"none", -1}};
  out.unicode_norm = "nfd-strip-lower";
  out.prefixes = {"query: ", "passage: "};
  return out;
}

Contract backbone_contract(const Digest& body) {
  Contract out;
  Port ids = port(1, Direction::kInput, "ids", DType::kI64, {symbol("B"), symbol("T", 256)}, Semantic::kTokens);
  ids.layout = Layout::kRagged;
  ids.sequence = SequenceRecord{};
  ids.sequence->max_length = 256;
  ids.preparation = wordpiece();
  Port embedding = port(2, Direction::kOutput, "embedding", DType::kF32, {symbol("B"), fixed(4)}, Semantic::kEmbedding);
  SpaceRecord space;
  space.id = "sample/mean-l2";
  space.version = "1";
  space.metric = Metric::kCosine;
  space.pooling = Pooling::kMean;
  space.normalized = true;
  space.prefix_dims = {2, 4};
  embedding.space = space;
  out.ports = {ids, embedding};
  embedding.space->fingerprint = embedding.space->root = port_fingerprint(body, out, embedding);
  out.ports[1] = embedding;
  out.requirements.ops = {{"", "Gather", 13}, {"modnet", "Pool", 1}};
  out.requirements.memory = 4096;
  return out;
}

/// The smallest module of this kind: no ports, no graph.
ModuleWriter plain(const std::string& name, Kind kind, Compression compression = {}) {
  ModuleWriter writer(compression);
  writer.set_identity(identity(name, kind));
  return writer;
}

}  // namespace

Contract full_contract() {
  Contract out;
  Port all = port(7, Direction::kInput, "features", DType::kF32, {symbol("B"), symbol("T", 512), fixed(4)},
                  Semantic::kTokenEmbedding);
  all.value = "x";
  all.layout = Layout::kRagged;
  all.dims[1].min = 8;
  all.dims[1].multiple_of = 8;
  all.optional = true;
  all.sequence = SequenceRecord{1, 512, -100, Side::kLeft, MaskPolarity::kOneIsPad, true, 160, 16000.0, "state"};
  all.values = ValuesRecord{-1.5, 2.5, {0.5, 0.25}, {1.0, -0.0}, NormKind::kL2, NonFinite::kReject, 1e-6};
  all.preparation = wordpiece();
  all.preparation->resampling = "bilinear";
  SpaceRecord space{"sample/mean-l2",
                    "2",
                    digest_of("fingerprint"),
                    digest_of("root"),
                    Metric::kDot,
                    Pooling::kCls,
                    true,
                    {1, 2, 4},
                    probes_digest(sample_probes())};
  all.space = space;
  all.quantisation = QuantisationRecord{"symmetric-i8", "channel"};
  Port logits = port(9, Direction::kOutput, "section", DType::kF32, {symbol("B"), fixed(3)}, Semantic::kLogits);
  logits.labels = LabelsRecord{{"admin", "d\u00e9bug", ""}, false, {0.5, 0.25, 0.125}};
  logits.values = ValuesRecord{};
  logits.values->high = 0.0;
  out.ports = {all, logits};
  Requirements& needs = out.requirements;
  needs.ops = {{"", "Add", 14}, {"", "MatMul", 13}, {"modnet", "Attention", 2}};
  needs.batch_limit = 1024;
  needs.memory = uint64_t{1} << 33;
  needs.determinism = Determinism::kMachine;
  needs.licence = "GPL-3.0-or-later";
  needs.base_content = digest_of("base");
  needs.composes = {{"backbone", ">=1.2 <2"}, {"encoder", "*"}};
  return out;
}

Graph full_graph() {
  Graph out;
  out.inputs = {"ids", "mask"};
  out.outputs = {"embedding"};
  Node gather = node("", "Gather", {"table", "ids"}, {"hidden"});
  gather.version = 13;
  gather.name = "embeddings";
  gather.attributes = {{"axis", int64_t{-1}}};
  Node pool = node("modnet", "Pool", {"hidden", "", "mask"}, {"embedding"});
  pool.attributes = {{"epsilon", -0.0},
                     {"ints", std::vector<int64_t>{-1, 0, 1}},
                     {"mode", std::string("mean")},
                     {"names", std::vector<std::string>{"a", ""}},
                     {"none", std::vector<int64_t>{}},
                     {"weights", std::vector<double>{0.5, -2.0}}};
  out.nodes = {gather, pool};
  out.taps = {{"final", "embedding"}, {"layer.0", "hidden"}};
  return out;
}

Probes sample_probes() {
  Probes out;
  out.count = 2;
  out.source = "builtin-text-1";
  out.inputs = {{"ids", DType::kI64, {}, {0, 3, 5}, pattern(40, 5)}};
  out.outputs = {{"embedding", DType::kF32, {4}, {}, pattern(32, 6)}};
  return out;
}

std::vector<EvidenceRecord> sample_evidence(const Digest& fingerprint) {
  EvidenceRecord one;
  one.port = "embedding";
  one.fingerprint = fingerprint;
  one.root = digest_of("root");
  one.probes = probes_digest(sample_probes());
  one.policy = "portable";
  one.how = "convert bf16";
  one.tolerance = 0.1;
  one.measure = {64, 0.75, 0.00345678901234567, 0.0015, 0.99999, 0.999999, 0.9998, 0.984375, 0};
  EvidenceRecord other = one;
  other.port = "section/features";
  other.fingerprint = digest_of("fingerprint");
  other.policy = "vendor: openblas/d\u00e9bug";
  other.how = "attach-head";
  other.tolerance = 0.05;
  other.measure = {65, 1.25, 1e-300, 0, -1, -0.5, 0, 1, 3};
  return {one, other};
}

std::string encoder_bytes() {
  ModuleWriter writer = plain("sample-encoder", Kind::kEncoder);
  Contract contract;
  contract.ports = {
      port(1, Direction::kInput, "text", DType::kUtf8, {symbol("B")}, Semantic::kText),
      port(2, Direction::kOutput, "ids", DType::kI64, {symbol("B"), symbol("T", 256)}, Semantic::kTokens)};
  contract.ports[1].layout = Layout::kRagged;
  contract.ports[1].preparation = wordpiece();
  writer.set_contract(contract);
  Graph graph;
  graph.inputs = {"text"};
  graph.outputs = {"ids"};
  graph.nodes = {node("modnet", "Tokenize", {"text"}, {"ids"})};
  writer.set_graph(graph);
  must(writer.add_asset("tokenizer.json", "application/json", owned("{\"model\": {\"type\": \"WordPiece\"}}\n")));
  return must(writer.to_memory());
}

std::string backbone_bytes(Compression compression) {
  ModuleWriter writer = plain("sample-backbone", Kind::kBackbone, compression);
  writer.set_graph(full_graph());
  uint32_t seed = 1;
  for (int number = 1; number <= static_cast<int>(DType::kF64); ++number) {
    const auto dtype = static_cast<DType>(number);
    const size_t bytes = static_cast<size_t>(dtype_size(dtype)) * 15;
    std::string data =
        dtype == DType::kBool ? std::string("\0\1\0\1\1\0\1\0\1\1\0\1\0\1\1", 15) : pattern(bytes, seed++);
    must(writer.add_tensor("t." + std::string(dtype_name(dtype)), dtype, {3, 5}, owned(std::move(data))));
  }
  must(writer.add_tensor("empty", DType::kF32, {0, 4}, Bytes{}));
  must(writer.add_tensor("scale", DType::kF32, {}, owned(std::string("\0\0\x80\x3f", 4))));
  must(writer.add_tensor("table", DType::kF32, {32, 4}, owned(std::string(512, '\0'))));
  must(writer.add_asset("notes.txt", "text/plain", owned(std::string(300, 'n'))));
  writer.set_contract(backbone_contract(writer.body()));
  must(writer.set_probes(sample_probes()));
  return must(writer.to_memory());
}

std::string head_bytes() {
  ModuleWriter writer = plain("sample-head", Kind::kHead);
  Identity who = identity("sample-head", Kind::kHead);
  who.lineage = {{"trained-on", "sample-backbone", digest_of("backbone")}, {"imported-from", "w\u00f6rter", Digest{}}};
  writer.set_identity(who);
  writer.set_contract(full_contract());
  writer.set_graph(full_graph());
  must(writer.add_tensor("weight", DType::kF32, {4, 3}, owned(pattern(48, 9))));
  must(writer.set_probes(sample_probes()));
  return must(writer.to_memory());
}

std::string chunked_bytes(Compression compression) {
  ModuleWriter writer = plain("sample-chunked", Kind::kBackbone, compression);
  std::string data(size_t{1} << 20, '\7');
  const std::string noise = pattern(4096, 77);
  for (int i = 0; i < 128; ++i) data += noise;  // half a chunk more
  must(writer.add_tensor("big", DType::kF16, {3, 262144}, owned(std::move(data))));
  must(writer.add_tensor("noise", DType::kU8, {700}, owned(pattern(700, 78))));  // stays raw
  must(writer.add_asset("text", "text/plain", owned(std::string(5000, 'a'))));
  return must(writer.to_memory());
}

std::string signed_by(const std::string& file, const std::vector<uint8_t>& keys) {
  const ModuleView view = must(ModuleView::open(as_bytes(file)));
  std::vector<SignatureRecord> signatures;
  for (const uint8_t number : keys) signatures.push_back(must(make_signature(view, signing_key(number))));
  return must(rewrite_trailers_to_memory(view, {{TrailerKind::kSignatures, must(encode_signatures(signatures))}}));
}

std::string composite_bytes() {
  ModuleWriter writer = plain("sample-composite", Kind::kComposite);
  const std::string encoder = encoder_bytes();
  const std::string backbone = backbone_bytes();
  const std::string head = head_bytes();
  must(writer.add_component("section", as_bytes(head)));
  must(writer.add_component("backbone", as_bytes(backbone)));
  must(writer.add_component("encoder", as_bytes(encoder)));
  must(writer.add_component("again", as_bytes(head)));
  must(writer.add_tensor("alpha", DType::kF64, {1}, owned(std::string(8, '\0'))));
  writer.set_trailer(TrailerKind::kCard, "{\"title\": \"Sample\"}\n");
  must(writer.set_probes(sample_probes()));
  writer.set_trailer(TrailerKind::kEvidence, "evidence");
  return signed_by(must(writer.to_memory()), {2, 1});
}

std::string converted_bytes() {
  ModuleWriter writer = plain("sample-converted", Kind::kBackbone);
  Identity who = identity("sample-converted", Kind::kBackbone);
  who.version = "1.0.1";
  who.lineage = {{"converted-from", "sample-backbone", digest_of("backbone")}};
  writer.set_identity(who);
  writer.set_graph(full_graph());
  must(writer.add_tensor("table", DType::kBF16, {32, 4}, owned(pattern(256, 11))));
  must(writer.add_tensor("scale", DType::kF16, {4}, owned(pattern(8, 12))));
  Contract contract = backbone_contract(writer.body());
  contract.ports[1].space->root = digest_of("root");
  writer.set_contract(contract);
  must(writer.set_probes(sample_probes()));
  must(writer.set_evidence(sample_evidence(contract.ports[1].space->fingerprint)));
  return must(writer.to_memory());
}

std::string nested_bytes() {
  ModuleWriter writer = plain("sample-nested", Kind::kComposite);
  const std::string inner = composite_bytes();
  const std::string encoder = encoder_bytes();
  must(writer.add_component("inner", as_bytes(inner)));
  must(writer.add_component("encoder", as_bytes(encoder)));
  writer.set_features({}, {"sample-extension"});
  must(writer.add_asset("x/sample-extension", "application/octet-stream", owned("kept")));
  return must(writer.to_memory());
}

std::vector<Golden> golden_modules() {
  ModuleWriter tiny = plain("t", Kind::kAdapter);
  return {{"tiny", must(tiny.to_memory()), false},
          {"encoder", encoder_bytes(), false},
          {"backbone", backbone_bytes(), false},
          {"backbone-zstd", backbone_bytes({Codec::kZstd, 3}), true},
          {"chunked-zstd", chunked_bytes({Codec::kZstd, 3}), true},
          {"head", head_bytes(), false},
          {"composite", composite_bytes(), false},
          {"nested", nested_bytes(), false},
          {"converted", converted_bytes(), false}};
}

}  // namespace modnet::test
