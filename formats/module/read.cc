#include "formats/module/read.h"

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

#include "formats/base/limits.h"
#include "formats/base/some_threads.h"
#include "formats/base/text.h"
#include "formats/module/check.h"
#include "formats/module/chunks.h"
#include "formats/module/digests.h"
#include "formats/module/evidence.h"
#include "formats/module/index.h"
#include "formats/module/probes.h"

namespace modnet {
namespace {

// What records may take beyond the file's size: less than kParserSlack, for the copy of the index and malloc's
// overhead.
constexpr int64_t kRecordSlack = kParserSlack / 4 * 3;

struct AlignedDelete {
  void operator()(std::byte* p) const { ::operator delete[](p, std::align_val_t{kAlignment}); }
};
using AlignedBytes = std::unique_ptr<std::byte[], AlignedDelete>;

std::string quoted(std::string_view what, std::string_view name) {
  return std::string(what) + " '" + escape_text(name) + "'";
}

Error digest_error(std::string what, uint64_t offset) {
  return Error{Code::kDigest, "DIGEST", std::move(what), "offset " + std::to_string(offset), {}, {}};
}

template <typename Record, typename Key>
std::optional<size_t> find_sorted(const std::vector<Record>& records, std::string_view name, Key key) {
  const auto found = std::lower_bound(records.begin(), records.end(), name,
                                      [&](const Record& r, std::string_view value) { return key(r) < value; });
  if (found == records.end() || key(*found) != name) return std::nullopt;
  return static_cast<size_t>(found - records.begin());
}

}  // namespace

struct ModuleView::Shared {
  int64_t limit = 0;
  int threads = 1;
  std::atomic<int64_t> memory = 0;  // what decompressed segments may still take
};

struct ModuleView::State {
  Bytes bytes;
  Preamble preamble;
  ModuleIndex index;
  std::vector<TrailerEntry> trailers;
  ModuleDigests digests;
  int depth = 0;
  std::shared_ptr<Shared> shared;
  // One entry a tensor, then one an asset: was its XXH3 right, and its decompressed bytes.
  std::unique_ptr<std::atomic<bool>[]> checked;
  std::mutex mutex;
  std::vector<AlignedBytes> unpacked;
};

ModuleView::ModuleView(std::unique_ptr<State> state) : state_(std::move(state)) {}
ModuleView::ModuleView(ModuleView&&) noexcept = default;
ModuleView& ModuleView::operator=(ModuleView&&) noexcept = default;
ModuleView::~ModuleView() = default;

Result<ModuleView> ModuleView::open(Bytes bytes, const OpenOptions& options) {
  int64_t limit = options.memory_limit;
  if (limit <= 0 &&
      (!checked_mul(static_cast<int64_t>(bytes.size()), 4, &limit) || !checked_add(limit, kParserSlack, &limit)))
    limit = int64_t{1} << 62;
  auto shared = std::make_shared<Shared>();
  shared->limit = limit;
  shared->threads = options.threads;
  shared->memory = limit;
  return open_at(bytes, 0, std::move(shared));
}

Result<ModuleView> ModuleView::open_at(Bytes bytes, int depth, std::shared_ptr<Shared> shared) {
  if (depth > kMaxComponentDepth) return malformed("components are nested more than 32 deep");
  auto state = std::make_unique<State>();
  state->bytes = bytes;
  state->depth = depth;
  state->shared = std::move(shared);
  MODNET_ASSIGN(state->preamble, decode_preamble(bytes));
  const Preamble& preamble = state->preamble;
  // A copy, aligned and steady: a file that changes while mapped must not change between the checks and the use.
  const std::string index(as_text(bytes.subspan(preamble.index_offset, preamble.index_length)));
  if (sha256(as_bytes(index)) != preamble.index_digest)
    return digest_error("the index does not match its SHA-256", preamble.index_offset);
  MODNET_ASSIGN(state->index, decode_index(as_bytes(index), static_cast<int64_t>(bytes.size()) + kRecordSlack));
  MODNET_TRY(check_records(state->index));
  MODNET_TRY(check_segments(state->index, preamble.index_offset));
  MODNET_ASSIGN(state->trailers, decode_directory(bytes, preamble));
  ModuleDigests& digests = state->digests;
  digests.body = body_digest(state->index);
  digests.contract = contract_digest(state->index.contract);
  digests.content = content_digest(digests.contract, digests.body);
  digests.file = sha256(as_bytes(encode_preamble(preamble)));
  const size_t segments = state->index.tensors.size() + state->index.assets.size();
  state->checked = std::make_unique<std::atomic<bool>[]>(segments);
  state->unpacked.resize(segments);
  return ModuleView(std::move(state));
}

const ModuleIndex& ModuleView::index() const { return state_->index; }
const ModuleDigests& ModuleView::digests() const { return state_->digests; }
const Preamble& ModuleView::preamble() const { return state_->preamble; }
const std::vector<TrailerEntry>& ModuleView::trailers() const { return state_->trailers; }
Bytes ModuleView::bytes() const { return state_->bytes; }
int ModuleView::depth() const { return state_->depth; }
int64_t ModuleView::memory_limit() const { return state_->shared->limit; }
// Format 1.0 defines no optional feature, so every one is unknown.
const std::vector<std::string>& ModuleView::unknown_features() const { return state_->index.optional_features; }

std::optional<size_t> ModuleView::find_tensor(std::string_view name) const {
  return find_sorted(state_->index.tensors, name, [](const TensorRecord& r) -> std::string_view { return r.name; });
}
std::optional<size_t> ModuleView::find_asset(std::string_view name) const {
  return find_sorted(state_->index.assets, name, [](const AssetRecord& r) -> std::string_view { return r.name; });
}
const ComponentRecord* ModuleView::find_component(std::string_view slot) const {
  const auto found =
      find_sorted(state_->index.components, slot, [](const ComponentRecord& r) -> std::string_view { return r.slot; });
  return found ? &state_->index.components[*found] : nullptr;
}
const TrailerEntry* ModuleView::find_trailer(TrailerKind kind) const {
  for (const TrailerEntry& entry : state_->trailers)
    if (entry.kind == kind) return &entry;
  return nullptr;
}

template <typename Record>
Result<Bytes> ModuleView::segment(const Record& record, size_t slot, std::string_view what) const {
  State& state = *state_;
  const Bytes stored = state.bytes.subspan(record.offset, record.stored_length);
  if (!state.checked[slot].load(std::memory_order_acquire)) {
    if (xxh3_128(stored) != record.hash)
      return digest_error(quoted(what, record.name) + " does not match its checksum", record.offset);
    state.checked[slot].store(true, std::memory_order_release);
  }
  if (record.codec == Codec::kRaw) return stored;
  const std::lock_guard<std::mutex> lock(state.mutex);
  AlignedBytes& buffer = state.unpacked[slot];
  const auto raw = static_cast<int64_t>(record.raw_length);
  if (buffer == nullptr) {
    const Error too_much{Code::kUnavailable,
                         "MEMORY",
                         quoted(what, record.name) + " unpacks to " + std::to_string(raw) +
                             " bytes, which passes the memory limit of " + std::to_string(state.shared->limit),
                         "offset " + std::to_string(record.offset),
                         {},
                         "raise --max-memory"};
    if (state.shared->memory.fetch_sub(raw) < raw) {
      state.shared->memory.fetch_add(raw);
      return too_much;
    }
    AlignedBytes fresh(static_cast<std::byte*>(
        ::operator new[](std::max<size_t>(record.raw_length, 1), std::align_val_t{kAlignment}, std::nothrow)));
    if (fresh == nullptr) return too_much;
    const size_t chunks = record.chunk_stored.size();
    std::vector<size_t> from(chunks);
    for (size_t i = 1; i < chunks; ++i) from[i] = from[i - 1] + record.chunk_stored[i - 1];
    std::vector<Status> unpacked(chunks, ok());
    run_on_threads(chunks, state.shared->threads, [&](size_t i) {
      const size_t start = i * record.chunk_raw;
      const size_t size = std::min<uint64_t>(record.chunk_raw, record.raw_length - start);
      unpacked[i] = decompress_chunk(stored.subspan(from[i], record.chunk_stored[i]), {fresh.get() + start, size});
    });
    for (size_t i = 0; i < chunks; ++i) {
      if (unpacked[i].ok()) continue;
      state.shared->memory.fetch_add(raw);
      return digest_error(quoted(what, record.name) + ": " + unpacked[i].error().what, record.offset + from[i]);
    }
    buffer = std::move(fresh);
  }
  return Bytes(buffer.get(), record.raw_length);
}

Result<Bytes> ModuleView::tensor_bytes(size_t i) const {
  const ModuleIndex& records = state_->index;
  if (i >= records.tensors.size()) return internal("no tensor " + std::to_string(i));
  const TensorRecord& record = records.tensors[i];
  if (dtype_size(record.dtype) == 0)
    return Error{Code::kUnavailable,
                 "DTYPE_UNKNOWN",
                 quoted("tensor", record.name) + " has dtype " + std::to_string(static_cast<int>(record.dtype)) +
                     ", which this build cannot read",
                 {},
                 {},
                 "use a newer modnet"};
  return segment(record, i, "tensor");
}

Result<Bytes> ModuleView::asset(std::string_view name) const {
  const std::optional<size_t> found = find_asset(name);
  if (!found) return invalid("the module has no asset '" + escape_text(name) + "'");
  return segment(state_->index.assets[*found], state_->index.tensors.size() + *found, "asset");
}

Result<ModuleView> ModuleView::component(std::string_view slot) const {
  const ComponentRecord* record = find_component(slot);
  if (record == nullptr) return invalid("the module has no component '" + escape_text(slot) + "'");
  const auto named = [&](Error error) {
    error.what = quoted("component", slot) + ": " + error.what;
    return error;
  };
  const Bytes bytes = state_->bytes.subspan(record->offset, record->length);
  if (sha256(bytes.first(kPreambleBytes)) != record->file)  // check_segments: no component is shorter
    return named(digest_error("its preamble is not the one that the index names", record->offset));
  Result<ModuleView> view = open_at(bytes, state_->depth + 1, state_->shared);
  if (!view.ok()) return named(std::move(view).error());
  if (view->digests().content != record->content)
    return named(digest_error("its content is not what the index names", record->offset));
  return view;
}

Result<Bytes> ModuleView::trailer(TrailerKind kind) const {
  const TrailerEntry* entry = find_trailer(kind);
  if (entry == nullptr) return Bytes{};
  const Bytes bytes = state_->bytes.subspan(entry->offset, entry->length);
  if (sha256(bytes) != entry->digest)
    return digest_error("trailer " + std::to_string(static_cast<uint32_t>(kind)) + " does not match its SHA-256",
                        entry->offset);
  return bytes;
}

Result<Probes> ModuleView::probes() const {
  if (find_trailer(TrailerKind::kProbes) == nullptr) return invalid("the module carries no probes");
  MODNET_ASSIGN(const Bytes bytes, trailer(TrailerKind::kProbes));
  return decode_probes(bytes);
}

Result<std::vector<EvidenceRecord>> ModuleView::evidence() const {
  MODNET_ASSIGN(const Bytes bytes, trailer(TrailerKind::kEvidence));
  return decode_evidence(bytes);
}

}  // namespace modnet
