// Records → index FlatBuffer. Texts are numbered in the order in which they are first used; everything is written in
// one fixed order with one builder, so equal records give equal bytes. Tested by tests/unit/module/index_test.cc.
#include <flatbuffers/flatbuffers.h>

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "formats/base/limits.h"
#include "formats/module/index.h"
#include "schema/module_generated.h"

namespace modnet {
namespace {

template <typename T>
using Offset = flatbuffers::Offset<T>;
template <typename T>
using VectorOffset = flatbuffers::Offset<flatbuffers::Vector<T>>;

fb::Sha256 sha_struct(const Digest& digest) {
  return fb::Sha256(flatbuffers::span<const uint8_t, 32>(digest.data(), 32));
}
fb::Xxh128 xxh_struct(const Hash128& hash) { return fb::Xxh128(flatbuffers::span<const uint8_t, 16>(hash.data(), 16)); }

/// The builder and the text table of one index.
class Encoder {
 public:
  Result<std::string> run(const ModuleIndex& index);

 private:
  uint32_t text(const std::string& value) {
    const auto [found, added] = numbers_.try_emplace(value, static_cast<uint32_t>(texts_.size()));
    if (added) texts_.push_back(value);
    return found->second;
  }
  VectorOffset<uint32_t> texts(const std::vector<std::string>& values) {
    std::vector<uint32_t> refs;
    refs.reserve(values.size());
    for (const std::string& value : values) refs.push_back(text(value));
    return vector(refs);
  }
  template <typename T>
  VectorOffset<T> vector(const std::vector<T>& values) {
    return values.empty() ? 0 : builder_.CreateVector(values);
  }
  /// A vector of tables, each made by `make` from one record.
  template <typename Table, typename Record, typename Make>
  VectorOffset<Offset<Table>> tables(const std::vector<Record>& records, Make make) {
    std::vector<Offset<Table>> offsets;
    offsets.reserve(records.size());
    for (const Record& record : records) offsets.push_back(make(record));
    return vector(offsets);
  }

  Offset<fb::Port> port(const Port& port);
  Offset<fb::Values> values(const ValuesRecord& record);
  Offset<fb::Preparation> preparation(const PreparationRecord& record);
  Offset<fb::Space> space(const SpaceRecord& record);
  Offset<fb::Sequence> sequence(const SequenceRecord& record);
  Offset<fb::Requirements> requirements(const Requirements& record);
  Offset<fb::Attribute> attribute(const Attribute& record);
  Offset<fb::Node> node(const Node& record);
  Offset<fb::Graph> graph(const Graph& record);

  flatbuffers::FlatBufferBuilder builder_{4096};
  std::vector<std::string> texts_;
  std::unordered_map<std::string, uint32_t> numbers_;
};

Offset<fb::Sequence> Encoder::sequence(const SequenceRecord& r) {
  return fb::CreateSequence(builder_, r.axis, r.max_length, r.pad_id, static_cast<fb::Side>(r.pad_side),
                            static_cast<fb::MaskPolarity>(r.mask), r.causal, r.stride, r.sample_rate,
                            text(r.stream_state));
}

Offset<fb::Values> Encoder::values(const ValuesRecord& r) {
  const auto mean = vector(r.mean);
  const auto std = vector(r.std);
  fb::ValuesBuilder out(builder_);
  if (r.low) out.add_low(*r.low);
  if (r.high) out.add_high(*r.high);
  out.add_mean(mean);
  out.add_std(std);
  out.add_norm(static_cast<fb::NormKind>(r.norm));
  out.add_nonfinite(static_cast<fb::NonFinite>(r.nonfinite));
  out.add_tolerance(r.tolerance);
  return out.Finish();
}

Offset<fb::Preparation> Encoder::preparation(const PreparationRecord& r) {
  const fb::Sha256 digest = sha_struct(r.digest);
  const uint32_t method = text(r.method);
  const auto ids = tables<fb::SpecialId>(
      r.special_ids, [&](const SpecialId& id) { return fb::CreateSpecialId(builder_, text(id.role), id.id); });
  const uint32_t unicode_norm = text(r.unicode_norm);
  const uint32_t resampling = text(r.resampling);
  const auto prefixes = texts(r.prefixes);
  return fb::CreatePreparation(builder_, method, &digest, ids, unicode_norm, resampling, prefixes);
}

Offset<fb::Space> Encoder::space(const SpaceRecord& r) {
  const fb::Sha256 fingerprint = sha_struct(r.fingerprint);
  const fb::Sha256 root = sha_struct(r.root);
  const fb::Sha256 probes = sha_struct(r.probes);
  const uint32_t name = text(r.id);
  const uint32_t version = text(r.version);
  const auto prefix_dims = vector(r.prefix_dims);
  return fb::CreateSpace(builder_, name, version, &fingerprint, &root, static_cast<fb::Metric>(r.metric),
                         static_cast<fb::Pooling>(r.pooling), r.normalized, prefix_dims, &probes);
}

Offset<fb::Port> Encoder::port(const Port& r) {
  const uint32_t name = text(r.name);
  const uint32_t value = text(r.value);
  const auto dims = tables<fb::Dim>(r.dims, [&](const Dim& dim) {
    return fb::CreateDim(builder_, text(dim.symbol), dim.size, dim.min, dim.max, dim.multiple_of);
  });
  Offset<fb::Sequence> sequence_at = 0;
  Offset<fb::Values> values_at = 0;
  Offset<fb::Preparation> preparation_at = 0;
  Offset<fb::Space> space_at = 0;
  Offset<fb::Labels> labels_at = 0;
  Offset<fb::Quantisation> quantisation_at = 0;
  if (r.sequence) sequence_at = sequence(*r.sequence);
  if (r.values) values_at = values(*r.values);
  if (r.preparation) preparation_at = preparation(*r.preparation);
  if (r.space) space_at = space(*r.space);
  if (r.labels) {
    const auto names = texts(r.labels->names);
    const auto thresholds = vector(r.labels->thresholds);
    labels_at = fb::CreateLabels(builder_, names, r.labels->closed, thresholds);
  }
  if (r.quantisation) {
    const uint32_t scheme = text(r.quantisation->scheme);
    quantisation_at = fb::CreateQuantisation(builder_, scheme, text(r.quantisation->granularity));
  }
  return fb::CreatePort(builder_, r.number, static_cast<fb::Direction>(r.direction), name, value,
                        static_cast<fb::DType>(r.dtype), static_cast<fb::Layout>(r.layout), dims,
                        static_cast<fb::Semantic>(r.semantic), r.optional, sequence_at, values_at, preparation_at,
                        space_at, labels_at, quantisation_at);
}

Offset<fb::Requirements> Encoder::requirements(const Requirements& r) {
  const fb::Sha256 base = sha_struct(r.base_content);
  const auto ops = tables<fb::OpRequirement>(r.ops, [&](const OpRequirement& op) {
    const uint32_t domain = text(op.domain);
    return fb::CreateOpRequirement(builder_, domain, text(op.name), op.version);
  });
  const uint32_t licence = text(r.licence);
  const auto composes = tables<fb::VersionRange>(r.composes, [&](const VersionRange& range) {
    const uint32_t name = text(range.name);
    return fb::CreateVersionRange(builder_, name, text(range.range));
  });
  return fb::CreateRequirements(builder_, r.min_reader_major, r.min_reader_minor, ops, r.batch_limit, r.memory,
                                static_cast<fb::Determinism>(r.determinism), licence, &base, composes);
}

Offset<fb::Attribute> Encoder::attribute(const Attribute& r) {
  const uint32_t name = text(r.name);
  const auto type = static_cast<fb::AttributeType>(r.value.index() + 1);
  uint32_t text_ref = 0;
  VectorOffset<int64_t> ints = 0;
  VectorOffset<double> reals = 0;
  VectorOffset<uint32_t> text_refs = 0;
  if (const auto* v = std::get_if<std::string>(&r.value)) text_ref = text(*v);
  if (const auto* v = std::get_if<std::vector<int64_t>>(&r.value)) ints = vector(*v);
  if (const auto* v = std::get_if<std::vector<double>>(&r.value)) reals = vector(*v);
  if (const auto* v = std::get_if<std::vector<std::string>>(&r.value)) text_refs = texts(*v);
  const auto* integer = std::get_if<int64_t>(&r.value);
  const auto* real = std::get_if<double>(&r.value);
  fb::AttributeBuilder out(builder_);
  if (real != nullptr) out.add_real(*real);
  if (integer != nullptr) out.add_int_(*integer);
  out.add_texts(text_refs);
  out.add_reals(reals);
  out.add_ints(ints);
  out.add_text(text_ref);
  out.add_name(name);
  out.add_type(type);
  return out.Finish();
}

Offset<fb::Node> Encoder::node(const Node& r) {
  const uint32_t domain = text(r.domain);
  const uint32_t op = text(r.op);
  const uint32_t name = text(r.name);
  const auto inputs = texts(r.inputs);
  const auto outputs = texts(r.outputs);
  const auto attributes = tables<fb::Attribute>(r.attributes, [&](const Attribute& a) { return attribute(a); });
  return fb::CreateNode(builder_, domain, op, r.version, name, inputs, outputs, attributes);
}

Offset<fb::Graph> Encoder::graph(const Graph& r) {
  const auto inputs = texts(r.inputs);
  const auto outputs = texts(r.outputs);
  const auto nodes = tables<fb::Node>(r.nodes, [&](const Node& n) { return node(n); });
  const auto taps = tables<fb::Tap>(r.taps, [&](const Tap& tap) {
    const uint32_t name = text(tap.name);
    return fb::CreateTap(builder_, name, text(tap.value));
  });
  return fb::CreateGraph(builder_, inputs, outputs, nodes, taps);
}

Result<std::string> Encoder::run(const ModuleIndex& index) {
  builder_.ForceDefaults(true);  // otherwise -0.0, which equals the default, would be dropped
  text("");
  const uint32_t name = text(index.identity.name);
  const uint32_t version = text(index.identity.version);
  const uint32_t licence = text(index.identity.licence);
  const auto lineage = tables<fb::Lineage>(index.identity.lineage, [&](const Lineage& r) {
    const fb::Sha256 content = sha_struct(r.content);
    const uint32_t relation = text(r.relation);
    return fb::CreateLineage(builder_, relation, text(r.name), &content);
  });
  const auto ports = tables<fb::Port>(index.contract.ports, [&](const Port& r) { return port(r); });
  const auto needs = requirements(index.contract.requirements);
  const auto graph_at = graph(index.graph);
  const auto tensors = tables<fb::Tensor>(index.tensors, [&](const TensorRecord& r) {
    const fb::Sha256 digest = sha_struct(r.digest);
    const fb::Xxh128 hash = xxh_struct(r.hash);
    const auto shape = vector(r.shape);
    const auto chunks = vector(r.chunk_stored);
    return fb::CreateTensor(builder_, text(r.name), static_cast<fb::DType>(r.dtype), shape,
                            static_cast<fb::Codec>(r.codec), r.offset, r.stored_length, r.raw_length, r.chunk_raw,
                            chunks, &digest, &hash);
  });
  const auto assets = tables<fb::Asset>(index.assets, [&](const AssetRecord& r) {
    const fb::Sha256 digest = sha_struct(r.digest);
    const fb::Xxh128 hash = xxh_struct(r.hash);
    const auto chunks = vector(r.chunk_stored);
    const uint32_t asset_name = text(r.name);
    return fb::CreateAsset(builder_, asset_name, text(r.mediatype), static_cast<fb::Codec>(r.codec), r.offset,
                           r.stored_length, r.raw_length, r.chunk_raw, chunks, &digest, &hash);
  });
  const auto components = tables<fb::Component>(index.components, [&](const ComponentRecord& r) {
    const fb::Sha256 content = sha_struct(r.content);
    const fb::Sha256 file = sha_struct(r.file);
    return fb::CreateComponent(builder_, text(r.slot), r.offset, r.length, &content, &file);
  });
  const auto required = texts(index.required_features);
  const auto optional = texts(index.optional_features);
  size_t total = builder_.GetSize();
  for (const std::string& value : texts_) total += value.size() + 16;
  if (total > static_cast<size_t>(kMaxIndexBytes)) return invalid("the module's index would pass the limit of 256 MiB");
  const auto strings = builder_.CreateVectorOfStrings(texts_);
  const auto root =
      fb::CreateIndex(builder_, strings, name, static_cast<fb::Kind>(index.identity.kind), version, licence, lineage,
                      ports, needs, graph_at, tensors, assets, components, required, optional);
  builder_.Finish(root, fb::IndexIdentifier());
  if (builder_.GetSize() > static_cast<size_t>(kMaxIndexBytes))
    return invalid("the module's index would pass the limit of 256 MiB");
  return std::string(reinterpret_cast<const char*>(builder_.GetBufferPointer()), builder_.GetSize());
}

}  // namespace

Result<std::string> encode_index(const ModuleIndex& index) { return Encoder().run(index); }

}  // namespace modnet
