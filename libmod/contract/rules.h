// The registry of compatibility rules: one row a rule, in the order in which findings are reported.
// A rule id is never renamed or reused. A rule reads two ports that meet at a seam: A's output and B's input.
// Tested by tests/unit/contract/edge_test.cc: every row fires on one generated pair and is silent on another.
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

/// One thing found: `old_text` is what A gives, `new_text` what B wants.
struct Finding {
  const Rule* rule = nullptr;
  std::string path;  // "tokens.dims[1]"
  std::string old_text, new_text;
  std::string what;
};

/// The two ports of a seam and what B's symbols stand for so far.
struct Seam {
  const Port* from = nullptr;  // A's output
  const Port* to = nullptr;    // B's input
  Symbols* symbols = nullptr;
};

class Findings {
 public:
  void add(const Rule& rule, std::string path, std::string old_text, std::string new_text, std::string what) {
    items_.push_back({&rule, std::move(path), std::move(old_text), std::move(new_text), std::move(what)});
  }
  [[nodiscard]] const std::vector<Finding>& items() const { return items_; }

 private:
  std::vector<Finding> items_;
};

struct Rule {
  std::string_view id;
  std::string_view field;  // the contract field that it reads
  Severity severity = Severity::kDeny;
  Bump bump = Bump::kMajor;
  std::string_view rationale;
  std::string_view fix;
  void (*check_edge)(const Rule&, const Seam&, Findings&) = nullptr;  // null: found while ports are matched
};

/// Every rule, in report order.
[[nodiscard]] std::span<const Rule> rule_table();
/// The row of an id; null when there is none.
[[nodiscard]] const Rule* find_rule(std::string_view id);

}  // namespace modnet
