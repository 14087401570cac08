#include "formats/module/verify.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "formats/base/both_digests.h"
#include "formats/base/digest.h"
#include "formats/base/limits.h"
#include "formats/base/some_threads.h"
#include "formats/base/text.h"
#include "formats/module/chunks.h"
#include "formats/module/digests.h"
#include "formats/module/signatures.h"

namespace modnet {
namespace {

constexpr size_t kMaxFailures = 100;
enum Group : size_t { kStructure, kTensors, kAssets, kComponents, kPadding, kTrailers, kSpaces, kProbes, kSignatures, kGroups };
constexpr const char* kGroupNames[kGroups] = {"structure", "tensors",  "assets", "components",
                                              "padding",   "trailers", "spaces", "probes", "signatures"};

Error digest_error(std::string what, uint64_t offset) {
  return Error{Code::kDigest, "DIGEST", std::move(what), "offset " + std::to_string(offset), {}, {}};
}

template <typename Record>
Status verify_segment(Bytes file, const Record& record, const std::string& what) {
  const std::string name = what + " '" + escape_text(record.name) + "'";
  const Bytes stored = file.subspan(record.offset, record.stored_length);
  const auto no_checksum = [&] { return digest_error(name + " does not match its checksum", record.offset); };
  const auto no_digest = [&] { return digest_error(name + " does not match its SHA-256", record.offset); };
  if (record.codec == Codec::kRaw) {
    const BothDigests digests = xxh3_and_sha256(stored);
    if (digests.xxh3 != record.hash) return no_checksum();
    if (digests.sha256 != record.digest) return no_digest();
    return ok();
  }
  if (xxh3_128(stored) != record.hash) return no_checksum();
  Sha256 sha;
  std::vector<std::byte> buffer(std::min<uint64_t>(record.chunk_raw, record.raw_length));
  size_t from = 0;
  for (size_t i = 0; i < record.chunk_stored.size(); ++i) {
    const size_t size = std::min<uint64_t>(record.chunk_raw, record.raw_length - i * record.chunk_raw);
    Status unpacked = decompress_chunk(stored.subspan(from, record.chunk_stored[i]), {buffer.data(), size});
    if (!unpacked.ok()) return digest_error(name + ": " + unpacked.error().what, record.offset + from);
    sha.update({buffer.data(), size});
    from += record.chunk_stored[i];
  }
  if (sha.finish() != record.digest) return no_digest();
  return ok();
}

/// Every byte that belongs to no part is zero.
Status verify_padding(const ModuleView& view) {
  const ModuleIndex& index = view.index();
  std::vector<std::pair<uint64_t, uint64_t>> parts;
  for (const TensorRecord& r : index.tensors) parts.emplace_back(r.offset, r.stored_length);
  for (const AssetRecord& r : index.assets) parts.emplace_back(r.offset, r.stored_length);
  for (const ComponentRecord& r : index.components) parts.emplace_back(r.offset, r.length);
  parts.emplace_back(view.preamble().index_offset, view.preamble().index_length);
  for (const TrailerEntry& entry : view.trailers()) parts.emplace_back(entry.offset, entry.length);
  parts.emplace_back(view.preamble().directory_offset, view.preamble().directory_length);
  std::sort(parts.begin(), parts.end());
  uint64_t cursor = kPreambleBytes;
  for (const auto& [offset, length] : parts) {
    for (; cursor < offset; ++cursor)
      if (view.bytes()[cursor] != std::byte{0}) return digest_error("padding that is not zero", cursor);
    cursor = std::max(cursor, offset + length);
  }
  return ok();
}

/// A head names the probes that it carries.
Status verify_probes(const ModuleView& view) {
  std::optional<Digest> carried;
  if (view.find_trailer(TrailerKind::kProbes) != nullptr) {
    MODNET_ASSIGN(const Probes probes, view.probes());
    carried = probes_digest(probes);
  }
  if (view.index().identity.kind != Kind::kHead) return ok();
  for (const Port& port : view.index().contract.ports) {
    if (!port.space || is_zero(port.space->probes)) continue;
    if (carried != port.space->probes)
      return digest_error("the probes are not those that port '" + escape_text(port.name) + "' names",
                          view.preamble().directory_offset);
  }
  return ok();
}

/// The signature holds for what the module says now; whose key it is is not a question here.
Status verify_one_signature(const ModuleView& view, const SignatureRecord& record, const Digest& statement) {
  MODNET_ASSIGN(const bool holds, signature_holds(record, statement));
  if (holds) return ok();
  return Error{Code::kDigest,
               "SIGNATURE",
               "the signature of key " + key_id(record.key) + " is not one over what the module says",
               "offset " + std::to_string(view.find_trailer(TrailerKind::kSignatures)->offset),
               {},
               "ask its owner for the module that was signed"};
}

class Verifier {
 public:
  VerifyReport run(const ModuleView& view, int threads) {
    collect(view, "");
    if (packed_ > view.memory_limit())
      add(kStructure, "", [total = packed_, limit = view.memory_limit()]() -> Status {
        return Error{Code::kUnavailable,
                     "MEMORY",
                     "compressed segments unpack to " + std::to_string(total) +
                         " bytes, which passes the memory limit of " + std::to_string(limit),
                     {},
                     {},
                     "raise --max-memory"};
      });
    results_.resize(jobs_.size());
    const bool affordable = packed_ <= view.memory_limit();
    // The largest first: a long one that begins last would keep one thread busy alone.
    std::vector<size_t> order(jobs_.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return jobs_[a].bytes > jobs_[b].bytes; });
    if (!affordable) order = {jobs_.size() - 1};
    run_on_threads(order.size(), threads, [&](size_t at) {
      const size_t i = order[at];
      if (Status status = jobs_[i].check(); !status.ok()) results_[i] = std::move(status).error();
    });
    return report(static_cast<int64_t>(view.bytes().size()));
  }

 private:
  struct Job {
    Group group;
    std::string path;  // "backbone: " for what lies in a component
    std::function<Status()> check;
    uint64_t bytes;  // how much there is to read, roughly
  };

  void add(Group group, const std::string& path, std::function<Status()> check, uint64_t bytes = 0) {
    jobs_.push_back({group, path, std::move(check), bytes});
  }

  void collect(const ModuleView& view, const std::string& path) {
    add(kStructure, path, [] { return ok(); });  // open() did it
    const Bytes file = view.bytes();
    for (const TensorRecord& r : view.index().tensors) {
      if (r.codec == Codec::kZstd) grow(r.raw_length);
      add(kTensors, path, [file, &r] { return verify_segment(file, r, "tensor"); }, r.raw_length);
    }
    for (const AssetRecord& r : view.index().assets) {
      if (r.codec == Codec::kZstd) grow(r.raw_length);
      add(kAssets, path, [file, &r] { return verify_segment(file, r, "asset"); }, r.raw_length);
    }
    add(kPadding, path, [&view] { return verify_padding(view); });
    for (const TrailerEntry& entry : view.trailers())
      add(kTrailers, path, [&view, kind = entry.kind]() -> Status {
        MODNET_TRY(view.trailer(kind));
        return ok();
      });
    if (view.index().identity.kind == Kind::kBackbone)
      for (const Port& port : view.index().contract.ports)
        if (port.space && port.direction == Direction::kOutput)
          add(kSpaces, path, [&view, &port]() -> Status {
            if (port_fingerprint(view.digests().body, view.index().contract, port) == port.space->fingerprint)
              return ok();
            return digest_error("port '" + escape_text(port.name) + "' names a fingerprint that is not its space's",
                                view.preamble().index_offset);
          });
    add(kProbes, path, [&view] { return verify_probes(view); });
    collect_signatures(view, path);
    for (const ComponentRecord& r : view.index().components) {
      // Several slots, also in different components, may hold the same range: looked at once.
      const auto* start = view.bytes().data() + r.offset;
      if (!seen_.emplace(start, true).second) continue;
      Result<ModuleView> inner = view.component(r.slot);
      if (!inner.ok()) {
        add(kComponents, path, [error = inner.error()]() -> Status { return error; });
        continue;
      }
      add(kComponents, path, [] { return ok(); });
      components_.push_back(std::move(*inner));
      collect(components_.back(), path + r.slot + "/");
    }
  }

  void collect_signatures(const ModuleView& view, const std::string& path) {
    Result<std::vector<SignatureRecord>> signatures = signatures_of(view);
    if (!signatures.ok() && signatures.error().code == Code::kDigest) return;  // the trailer's own check says it
    if (!signatures.ok()) {
      add(kSignatures, path, [error = signatures.error()]() -> Status { return error; });
      return;
    }
    const Digest statement = signatures->empty() ? Digest{} : statement_digest(view);
    for (const SignatureRecord& record : *signatures)
      add(kSignatures, path, [&view, record, statement] { return verify_one_signature(view, record, statement); });
  }

  void grow(uint64_t raw) {
    if (!checked_add(packed_, static_cast<int64_t>(raw), &packed_)) packed_ = int64_t{1} << 62;
  }

  VerifyReport report(int64_t bytes) {
    VerifyReport out;
    out.bytes = bytes;
    for (const char* name : kGroupNames) out.checks.push_back({name, 0, 0});
    for (size_t i = 0; i < jobs_.size(); ++i) {
      ++out.checks[jobs_[i].group].count;
      if (!results_[i]) continue;
      ++out.checks[jobs_[i].group].failed;
      if (out.failures.size() == kMaxFailures) continue;
      Error error = std::move(*results_[i]);
      if (!jobs_[i].path.empty()) error.what = "in component '" + escape_text(jobs_[i].path) + "': " + error.what;
      out.failures.push_back(std::move(error));
    }
    return out;
  }

  std::vector<Job> jobs_;
  std::vector<std::optional<Error>> results_;
  std::deque<ModuleView> components_;  // jobs refer to them
  std::map<const std::byte*, bool> seen_;
  int64_t packed_ = 0;
};

}  // namespace

VerifyReport verify_module(const ModuleView& view, int threads) { return Verifier().run(view, threads); }

}  // namespace modnet
