#include "formats/module/digests.h"

#include <algorithm>

namespace modnet {
namespace {

void add_texts(DomainHash* h, const std::vector<std::string>& values) {
  h->number(values.size());
  for (const std::string& value : values) h->text(value);
}
void add_numbers(DomainHash* h, const std::vector<uint64_t>& values) {
  h->number(values.size());
  for (const uint64_t value : values) h->number(value);
}
void add_reals(DomainHash* h, const std::vector<double>& values) {
  h->number(values.size());
  for (const double value : values) h->real(value);
}
template <typename Enum>
void add_enum(DomainHash* h, Enum value) {
  h->number(static_cast<uint64_t>(value));
}
void add_signed(DomainHash* h, int64_t value) { h->number(static_cast<uint64_t>(value)); }
void add_optional(DomainHash* h, const std::optional<double>& value) {
  h->number(value.has_value() ? 1 : 0);
  if (value) h->real(*value);
}

void add_sequence(DomainHash* h, const SequenceRecord& r) {
  h->number(r.axis).number(r.max_length);
  add_signed(h, r.pad_id);
  add_enum(h, r.pad_side);
  add_enum(h, r.mask);
  h->number(r.causal ? 1 : 0).number(r.stride).real(r.sample_rate).text(r.stream_state);
}

void add_values(DomainHash* h, const ValuesRecord& r) {
  add_optional(h, r.low);
  add_optional(h, r.high);
  add_reals(h, r.mean);
  add_reals(h, r.std);
  add_enum(h, r.norm);
  add_enum(h, r.nonfinite);
  h->real(r.tolerance);
}

void add_preparation(DomainHash* h, const PreparationRecord& r) {
  h->text(r.method).digest(r.digest).number(r.special_ids.size());
  for (const SpecialId& id : r.special_ids) {
    h->text(id.role);
    add_signed(h, id.id);
  }
  h->text(r.unicode_norm).text(r.resampling);
  add_texts(h, r.prefixes);
}

void add_space(DomainHash* h, const SpaceRecord& r) {
  h->text(r.id).text(r.version).digest(r.fingerprint).digest(r.root);
  add_enum(h, r.metric);
  add_enum(h, r.pooling);
  h->number(r.normalized ? 1 : 0);
  add_numbers(h, r.prefix_dims);
  h->digest(r.probes);
}

void add_labels(DomainHash* h, const LabelsRecord& r) {
  add_texts(h, r.names);
  h->number(r.closed ? 1 : 0);
  add_reals(h, r.thresholds);
}

/// 0 for an absent record, else 1 and its fields.
template <typename Record, typename Add>
void add_record(DomainHash* h, const std::optional<Record>& record, Add add) {
  h->number(record.has_value() ? 1 : 0);
  if (record) add(h, *record);
}

void add_port(DomainHash* h, const Port& port) {
  h->number(port.number);
  add_enum(h, port.direction);
  h->text(port.name).text(port.value);
  add_enum(h, port.dtype);
  add_enum(h, port.layout);
  h->number(port.dims.size());
  for (const Dim& dim : port.dims)
    h->text(dim.symbol).number(dim.size).number(dim.min).number(dim.max).number(dim.multiple_of);
  add_enum(h, port.semantic);
  h->number(port.optional ? 1 : 0);
  add_record(h, port.sequence, add_sequence);
  add_record(h, port.values, add_values);
  add_record(h, port.preparation, add_preparation);
  add_record(h, port.space, add_space);
  add_record(h, port.labels, add_labels);
  add_record(h, port.quantisation,
             [](DomainHash* hash, const QuantisationRecord& r) { hash->text(r.scheme).text(r.granularity); });
}

void add_requirements(DomainHash* h, const Requirements& r) {
  h->number(r.min_reader_major).number(r.min_reader_minor).number(r.ops.size());
  for (const OpRequirement& op : r.ops) h->text(op.domain).text(op.name).number(op.version);
  h->number(r.batch_limit).number(r.memory);
  add_enum(h, r.determinism);
  h->text(r.licence).digest(r.base_content).number(r.composes.size());
  for (const VersionRange& range : r.composes) h->text(range.name).text(range.range);
}

/// Pointers to the records in the order of their keys.
template <typename Record, typename Key>
std::vector<const Record*> sorted(const std::vector<Record>& records, Key key) {
  std::vector<const Record*> out;
  out.reserve(records.size());
  for (const Record& record : records) out.push_back(&record);
  std::stable_sort(out.begin(), out.end(), [&](const Record* a, const Record* b) { return key(*a) < key(*b); });
  return out;
}

void add_probe(DomainHash* h, const ProbeArray& array) {
  h->text(array.port);
  add_enum(h, array.dtype);
  add_numbers(h, array.item_shape);
  add_numbers(h, array.offsets);
  h->text(array.data);
}

}  // namespace

void hash_attribute(DomainHash* h, const Attribute& attribute) {
  h->text(attribute.name).number(attribute.value.index() + 1);
  if (const auto* v = std::get_if<int64_t>(&attribute.value)) add_signed(h, *v);
  if (const auto* v = std::get_if<double>(&attribute.value)) h->real(*v);
  if (const auto* v = std::get_if<std::string>(&attribute.value)) h->text(*v);
  if (const auto* v = std::get_if<std::vector<int64_t>>(&attribute.value)) {
    h->number(v->size());
    for (const int64_t value : *v) add_signed(h, value);
  }
  if (const auto* v = std::get_if<std::vector<double>>(&attribute.value)) add_reals(h, *v);
  if (const auto* v = std::get_if<std::vector<std::string>>(&attribute.value)) add_texts(h, *v);
}

Digest graph_digest(const Graph& graph) {
  DomainHash h("modnet.graph.v1");
  add_texts(&h, graph.inputs);
  add_texts(&h, graph.outputs);
  h.number(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    h.text(node.domain).text(node.op).number(node.version);
    add_texts(&h, node.inputs);
    add_texts(&h, node.outputs);
    h.number(node.attributes.size());
    for (const Attribute& attribute : node.attributes) hash_attribute(&h, attribute);
  }
  h.number(graph.taps.size());
  for (const Tap& tap : graph.taps) h.text(tap.name).text(tap.value);
  return h.finish();
}

Digest body_digest(Kind kind, const Graph& graph, const std::vector<TensorRecord>& tensors,
                   const std::vector<AssetRecord>& assets, const std::vector<ComponentRecord>& components) {
  DomainHash h("modnet.body.v1");
  add_enum(&h, kind);
  h.digest(graph_digest(graph)).number(tensors.size());
  for (const TensorRecord* r : sorted(tensors, [](const TensorRecord& t) -> std::string_view { return t.name; })) {
    h.text(r->name);
    add_enum(&h, r->dtype);
    add_numbers(&h, r->shape);
    h.digest(r->digest);
  }
  h.number(assets.size());
  for (const AssetRecord* r : sorted(assets, [](const AssetRecord& a) -> std::string_view { return a.name; }))
    h.text(r->name).digest(r->digest);
  h.number(components.size());
  for (const ComponentRecord* r :
       sorted(components, [](const ComponentRecord& c) -> std::string_view { return c.slot; }))
    h.text(r->slot).digest(r->content);
  return h.finish();
}

Digest body_digest(const ModuleIndex& index) {
  return body_digest(index.identity.kind, index.graph, index.tensors, index.assets, index.components);
}

Digest contract_digest(const Contract& contract) {
  DomainHash h("modnet.contract.v1");
  h.number(contract.ports.size());
  for (const Port& port : contract.ports) add_port(&h, port);
  add_requirements(&h, contract.requirements);
  return h.finish();
}

Digest content_digest(const Digest& contract, const Digest& body) {
  return DomainHash("modnet.content.v1").digest(contract).digest(body).finish();
}
Digest content_digest(const ModuleIndex& index) {
  return content_digest(contract_digest(index.contract), body_digest(index));
}

Digest space_fingerprint(const Digest& body, const Digest& preparation, std::string_view tap, Pooling pooling,
                         bool normalized, const std::vector<Dim>& dims) {
  DomainHash h("modnet.space.v1");
  h.digest(body).digest(preparation).text(tap);
  add_enum(&h, pooling);
  h.number(normalized ? 1 : 0).number(dims.size());
  for (const Dim& dim : dims) h.number(dim.symbol.empty() ? dim.size : 0);
  return h.finish();
}

Digest port_fingerprint(const Digest& body, const Contract& contract, const Port& port) {
  Digest preparation{};
  for (const Port& input : contract.ports) {
    if (input.direction != Direction::kInput || !input.preparation) continue;
    preparation = input.preparation->digest;
    break;
  }
  const SpaceRecord space = port.space.value_or(SpaceRecord{});
  return space_fingerprint(body, preparation, port.value, space.pooling, space.normalized, port.dims);
}

Digest probes_digest(const Probes& probes) {
  DomainHash h("modnet.probes.v1");
  h.number(probes.count);
  for (const auto* arrays : {&probes.inputs, &probes.outputs}) {
    h.number(arrays->size());
    for (const ProbeArray& array : *arrays) add_probe(&h, array);
  }
  return h.finish();
}

}  // namespace modnet
