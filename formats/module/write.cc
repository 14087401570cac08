#include "formats/module/write.h"

#include <algorithm>
#include <charconv>
#include <tuple>
#include <utility>

#include "formats/base/limits.h"
#include "formats/base/text.h"
#include "formats/module/check.h"
#include "formats/module/chunks.h"
#include "formats/module/digests.h"
#include "formats/module/evidence.h"
#include "formats/module/index.h"
#include "formats/module/probes.h"

namespace modnet {
namespace {

constexpr std::array<std::byte, kAlignment> kZeros{};

uint64_t aligned(uint64_t offset) { return (offset + kAlignment - 1) & ~static_cast<uint64_t>(kAlignment - 1); }

Producer span_producer(Bytes bytes) {
  return [bytes](std::string*) -> Result<Bytes> { return bytes; };
}

/// The same error as a refusal to write: what a reader would call malformed is invalid here.
Error as_invalid(Error error) {
  if (error.code == Code::kMalformed) error.code = Code::kInvalid, error.id = "INVALID";
  return error;
}

}  // namespace

Result<Compression> compression_from_text(const std::string& text) {
  if (text == "none") return Compression{};
  Compression out{Codec::kZstd, 3};
  if (text == "zstd") return out;
  if (text.starts_with("zstd:")) {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + 5, end, out.level);
    if (error == std::errc() && stop == end && out.level >= 1 && out.level <= 19) return out;
  }
  return usage("unknown compression '" + escape_text(text) + "'; expected none, zstd or zstd:1 to zstd:19");
}

/// Where the bytes go: an output, or memory.
class ModuleWriter::Sink {
 public:
  explicit Sink(Output* output) : output_(output) {}
  explicit Sink(std::string* memory) : memory_(memory) {}

  Status write(Bytes bytes) {
    position_ += bytes.size();
    if (output_ != nullptr) return output_->write(bytes);
    memory_->append(as_text(bytes));
    return ok();
  }
  Status write(const Component& component, int64_t length) {
    if (output_ == nullptr || component.file == nullptr)
      return write(component.bytes.first(static_cast<size_t>(length)));
    position_ += static_cast<uint64_t>(length);
    return output_->copy_range(*component.file, component.offset, length);
  }
  Status pad() { return write(Bytes(kZeros).first(aligned(position_) - position_)); }
  [[nodiscard]] uint64_t position() const { return position_; }

 private:
  Output* output_ = nullptr;
  std::string* memory_ = nullptr;
  uint64_t position_ = 0;
};

void ModuleWriter::set_contract(Contract contract) {
  std::sort(contract.ports.begin(), contract.ports.end(),
            [](const Port& a, const Port& b) { return a.number < b.number; });
  Requirements& needs = contract.requirements;
  std::sort(needs.ops.begin(), needs.ops.end(), [](const OpRequirement& a, const OpRequirement& b) {
    return std::tie(a.domain, a.name) < std::tie(b.domain, b.name);
  });
  std::sort(needs.composes.begin(), needs.composes.end(),
            [](const VersionRange& a, const VersionRange& b) { return a.name < b.name; });
  index_.contract = std::move(contract);
}

void ModuleWriter::set_graph(Graph graph) {
  std::sort(graph.taps.begin(), graph.taps.end(), [](const Tap& a, const Tap& b) { return a.name < b.name; });
  for (Node& node : graph.nodes)
    std::sort(node.attributes.begin(), node.attributes.end(),
              [](const Attribute& a, const Attribute& b) { return a.name < b.name; });
  index_.graph = std::move(graph);
}

void ModuleWriter::set_features(std::vector<std::string> required, std::vector<std::string> optional) {
  std::sort(required.begin(), required.end());
  std::sort(optional.begin(), optional.end());
  index_.required_features = std::move(required);
  index_.optional_features = std::move(optional);
}

/// Fills in lengths, digests and codec; keeps the compressed bytes, or the producer of the raw ones.
template <typename Record>
Status ModuleWriter::digest_part(Producer producer, Record* record, std::map<std::string, Part>* parts) {
  if (parts->contains(record->name)) return invalid("the name '" + escape_text(record->name) + "' is used twice");
  std::string scratch;
  MODNET_ASSIGN(const Bytes raw, producer(&scratch));
  record->raw_length = raw.size();
  record->digest = sha256(raw);
  record->codec = Codec::kRaw;
  Part part{std::move(producer), {}};
  if (compression_.codec == Codec::kZstd && !raw.empty()) {
    MODNET_ASSIGN(Compressed packed, compress_chunks(raw, compression_.level));
    if (packed.bytes.size() < raw.size()) {
      record->codec = Codec::kZstd;
      record->chunk_raw = static_cast<uint64_t>(kWriteChunk);
      record->chunk_stored = std::move(packed.chunk_stored);
      part.compressed = std::move(packed.bytes);
      part.producer = nullptr;
    }
  }
  const Bytes stored = record->codec == Codec::kZstd ? as_bytes(part.compressed) : raw;
  record->stored_length = stored.size();
  record->hash = xxh3_128(stored);
  parts->emplace(record->name, std::move(part));
  return ok();
}

Status ModuleWriter::add_tensor(const std::string& name, DType dtype, std::vector<uint64_t> shape, Bytes bytes) {
  return add_tensor(name, dtype, std::move(shape), span_producer(bytes));
}

Status ModuleWriter::add_tensor(const std::string& name, DType dtype, std::vector<uint64_t> shape, Producer producer) {
  TensorRecord record;
  record.name = name;
  record.dtype = dtype;
  record.shape = std::move(shape);
  Result<int64_t> size = tensor_size(dtype, record.shape);
  if (!size.ok()) return as_invalid(std::move(size).error());
  MODNET_TRY(digest_part(std::move(producer), &record, &tensors_));
  if (static_cast<uint64_t>(*size) != record.raw_length) {
    tensors_.erase(name);
    return invalid("tensor '" + escape_text(name) + "' has " + std::to_string(record.raw_length) + " bytes; expected " +
                   std::to_string(*size) + " from shape and dtype");
  }
  index_.tensors.push_back(std::move(record));
  return ok();
}

Status ModuleWriter::add_asset(const std::string& name, const std::string& mediatype, Bytes bytes) {
  return add_asset(name, mediatype, span_producer(bytes));
}

Status ModuleWriter::add_asset(const std::string& name, const std::string& mediatype, Producer producer) {
  AssetRecord record;
  record.name = name;
  record.mediatype = mediatype;
  MODNET_TRY(digest_part(std::move(producer), &record, &assets_));
  index_.assets.push_back(std::move(record));
  return ok();
}

Status ModuleWriter::add_component(const std::string& slot, const MappedFile& file, int64_t offset, int64_t length) {
  int64_t end = 0;
  if (!checked_add(offset, length, &end) || length < 0 || end > static_cast<int64_t>(file.bytes().size()))
    return internal("component range passes the end of " + file.path());
  return add_component(
      slot, Component{&file, offset, file.bytes().subspan(static_cast<size_t>(offset), static_cast<size_t>(length))});
}

Status ModuleWriter::add_component(const std::string& slot, Bytes bytes) {
  return add_component(slot, Component{nullptr, 0, bytes});
}

Status ModuleWriter::add_component(const std::string& slot, const Component& component) {
  if (components_.contains(slot)) return invalid("the slot '" + escape_text(slot) + "' is used twice");
  MODNET_ASSIGN(const ModuleView view, ModuleView::open(component.bytes));
  ComponentRecord record;
  record.slot = slot;
  record.length = component.bytes.size();
  record.content = view.digests().content;
  record.file = view.digests().file;
  index_.components.push_back(std::move(record));
  components_.emplace(slot, component);
  return ok();
}

void ModuleWriter::set_trailer(TrailerKind kind, std::string bytes) {
  if (bytes.empty()) {
    trailers_.erase(kind);
  } else {
    trailers_[kind] = std::move(bytes);
  }
}

Status ModuleWriter::set_probes(const Probes& probes) {
  MODNET_ASSIGN(std::string bytes, encode_probes(probes));
  set_trailer(TrailerKind::kProbes, std::move(bytes));
  return ok();
}

Status ModuleWriter::set_evidence(const std::vector<EvidenceRecord>& records) {
  MODNET_ASSIGN(std::string bytes, encode_evidence(records));
  set_trailer(TrailerKind::kEvidence, std::move(bytes));
  return ok();
}

Digest ModuleWriter::body() const { return body_digest(index_); }

/// Canonical order, offsets, index, trailer directory, preamble: everything but the payload.
Result<ModuleWriter::Plan> ModuleWriter::plan() {
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(index_.tensors.begin(), index_.tensors.end(), by_name);
  std::sort(index_.assets.begin(), index_.assets.end(), by_name);
  std::sort(index_.components.begin(), index_.components.end(),
            [](const ComponentRecord& a, const ComponentRecord& b) { return a.slot < b.slot; });
  uint64_t cursor = kPreambleBytes;
  const auto place = [&](uint64_t length) {
    const uint64_t offset = aligned(cursor);
    cursor = offset + length;
    return offset;
  };
  for (TensorRecord& r : index_.tensors) r.offset = place(r.stored_length);
  for (AssetRecord& r : index_.assets) r.offset = place(r.stored_length);
  std::map<std::tuple<Digest, Digest, uint64_t>, uint64_t> ranges;
  for (ComponentRecord& r : index_.components) {
    const auto [found, fresh] = ranges.try_emplace({r.file, r.content, r.length}, 0);
    if (fresh) found->second = place(r.length);
    r.offset = found->second;
  }
  Plan out;
  if (Status good = check_records(index_); !good.ok()) return as_invalid(std::move(good).error());
  MODNET_ASSIGN(out.index, encode_index(index_));
  Preamble preamble;
  preamble.index_offset = place(out.index.size());
  preamble.index_length = out.index.size();
  preamble.index_digest = sha256(as_bytes(out.index));
  if (Status good = check_segments(index_, preamble.index_offset); !good.ok()) return internal(good.error().what);
  for (const auto& [kind, bytes] : trailers_)
    out.trailers.push_back({kind, place(bytes.size()), bytes.size(), sha256(as_bytes(bytes))});
  out.directory = encode_directory(out.trailers);
  preamble.directory_offset = place(out.directory.size());
  preamble.directory_length = out.directory.size();
  preamble.directory_digest = sha256(as_bytes(out.directory));
  preamble.file_length = cursor;
  out.preamble = encode_preamble(preamble);
  out.digests.body = body();
  out.digests.contract = contract_digest(index_.contract);
  out.digests.content = content_digest(out.digests.contract, out.digests.body);
  out.digests.file = sha256(as_bytes(out.preamble));
  return out;
}

template <typename Record>
Status ModuleWriter::emit_part(const Record& record, const Part& part, Sink& sink) {
  MODNET_TRY(sink.pad());
  if (record.codec == Codec::kZstd) return sink.write(as_bytes(part.compressed));
  std::string scratch;
  MODNET_ASSIGN(const Bytes raw, part.producer(&scratch));
  if (raw.size() != record.raw_length || xxh3_128(raw) != record.hash)
    return Error{Code::kUnreadable,
                 "INPUT_CHANGED",
                 "the bytes of '" + escape_text(record.name) + "' changed while the module was written",
                 {},
                 {},
                 {}};
  return sink.write(raw);
}

Status ModuleWriter::emit(const Plan& plan, Sink& sink) {
  MODNET_TRY(sink.write(as_bytes(plan.preamble)));
  for (const TensorRecord& r : index_.tensors) MODNET_TRY(emit_part(r, tensors_.at(r.name), sink));
  for (const AssetRecord& r : index_.assets) MODNET_TRY(emit_part(r, assets_.at(r.name), sink));
  for (const ComponentRecord& r : index_.components) {
    if (r.offset < sink.position()) continue;  // shares the range of an earlier slot
    MODNET_TRY(sink.pad());
    MODNET_TRY(sink.write(components_.at(r.slot), static_cast<int64_t>(r.length)));
  }
  MODNET_TRY(sink.pad());
  MODNET_TRY(sink.write(as_bytes(plan.index)));
  for (const TrailerEntry& entry : plan.trailers) {
    MODNET_TRY(sink.pad());
    MODNET_TRY(sink.write(as_bytes(trailers_.at(entry.kind))));
  }
  MODNET_TRY(sink.pad());
  return sink.write(as_bytes(plan.directory));
}

Result<ModuleDigests> ModuleWriter::write(Output& output) {
  MODNET_ASSIGN(const Plan ready, plan());
  Sink sink(&output);
  MODNET_TRY(emit(ready, sink));
  return ready.digests;
}

Result<std::string> ModuleWriter::to_memory() {
  MODNET_ASSIGN(const Plan ready, plan());
  std::string out;
  Sink sink(&out);
  MODNET_TRY(emit(ready, sink));
  return out;
}

}  // namespace modnet
