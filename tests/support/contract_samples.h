// Contracts for tests: a port with every record that a rule reads, and for each rule a change that breaks it and one near it
// that does not.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "libmod/contract/check.h"

namespace modnet {

[[nodiscard]] Digest digest_of(std::string_view text);
[[nodiscard]] inline Dim fixed(uint64_t size) { return {"", size, 1, 0, 1}; }
[[nodiscard]] inline Dim symbol(std::string name, uint64_t max = 0) { return {std::move(name), 0, 1, max, 1}; }

/// A port with every record that a rule reads but labels; output and input of it fit.
[[nodiscard]] Port sample_port(Direction direction);
[[nodiscard]] Contract with_port(const Port& port);

/// Both sides of a check, alike to begin with. Edge: `before` has the output x, `now` the input x. Evolution: both have the
/// input x and the outputs y and, with labels, z.
struct Sides {
  Contract before, now;
  Identity old_identity, new_identity;
  Digest old_content{}, new_content{};
  std::vector<OpRequirement> operations;  // of this build
  std::vector<EvidenceRecord> measured;
  explicit Sides(CheckKind kind);
  [[nodiscard]] Port& from() { return before.ports[0]; }
  [[nodiscard]] Port& to() { return now.ports[0]; }
};
[[nodiscard]] CheckReport run_check(CheckKind kind, const Sides& sides);

struct RuleCase {
  CheckKind kind;
  std::function<void(Sides&)> firing;  // breaks exactly this rule
  std::function<void(Sides&)> silent;  // something near it that is allowed
  std::string path;                    // of the finding
};
/// Cases by rule id; rules on files (signatures, probes, cards) have tests of their own.
[[nodiscard]] const std::multimap<std::string, RuleCase>& rule_cases();

}  // namespace modnet
