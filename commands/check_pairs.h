// Which modules check compares, and how: every file is opened once, every pair is an edge or an evolution by the kinds of its
// modules. What cannot be opened is a pair with an error, so that a report names it. Tested by tests/cli/check-*.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "commands/check_probes.h"
#include "commands/module_file.h"
#include "libmod/contract/report/report.h"
#include "libmod/graph/inside.h"

namespace modnet {

/// A file that was asked for: a module, or why there is none.
struct CheckInput {
  std::string path;
  std::unique_ptr<ModuleFile> file;
  std::optional<CheckedModule> module;  // set exactly where there is no error
  std::optional<Error> error;

  [[nodiscard]] const Identity& identity() const { return file->view.index().identity; }
};

/// Reads no payload. The module obeys check_module().
[[nodiscard]] CheckInput open_input(const std::string& path, const Invocation& invocation);
/// Every *.mnet of a folder by name, or the file itself. A folder that cannot be listed is one input with an error.
[[nodiscard]] std::vector<CheckInput> open_history(const std::string& path, const Invocation& invocation);

enum class Asked : uint8_t { kByKinds, kEdge, kEvolution };
/// How A and B meet. `a_first`: A feeds B, or A is the old module.
struct Relation {
  CheckKind kind = CheckKind::kEdge;
  bool a_first = true;
};
/// Equal kinds are an evolution, of which B is the old module. Encoder, backbone, adapter, head: the earlier feeds the later; a
/// composite is fed by an encoder and feeds heads and adapters. kUsage for a composite and a backbone, which is either: say which.
[[nodiscard]] Result<Relation> relate(Kind a, Kind b, Asked asked);

/// Runs probes for a pair, given as for measure_pair(); empty: nothing is run, only recorded evidence counts.
using Prober = std::function<Result<MeasuredPair>(const CheckedModule& from, const CheckedModule& to, CheckKind kind)>;

/// Is a pair told what feeds what? A table of thousands of pairs has no place for it.
enum class Seams : uint8_t { kUnsaid, kSaid };
/// One pair, checked. Inputs with errors give an undecidable pair that names them.
[[nodiscard]] Result<CheckedPair> check_pair(const CheckInput& a, const CheckInput& b, Asked asked, const CheckContext& context, const Prober& prober,
                                             Seams seams = Seams::kUnsaid);
/// Two modules that are open: runs what is to be run, then the check with what that showed. `out` has its names already.
[[nodiscard]] Status check_opened(const CheckedModule& from, const CheckedModule& to, CheckKind kind, CheckContext context, const Prober& prober, CheckedPair& out);
/// What feeds what in a checked edge, and what makes it right: "embedding → features f32[B,384], the same space …".
[[nodiscard]] std::vector<std::string> seam_lines(const Contract& from, const Contract& to, const CheckReport& report);
/// One module alone: what this build can run, its lineage, the seams within.
[[nodiscard]] Result<CheckedPair> check_by_itself(const CheckInput& input, const CheckContext& context, const Prober& prober);

/// The operations that this build can run, for CheckContext::operations.
[[nodiscard]] std::vector<OpRequirement> build_operations();

/// --require A:B: shell patterns for the two sides of a pair; each fits a module's name, NAME@VERSION, or its file's path.
struct PairPattern {
  std::string a, b;
  [[nodiscard]] static Result<PairPattern> parse(const std::string& text);
  [[nodiscard]] bool fits(const CheckInput& first, const CheckInput& second) const;
};

}  // namespace modnet
