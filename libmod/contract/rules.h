// The registry of compatibility rules: one row a rule, in the order in which findings are reported. A rule id is never
// renamed or reused. Rules on ports are relations between a port that gives and a port that takes, so one function serves
// the edge check (A's output feeds B's input) and both directions of the evolution check: v2's input must take what v1's
// took, v2's output must give what v1's gave (RULES.md, laws 2 to 4 hold by construction where the relation is a preorder).
// Tested by tests/unit/contract: every row fires on one generated pair and is silent on another.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/module/records.h"
#include "libmod/contract/symbols.h"

namespace modnet {

enum class Severity : uint8_t { kDeny = 1, kUndecidable = 2, kWarn = 3, kNote = 4 };
enum class Bump : uint8_t { kNone = 0, kPatch = 1, kMinor = 2, kMajor = 3 };

struct Rule;

/// One thing found. On an edge the old side is A's output and the new side B's input.
struct Finding {
  const Rule* rule = nullptr;
  Severity severity = Severity::kDeny;  // the rule's, unless the case is another (LABEL_ADDED to a closed set denies)
  Bump bump = Bump::kNone;
  std::string path;       // edge: "tokens.dims[1]"; evolution: "inputs.tokens.dims[1]"; "SLOT/…" inside a composite
  std::string old_text, new_text;
  std::string what;       // lower case, no full stop: "expected X, got Y" or "was X, is now Y"
  std::string witness;    // a concrete input or shape that shows the failure; empty where there is none
  bool accepted = false;  // by an acceptance: it then neither denies nor asks for a bump
};

class Findings {
 public:
  /// Adds a finding with the rule's own severity and bump; the reference lives until the next add.
  Finding& add(const Rule& rule, std::string path, std::string old_text, std::string new_text, std::string what);
  Finding& add(std::string_view id, std::string path, std::string old_text, std::string new_text, std::string what);
  [[nodiscard]] bool denies() const;  // some finding is kDeny or kUndecidable
  /// In registry order; within a rule as they were found.
  [[nodiscard]] std::vector<Finding> take();
  [[nodiscard]] const std::vector<Finding>& items() const { return items_; }

 private:
  std::vector<Finding> items_;
};

/// Which check two ports meet in. On an edge and for inputs the old side gives; for outputs the new side gives.
enum class Meeting : uint8_t { kEdge, kInput, kOutput };

/// What is known of two spaces that are not the same by their fingerprints (DESIGN section 5).
struct SpaceEvidence {
  std::span<const EvidenceRecord> measured;  // just now
  std::span<const EvidenceRecord> recorded;  // by the side that gives
  double tolerance = 0.10;                   // largest share that counts as the same space
};

/// A port that gives and a port that takes. All pointers must outlive the check.
struct PortPair {
  Meeting meeting = Meeting::kEdge;
  const Port* from = nullptr;
  const Port* to = nullptr;
  Symbols* symbols = nullptr;  // what to's symbols stand for so far
  const SpaceEvidence* evidence = nullptr;

  [[nodiscard]] const Port& old_side() const { return meeting == Meeting::kOutput ? *to : *from; }
  [[nodiscard]] const Port& new_side() const { return meeting == Meeting::kOutput ? *from : *to; }
};

struct Rule {
  std::string_view id;
  std::string_view fields;  // what it reads, separated by blanks: "port.dims port.sequence.max_length"
  Severity severity = Severity::kDeny;
  Bump bump = Bump::kMajor;
  bool edge_only = false;  // an error of composition (RULES.md: E)
  std::string_view rationale;
  std::string_view fix;
  std::string_view example;  // a firing case in a line
  void (*check)(const Rule&, const PortPair&, Findings&) = nullptr;  // null: found by a check on more than two ports
};

/// Every rule, in report order.
[[nodiscard]] std::span<const Rule> rule_table();
/// The row of an id; null when there is none.
[[nodiscard]] const Rule* find_rule(std::string_view id);

/// The sides of the contract that a rule can name in `fields`: every key of a contract's JSON, and the records beside it.
[[nodiscard]] std::span<const std::string_view> contract_fields();

}  // namespace modnet
