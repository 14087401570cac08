// The edge check: may A's outputs feed B's inputs? Ports are matched by name, else by meaning when only one fits; then
// every rule of the registry runs on every seam, so that one run reports all there is to mend.
// Tested by tests/unit/contract/edge_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/records.h"
#include "libmod/contract/rules.h"

namespace modnet {

enum class Verdict : uint8_t { kCompatible = 0, kIncompatible = 1, kUndecidable = 2 };

/// B's input `to` is fed by A's output `from` (indices into Contract::ports).
struct Binding {
  size_t from = 0, to = 0;
};

struct EdgeReport {
  Verdict verdict = Verdict::kUndecidable;
  std::vector<Binding> bindings;
  std::vector<Finding> findings;
};

/// Every input of `to` that is not optional must be fed by an output of `from`. No comparison at all is undecidable.
/// Both contracts must outlive the report.
[[nodiscard]] EdgeReport check_edge(const Contract& from, const Contract& to);

/// The report as one error (Code::kNo) that says every finding, or nothing to say when compatible.
/// `from_name` and `to_name` are the files or components, for the message.
[[nodiscard]] Status edge_status(const EdgeReport& report, std::string_view from_name, std::string_view to_name);

/// The port of that name and direction; null when there is none. An empty name means "the only one, or the first".
[[nodiscard]] const Port* find_port(const Contract& contract, Direction direction, std::string_view name);

}  // namespace modnet
