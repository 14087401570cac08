// Opening a module file, whole or embedded in another: the checks of DESIGN section 4 in their order, and access to its
// parts. Opening reads preamble, index and trailer directory only; damage in a payload is found when it is first used.
// Tested by tests/unit/module/.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/base/digest.h"
#include "formats/base/reader.h"
#include "formats/base/result.h"
#include "formats/module/layout.h"
#include "formats/module/records.h"

namespace modnet {

struct OpenOptions {
  /// Bytes that decompressed segments may take, nested components included. 0: four times the file and 64 MiB.
  int64_t memory_limit = 0;
  /// Threads that unpack the chunks of a compressed segment, nested components' included. The bytes do not depend on them.
  int threads = 1;
};

struct ModuleDigests {
  Digest content{}, body{}, contract{};
  Digest file{};  // SHA-256 of the preamble
};

/// A module file that was checked so far as it can be without its payload. Movable; const functions are thread-safe.
class ModuleView {
 public:
  /// `bytes` (all of a module file) must outlive the view and every view of a component, and every span from them.
  /// In order: preamble, sizes, index SHA-256, FlatBuffers verifier, records, segments, trailer directory.
  /// kMalformed: structure; kDigest: a checksum; kUnavailable: a version or required feature that this build lacks.
  [[nodiscard]] static Result<ModuleView> open(Bytes bytes, const OpenOptions& options = {});
  ModuleView(ModuleView&&) noexcept;
  ModuleView& operator=(ModuleView&&) noexcept;
  ~ModuleView();

  [[nodiscard]] const ModuleIndex& index() const;
  [[nodiscard]] const ModuleDigests& digests() const;
  [[nodiscard]] const Preamble& preamble() const;
  [[nodiscard]] const std::vector<TrailerEntry>& trailers() const;  // sorted by kind
  [[nodiscard]] Bytes bytes() const;
  [[nodiscard]] int depth() const;             // 0 for a whole file
  [[nodiscard]] int64_t memory_limit() const;  // of all decompressed segments, as opened
  /// Optional features of the file that this build does not know: kept, worth a warning.
  [[nodiscard]] const std::vector<std::string>& unknown_features() const;

  [[nodiscard]] std::optional<size_t> find_tensor(std::string_view name) const;
  [[nodiscard]] std::optional<size_t> find_asset(std::string_view name) const;
  [[nodiscard]] const ComponentRecord* find_component(std::string_view slot) const;
  [[nodiscard]] const TrailerEntry* find_trailer(TrailerKind kind) const;

  /// Raw elements of tensor `i` of the index: from the mapping itself for raw tensors (64-byte aligned in the file),
  /// else from a buffer that this view owns. XXH3 is checked on the first use: kDigest names the tensor. kUnavailable
  /// for an unknown dtype, or when decompressed bytes would pass the memory limit.
  [[nodiscard]] Result<Bytes> tensor_bytes(size_t i) const;
  /// The same for an asset; kInvalid when there is none of that name.
  [[nodiscard]] Result<Bytes> asset(std::string_view name) const;
  /// A component, opened in place; its preamble and content must be what this index says (kDigest). At most 32 deep.
  [[nodiscard]] Result<ModuleView> component(std::string_view slot) const;
  /// Bytes of a trailer, SHA-256 checked; an empty span when there is none.
  [[nodiscard]] Result<Bytes> trailer(TrailerKind kind) const;
  /// The probes trailer; kInvalid when there is none.
  [[nodiscard]] Result<Probes> probes() const;
  /// Records of the evidence trailer; none where there is no trailer.
  [[nodiscard]] Result<std::vector<EvidenceRecord>> evidence() const;

 private:
  struct State;
  explicit ModuleView(std::unique_ptr<State> state);
  struct Shared;  // with components
  [[nodiscard]] static Result<ModuleView> open_at(Bytes bytes, int depth, std::shared_ptr<Shared> shared);
  template <typename Record>
  [[nodiscard]] Result<Bytes> segment(const Record& record, size_t slot, std::string_view what) const;
  std::unique_ptr<State> state_;
};

}  // namespace modnet
