// Probes: stored inputs with the f32 outputs that a backbone gives for them, so that another backbone can be measured against
// the space that a head was trained on (DESIGN section 5).
// Tested by tests/unit/prepare/runner/probes_test.cc.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/records.h"
#include "libmod/contract/port_rules.h"
#include "libmod/prepare/runner.h"

namespace modnet {

inline constexpr int64_t kProbeItems = kLeastProbes;
inline constexpr int64_t kProbeInputBytes = int64_t{128} << 10;

/// The built-in texts, at least kProbeItems, short and long, several languages and registers.
[[nodiscard]] std::span<const std::string_view> builtin_probe_texts();

/// Token ids of the built-in texts as an encoder makes them; cut so that all fit kProbeInputBytes.
[[nodiscard]] Result<Probes> text_probes(Runner& encoder, std::string_view tokens_port);
/// Inputs for ports of fixed shape: small 8-bit pictures drawn by Philox, no dimension larger than lets all items fit.
[[nodiscard]] Result<Probes> drawn_probes(const std::vector<Port>& inputs, uint64_t seed);
/// A stored input as its port takes it. Small pictures are enlarged by index · small / size in each dimension, and become
/// low + (high - low) · byte / 255 where the port is f32, with its declared range ([-1, 1] where there is none).
[[nodiscard]] Result<std::string> expand_probe(const ProbeArray& array, const Port& port, int64_t count);

/// The stored inputs as a runner takes them. Columns borrow from the object: moving keeps them valid, copying would not.
struct ProbeColumns {
  std::vector<PortColumn> columns;
  std::vector<std::vector<int64_t>> offsets;  // one an input; empty: one row an item
  std::vector<std::string> data;
  ProbeColumns() = default;
  ProbeColumns(ProbeColumns&&) = default;
  ProbeColumns& operator=(ProbeColumns&&) = default;
};
/// `inputs` are those of the runner. A stored input goes to the port of its name, or, where there is only one stored input
/// and one port that is not optional, to that. kMalformed names a stored input that has no port or does not fit it.
[[nodiscard]] Result<ProbeColumns> probe_columns(const Probes& probes, const std::vector<Port>& inputs);
/// What outputs are stored as: rows of items as they are; sequences as two arrays, ":mean" and ":first" row of each.
[[nodiscard]] std::vector<ProbeArray> probe_outputs(const std::vector<OutputColumn>& outputs, int64_t items);

/// Calls `each` with the inputs of a few dozen items after the other, so that what a run gives need not be held for all. Rows: of a ragged
/// input, else items. Stops at the first error.
using SliceWork = std::function<Status(std::span<const PortColumn> inputs, int64_t items, int64_t rows)>;
[[nodiscard]] Status each_slice(const ProbeColumns& inputs, int64_t items, const SliceWork& each);
/// Most rows that a slice has, where no single item has more.
inline constexpr int64_t kSliceRows = 2048;

/// What the ports of `backbone` give for the inputs of `probes`, as probe_outputs stores it.
[[nodiscard]] Result<std::vector<ProbeArray>> run_probes(Runner& backbone, const Probes& probes);
/// Runs `backbone` on the inputs of `probes` and stores what its ports give.
[[nodiscard]] Status fill_probe_outputs(Runner& backbone, Probes& probes);

}  // namespace modnet
