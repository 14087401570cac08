// The edge check: may A's outputs feed B's inputs? Every input is fed by the output that fits it; where none does, the one
// that comes nearest is reported against. Every rule of the registry runs on every seam, so that one run reports all there is
// to mend. Tested by tests/unit/contract/edge_test.cc and laws_test.cc.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/module/records.h"
#include "libmod/contract/check.h"

namespace modnet {

/// Every input of `to` that is not optional must be fed by an output of `from`. Outputs of the input's meaning are tried: that
/// of its name first, then those of its space, then by number; the first choice for all inputs under which everything fits is
/// taken (law 4: an output that A' has in addition must not take the place of the one that fits). An optional input that
/// nothing fits stays unfed. Where an output of the input's name was passed over, a warning says why. No comparison at all is
/// undecidable.
[[nodiscard]] CheckReport check_edge(const Subject& from, const Subject& to, const CheckContext& context = {});

/// The port of that name and direction; null when there is none. An empty name means "the only one, or the first".
[[nodiscard]] const Port* find_port(const Contract& contract, Direction direction, std::string_view name);

/// Findings on one module alone: operations that this build lacks, lineage without digests.
void check_alone(const Subject& subject, const CheckContext& context, Findings& out);

}  // namespace modnet
