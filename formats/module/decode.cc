// Index FlatBuffer → records. The verifier makes every offset safe to follow but accepts unknown enum values, lists
// that share their elements, and vectors whose numbers are not aligned; so numbers are copied with memcpy, enum values
// are checked, and every copy is charged to a budget. After the first error every further call gives an empty value.
// Tested by tests/unit/module/index_test.cc and tests/fuzz/module_fuzz.cc.
#include <flatbuffers/flatbuffers.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "formats/base/limits.h"
#include "formats/base/text.h"
#include "formats/module/index.h"
#include "schema/module_generated.h"

namespace modnet {
namespace {

class Decoder {
 public:
  explicit Decoder(int64_t budget) : budget_(budget) {}
  Result<ModuleIndex> run(const fb::Index& index, int64_t index_bytes);

 private:
  void fail(std::string what, std::string where) {
    if (failed_) return;
    failed_ = true;
    error_ = malformed(std::move(what), std::move(where));
  }
  bool charge(int64_t bytes) {
    budget_ -= bytes;
    if (budget_ < 0) fail("the index unpacks to more than the memory limit", "index");
    return !failed_;
  }

  void load_texts(const fb::Index& index, int64_t index_bytes);

  std::string text(uint32_t number, const char* field) {
    if (number >= texts_.size()) {
      fail("text number " + std::to_string(number) + "; expected less than " + std::to_string(texts_.size()), field);
      return {};
    }
    const std::string_view value = texts_[number];
    return charge(static_cast<int64_t>(value.size())) ? std::string(value) : std::string();
  }
  template <typename T>
  std::vector<T> numbers(const flatbuffers::Vector<T>* vector) {
    if (vector == nullptr || !charge(static_cast<int64_t>(vector->size() * sizeof(T)))) return {};
    std::vector<T> out(vector->size());
    if (!out.empty()) std::memcpy(out.data(), vector->Data(), out.size() * sizeof(T));
    return out;
  }
  std::vector<std::string> texts(const flatbuffers::Vector<uint32_t>* vector, const char* field) {
    std::vector<std::string> out;
    if (vector == nullptr || !charge(static_cast<int64_t>(vector->size() * (sizeof(std::string) + sizeof(uint32_t)))))
      return out;
    out.reserve(vector->size());
    for (const uint32_t number : numbers(vector)) {
      out.push_back(text(number, field));
      if (failed_) break;
    }
    return out;
  }
  /// One record from each table of a vector.
  template <typename Record, typename Table, typename Make>
  std::vector<Record> records(const flatbuffers::Vector<flatbuffers::Offset<Table>>* tables, Make make) {
    std::vector<Record> out;
    if (tables == nullptr || !charge(static_cast<int64_t>(tables->size() * sizeof(Record)))) return out;
    out.reserve(tables->size());
    for (const Table* table : *tables) {
      out.push_back(make(*table));
      if (failed_) break;
    }
    return out;
  }
  /// An enum of the schema as ours; `least` to `most` are the numbers that this build knows.
  template <typename Ours, typename Theirs>
  Ours known(Theirs value, const char* field, Theirs most, int least = 1) {
    const auto number = static_cast<int>(value);
    if (number < least || number > static_cast<int>(most))
      fail("unknown value " + std::to_string(number) + " of " + field, field);
    return static_cast<Ours>(value);
  }
  Digest sha(const fb::Sha256* value) {
    Digest out{};
    if (value != nullptr) std::memcpy(out.data(), value->bytes()->Data(), out.size());
    return out;
  }
  Hash128 xxh(const fb::Xxh128* value) {
    Hash128 out{};
    if (value != nullptr) std::memcpy(out.data(), value->bytes()->Data(), out.size());
    return out;
  }

  Port port(const fb::Port& t);
  SequenceRecord sequence(const fb::Sequence& t);
  ValuesRecord values(const fb::Values& t);
  PreparationRecord preparation(const fb::Preparation& t);
  SpaceRecord space(const fb::Space& t);
  Requirements requirements(const fb::Requirements& t);
  Attribute attribute(const fb::Attribute& t);
  Node node(const fb::Node& t);
  Graph graph(const fb::Graph& t);
  TensorRecord tensor(const fb::Tensor& t);
  AssetRecord asset(const fb::Asset& t);

  int64_t budget_;
  bool failed_ = false;
  Error error_;
  std::vector<std::string_view> texts_;
};

void Decoder::load_texts(const fb::Index& index, int64_t index_bytes) {
  const auto* strings = index.strings();
  if (strings == nullptr || strings->size() == 0 || strings->Get(0)->size() != 0)
    return fail("the first text is not the empty text", "strings");
  if (!charge(static_cast<int64_t>(strings->size() * sizeof(std::string_view)))) return;
  texts_.reserve(strings->size());
  int64_t total = 0;
  for (const flatbuffers::String* string : *strings) {
    total += string->size();
    if (total > index_bytes) return fail("texts overlap each other", "strings");
    const std::string_view view(string->c_str(), string->size());
    if (const int64_t bad = utf8_error(view); bad >= 0)
      return fail("text " + std::to_string(texts_.size()) + " is not UTF-8 at byte " + std::to_string(bad), "strings");
    texts_.push_back(view);
  }
}

SequenceRecord Decoder::sequence(const fb::Sequence& t) {
  SequenceRecord out;
  out.axis = t.axis();
  out.max_length = t.max_length();
  out.pad_id = t.pad_id();
  out.pad_side = known<Side>(t.pad_side(), "port.sequence.pad_side", fb::Side::MAX);
  out.mask = known<MaskPolarity>(t.mask(), "port.sequence.mask", fb::MaskPolarity::MAX);
  out.causal = t.causal();
  out.stride = t.stride();
  out.sample_rate = t.sample_rate();
  out.stream_state = text(t.stream_state(), "port.sequence.stream_state");
  return out;
}

ValuesRecord Decoder::values(const fb::Values& t) {
  ValuesRecord out;
  if (t.low()) out.low = *t.low();
  if (t.high()) out.high = *t.high();
  out.mean = numbers(t.mean());
  out.std = numbers(t.std());
  out.norm = known<NormKind>(t.norm(), "port.values.norm", fb::NormKind::MAX);
  out.nonfinite = known<NonFinite>(t.nonfinite(), "port.values.nonfinite", fb::NonFinite::MAX);
  out.tolerance = t.tolerance();
  return out;
}

PreparationRecord Decoder::preparation(const fb::Preparation& t) {
  PreparationRecord out;
  out.method = text(t.method(), "port.preparation.method");
  out.digest = sha(t.digest());
  out.special_ids = records<SpecialId>(t.special_ids(), [&](const fb::SpecialId& id) {
    return SpecialId{text(id.role(), "port.preparation.special_ids"), id.value()};
  });
  out.unicode_norm = text(t.unicode_norm(), "port.preparation.unicode_norm");
  out.resampling = text(t.resampling(), "port.preparation.resampling");
  out.prefixes = texts(t.prefixes(), "port.preparation.prefixes");
  return out;
}

SpaceRecord Decoder::space(const fb::Space& t) {
  SpaceRecord out;
  out.id = text(t.name(), "port.space.id");
  out.version = text(t.version(), "port.space.version");
  out.fingerprint = sha(t.fingerprint());
  out.root = sha(t.root());
  out.metric = known<Metric>(t.metric(), "port.space.metric", fb::Metric::MAX);
  out.pooling = known<Pooling>(t.pooling(), "port.space.pooling", fb::Pooling::MAX);
  out.normalized = t.normalized();
  out.prefix_dims = numbers(t.prefix_dims());
  out.probes = sha(t.probes());
  return out;
}

Port Decoder::port(const fb::Port& t) {
  Port out;
  out.number = t.number();
  out.direction = known<Direction>(t.direction(), "port.direction", fb::Direction::MAX);
  out.name = text(t.name(), "port.name");
  out.value = text(t.value(), "port.value");
  out.dtype = known<DType>(t.dtype(), "port.dtype", fb::DType::MAX);
  out.layout = known<Layout>(t.layout(), "port.layout", fb::Layout::MAX);
  out.dims = records<Dim>(t.dims(), [&](const fb::Dim& dim) {
    return Dim{text(dim.symbol(), "port.dims"), dim.size(), dim.min(), dim.max(), dim.multiple_of()};
  });
  out.semantic = known<Semantic>(t.semantic(), "port.semantic", fb::Semantic::MAX);
  out.optional = t.optional();
  if (t.sequence() != nullptr) out.sequence = sequence(*t.sequence());
  if (t.values() != nullptr) out.values = values(*t.values());
  if (t.preparation() != nullptr) out.preparation = preparation(*t.preparation());
  if (t.space() != nullptr) out.space = space(*t.space());
  if (const fb::Labels* labels = t.labels(); labels != nullptr)
    out.labels =
        LabelsRecord{texts(labels->names(), "port.labels.names"), labels->closed(), numbers(labels->thresholds())};
  if (const fb::Quantisation* q = t.quantisation(); q != nullptr)
    out.quantisation = QuantisationRecord{text(q->scheme(), "port.quantisation.scheme"),
                                          text(q->granularity(), "port.quantisation.granularity")};
  return out;
}

Requirements Decoder::requirements(const fb::Requirements& t) {
  Requirements out;
  out.min_reader_major = t.min_reader_major();
  out.min_reader_minor = t.min_reader_minor();
  out.ops = records<OpRequirement>(t.ops(), [&](const fb::OpRequirement& op) {
    return OpRequirement{text(op.domain(), "requirements.ops"), text(op.name(), "requirements.ops"), op.version()};
  });
  out.batch_limit = t.batch_limit();
  out.memory = t.memory();
  out.determinism = known<Determinism>(t.determinism(), "requirements.determinism", fb::Determinism::MAX);
  out.licence = text(t.licence(), "requirements.licence");
  out.base_content = sha(t.base_content());
  out.composes = records<VersionRange>(t.composes(), [&](const fb::VersionRange& range) {
    return VersionRange{text(range.name(), "requirements.composes"), text(range.range(), "requirements.composes")};
  });
  return out;
}

Attribute Decoder::attribute(const fb::Attribute& t) {
  Attribute out;
  out.name = text(t.name(), "graph.node.attribute");
  switch (t.type()) {
    case fb::AttributeType::Int:
      out.value = t.int_();
      break;
    case fb::AttributeType::Real:
      out.value = t.real();
      break;
    case fb::AttributeType::Text:
      out.value = text(t.text(), "graph.node.attribute");
      break;
    case fb::AttributeType::Ints:
      out.value = numbers(t.ints());
      break;
    case fb::AttributeType::Reals:
      out.value = numbers(t.reals());
      break;
    case fb::AttributeType::Texts:
      out.value = texts(t.texts(), "graph.node.attribute");
      break;
    default:
      fail("unknown type " + std::to_string(static_cast<int>(t.type())) + " of an attribute", "graph.node.attribute");
  }
  return out;
}

Node Decoder::node(const fb::Node& t) {
  Node out;
  out.domain = text(t.domain(), "graph.node.domain");
  out.op = text(t.op(), "graph.node.op");
  out.version = t.version();
  out.name = text(t.name(), "graph.node.name");
  out.inputs = texts(t.inputs(), "graph.node.inputs");
  out.outputs = texts(t.outputs(), "graph.node.outputs");
  out.attributes = records<Attribute>(t.attributes(), [&](const fb::Attribute& a) { return attribute(a); });
  return out;
}

Graph Decoder::graph(const fb::Graph& t) {
  Graph out;
  out.inputs = texts(t.inputs(), "graph.inputs");
  out.outputs = texts(t.outputs(), "graph.outputs");
  out.nodes = records<Node>(t.nodes(), [&](const fb::Node& n) { return node(n); });
  out.taps = records<Tap>(t.taps(), [&](const fb::Tap& tap) {
    return Tap{text(tap.name(), "graph.taps"), text(tap.value(), "graph.taps")};
  });
  return out;
}

TensorRecord Decoder::tensor(const fb::Tensor& t) {
  TensorRecord out;
  out.name = text(t.name(), "tensor.name");
  out.dtype = static_cast<DType>(t.dtype());  // an unknown one can be inspected; check_records refuses 0 and utf8
  out.shape = numbers(t.shape());
  out.codec = known<Codec>(t.codec(), "tensor.codec", fb::Codec::MAX);
  out.offset = t.offset();
  out.stored_length = t.stored_length();
  out.raw_length = t.raw_length();
  out.chunk_raw = t.chunk_raw();
  out.chunk_stored = numbers(t.chunk_stored());
  out.digest = sha(t.digest());
  out.hash = xxh(t.hash());
  return out;
}

AssetRecord Decoder::asset(const fb::Asset& t) {
  AssetRecord out;
  out.name = text(t.name(), "asset.name");
  out.mediatype = text(t.mediatype(), "asset.mediatype");
  out.codec = known<Codec>(t.codec(), "asset.codec", fb::Codec::MAX);
  out.offset = t.offset();
  out.stored_length = t.stored_length();
  out.raw_length = t.raw_length();
  out.chunk_raw = t.chunk_raw();
  out.chunk_stored = numbers(t.chunk_stored());
  out.digest = sha(t.digest());
  out.hash = xxh(t.hash());
  return out;
}

Result<ModuleIndex> Decoder::run(const fb::Index& index, int64_t index_bytes) {
  ModuleIndex out;
  load_texts(index, index_bytes);
  if (failed_) return error_;
  if (index.requirements() == nullptr || index.graph() == nullptr)
    return malformed("the index has no requirements or no graph", "index");
  out.identity.name = text(index.name(), "identity.name");
  out.identity.kind = known<Kind>(index.kind(), "identity.kind", fb::Kind::MAX);
  out.identity.version = text(index.version(), "identity.version");
  out.identity.licence = text(index.licence(), "identity.licence");
  out.identity.lineage = records<Lineage>(index.lineage(), [&](const fb::Lineage& t) {
    return Lineage{text(t.relation(), "identity.lineage"), text(t.name(), "identity.lineage"), sha(t.content())};
  });
  out.required_features = texts(index.required_features(), "required_features");
  out.optional_features = texts(index.optional_features(), "optional_features");
  out.contract.ports = records<Port>(index.ports(), [&](const fb::Port& t) { return port(t); });
  out.contract.requirements = requirements(*index.requirements());
  out.graph = graph(*index.graph());
  out.tensors = records<TensorRecord>(index.tensors(), [&](const fb::Tensor& t) { return tensor(t); });
  out.assets = records<AssetRecord>(index.assets(), [&](const fb::Asset& t) { return asset(t); });
  out.components = records<ComponentRecord>(index.components(), [&](const fb::Component& t) {
    return ComponentRecord{text(t.slot(), "component.slot"), t.offset(), t.length(), sha(t.content()), sha(t.file())};
  });
  if (failed_) return error_;
  return out;
}

}  // namespace

Result<ModuleIndex> decode_index(Bytes bytes, int64_t budget) {
  if (static_cast<int64_t>(bytes.size()) > kMaxIndexBytes)
    return malformed("index of " + std::to_string(bytes.size()) + " bytes is above the limit of 256 MiB");
  if (bytes.size() < 16) return malformed("the index is too short to be one", "index");
  std::string aligned;  // std::string data is aligned for any scalar
  if (reinterpret_cast<uintptr_t>(bytes.data()) % 16 != 0) {
    aligned.assign(as_text(bytes));
    bytes = as_bytes(aligned);
  }
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  flatbuffers::Verifier verifier(data, bytes.size(), 16, static_cast<flatbuffers::uoffset_t>(1 + bytes.size() / 8));
  if (!verifier.VerifyBuffer<fb::Index>(fb::IndexIdentifier()))
    return malformed("the index is not a well-formed FlatBuffer with identifier MNET", "index");
  return Decoder(budget).run(*fb::GetIndex(data), static_cast<int64_t>(bytes.size()));
}

}  // namespace modnet
