// What a check says: the shape that edge and evolution checks share, and that every report prints. A report is complete:
// all rules ran, and what could not be compared is a finding too. Tested by tests/unit/contract/check_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/records.h"
#include "libmod/contract/rules.h"

namespace modnet {

enum class Verdict : uint8_t { kCompatible = 0, kIncompatible = 1, kUndecidable = 2 };
enum class CheckKind : uint8_t { kEdge = 1, kEvolution = 2 };

/// B's input `to` is fed by A's output `from` (indices into Contract::ports).
struct Binding {
  size_t from = 0, to = 0;
};

/// One side of a check. What is not at hand stays empty, and its rules have nothing to say. All must outlive the report.
struct Subject {
  const Contract* contract = nullptr;
  const Identity* identity = nullptr;        // null: a stream's contract
  Digest content{};                          // zero: unknown
  std::span<const Digest> parts;             // contents of the components within
  std::span<const EvidenceRecord> evidence;  // recorded by the module
  Subject(const Contract& only) : contract(&only) {}
  Subject(const Contract& its, const Identity& who, const Digest& digest) : contract(&its), identity(&who), content(digest) {}
};

struct CheckContext {
  /// What this build can run; nothing: not asked. `version` is the newest, all from 1 on count.
  std::optional<std::span<const OpRequirement>> operations;
  std::span<const EvidenceRecord> measured;  // by this run, for pairs of spaces whose fingerprints differ
  double space_tolerance = 0.10;
};

struct CheckReport {
  CheckKind kind = CheckKind::kEdge;
  Verdict verdict = Verdict::kUndecidable;
  std::vector<Finding> findings;  // in the order of the registry, then as found
  std::vector<Binding> bindings;  // edge: what feeds what
  int64_t comparisons = 0;        // ports that met; 0 is never compatible
  Bump required = Bump::kNone;    // evolution: what the changes ask for
  Bump declared = Bump::kNone;    // evolution: what the two version numbers say
  bool changed = false;           // evolution: content or contract differ, so at least a patch is needed
  bool versions_known = false;    // evolution: both sides have a version
  std::string old_version, new_version;
  /// The declared bump is enough; true where no versions were compared.
  [[nodiscard]] bool suffices() const { return !versions_known || declared >= required; }
};

/// Works verdict, required bump and BUMP_INSUFFICIENT out again from the findings. Incompatible when one denies, else
/// undecidable when one could not be decided or nothing was compared, else compatible. Accepted findings do not count.
void settle(CheckReport& report);

/// What identifies a finding wherever and whenever it is found: 16 hex digits over rule, path, old and new text.
/// Acceptances name it (modnet-accept.toml).
[[nodiscard]] std::string finding_key(const Finding& finding);

[[nodiscard]] std::string_view verdict_name(Verdict verdict);     // "compatible" …
[[nodiscard]] std::string_view severity_name(Severity severity);  // "deny", "undecidable", "warn", "note"
[[nodiscard]] std::string_view bump_name(Bump bump);              // "none", "patch", "minor", "major"

/// The report as one error (Code::kNo) that says every finding that keeps it from being compatible; ok when compatible.
/// `from_name` and `to_name` are the files or components, for the message.
[[nodiscard]] Status check_status(const CheckReport& report, std::string_view from_name, std::string_view to_name);

}  // namespace modnet
