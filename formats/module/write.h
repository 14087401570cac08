// Writing a module file: parts are added in any order, digests are known before a byte is written, and the same parts
// give the same bytes. Everything is written front to back, so a pipe will do. Tested by
// tests/unit/module/write_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "formats/base/file.h"
#include "formats/base/output.h"
#include "formats/base/result.h"
#include "formats/module/layout.h"
#include "formats/module/read.h"
#include "formats/module/records.h"

namespace modnet {

/// How tensors and assets are stored. Components never are compressed again. With kZstd a part that zstd cannot make
/// smaller stays raw.
struct Compression {
  Codec codec = Codec::kRaw;
  int level = 3;  // 1 to 19
};
/// "none", "zstd", "zstd:LEVEL" (the argument of --compress); kUsage for anything else.
[[nodiscard]] Result<Compression> compression_from_text(const std::string& text);

/// Gives a segment's raw bytes, the same each time (called once when added and once when written). The span may point
/// into `scratch`.
using Producer = std::function<Result<Bytes>(std::string* scratch)>;

/// Collects the parts of one module. Spans and files given to it must outlive write().
class ModuleWriter {
 public:
  explicit ModuleWriter(Compression compression = {}) : compression_(compression) {}

  void set_identity(Identity identity) { index_.identity = std::move(identity); }
  /// Ports are sorted by number, required ops and versions by name.
  void set_contract(Contract contract);
  /// Taps and attributes are sorted by name.
  void set_graph(Graph graph);
  void set_features(std::vector<std::string> required, std::vector<std::string> optional);

  /// Each reads the bytes once for their digests. kInvalid when their number is not shape × dtype.
  [[nodiscard]] Status add_tensor(const std::string& name, DType dtype, std::vector<uint64_t> shape, Bytes bytes);
  [[nodiscard]] Status add_tensor(const std::string& name, DType dtype, std::vector<uint64_t> shape, Producer producer);
  [[nodiscard]] Status add_asset(const std::string& name, const std::string& mediatype, Bytes bytes);
  [[nodiscard]] Status add_asset(const std::string& name, const std::string& mediatype, Producer producer);

  /// A whole module file as a component: `length` bytes at `offset` of a file, copied by the system when written, or
  /// bytes in memory. Opened here (structure and digests, no payload). Equal components are stored once.
  [[nodiscard]] Status add_component(const std::string& slot, const MappedFile& file, int64_t offset, int64_t length);
  [[nodiscard]] Status add_component(const std::string& slot, Bytes bytes);

  /// Raw bytes of a trailer; no bytes take it away.
  void set_trailer(TrailerKind kind, std::string bytes);
  [[nodiscard]] Status set_probes(const Probes& probes);
  [[nodiscard]] Status set_evidence(const std::vector<EvidenceRecord>& records);

  /// Of the parts added so far; needs identity.kind, graph, tensors, assets and components, not the contract, so that
  /// fingerprints can be put into the contract.
  [[nodiscard]] Digest body() const;
  [[nodiscard]] const ModuleIndex& index() const { return index_; }

  /// Writes the module to a fresh output; the caller commits. kInvalid when the records would not pass a reader's
  /// checks.
  [[nodiscard]] Result<ModuleDigests> write(Output& output);
  /// The whole file in memory: tests and small modules.
  [[nodiscard]] Result<std::string> to_memory();

 private:
  struct Part {  // bytes of one tensor or asset
    Producer producer;
    std::string compressed;  // when the codec is zstd
  };
  struct Component {
    const MappedFile* file = nullptr;
    int64_t offset = 0;
    Bytes bytes;
  };
  struct Plan {
    std::string preamble, index, directory;
    std::vector<TrailerEntry> trailers;
    ModuleDigests digests;
  };
  class Sink;
  template <typename Record>
  [[nodiscard]] Status digest_part(Producer producer, Record* record, std::map<std::string, Part>* parts);
  [[nodiscard]] Status add_component(const std::string& slot, const Component& component);
  [[nodiscard]] Result<Plan> plan();
  [[nodiscard]] Status emit(const Plan& plan, Sink& sink);
  template <typename Record>
  [[nodiscard]] Status emit_part(const Record& record, const Part& part, Sink& sink);

  Compression compression_;
  ModuleIndex index_;
  std::map<std::string, Part> tensors_, assets_;
  std::map<std::string, Component> components_;
  std::map<TrailerKind, std::string> trailers_;
};

}  // namespace modnet
