// Runs a module on items: raw text or prepared values in, any of its declared outputs out. What modnet.Tokenize does happens
// here (on all threads), everything after it in a Plan. Items are cut into batches by tokens, so memory is bounded and, bits
// being portable, no cut shows in a result.
// Tested by tests/unit/prepare/runner/runner_test.cc and tests/cli.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "libmod/compute/matmul.h"
#include "libmod/graph/flat.h"

namespace modnet {

enum class Overflow : uint8_t { kCut, kError };

struct RunnerOptions {
  ComputeContext context;        // the pool must not be null
  Overflow overflow = Overflow::kCut;
  int64_t batch_items = 0;       // at most; 0: by memory alone
  int64_t arena_limit = int64_t{4} << 20;  // bytes of intermediate values that a batch may take for each thread: more leave the caches
};

/// Values of one input port, borrowed. Ragged ports have offsets [items + 1], text ports have texts.
struct PortColumn {
  std::string_view port;
  DType dtype = DType::kInvalid;
  const void* data = nullptr;
  std::span<const int64_t> offsets;
  std::span<const std::string_view> texts;
};

/// Values of one output port for all items of a run: f32, or i32 for token ids. Ragged ones have offsets [items + 1].
struct OutputColumn {
  Port port;
  int64_t width = 1;
  std::vector<float> values;
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets;
};

struct RunCounts {
  int64_t items = 0, tokens = 0, truncated = 0;
  RunCounts& operator+=(const RunCounts& other) {
    items += other.items;
    tokens += other.tokens;
    truncated += other.truncated;
    return *this;
  }
};

/// What a run says of one item.
struct ItemFacts {
  int64_t tokens = 0;
  bool cut = false;  // the text was longer than the model takes
};

/// The output port, or the tap when no port has the name, and the value that it stands for. kUsage lists what there is.
[[nodiscard]] Result<FlatPort> find_output(const FlatGraph& graph, std::string_view name);

class Runner {
 public:
  /// `outputs` are names of output ports, or taps when no port has the name. kUsage lists what there is. The modules behind
  /// `graph` must outlive the runner.
  [[nodiscard]] static Result<Runner> make(FlatGraph graph, const std::vector<std::string>& outputs, const RunnerOptions& options);
  Runner(Runner&&) noexcept;
  Runner& operator=(Runner&&) noexcept;
  ~Runner();

  /// Input ports that a run needs (optional ones among them), and the ports that come out, in the order asked for.
  [[nodiscard]] const std::vector<Port>& inputs() const;
  [[nodiscard]] const std::vector<Port>& outputs() const;
  [[nodiscard]] bool takes_text() const;
  [[nodiscard]] int64_t weight_bytes() const;

  /// Runs `items` items. kUsage when an input that is not optional is missing; kInvalid, naming the item, for a token id that
  /// the model does not have, for a sequence longer than it takes, and for a text over the length under Overflow::kError.
  /// `facts`, where given, becomes one an item.
  [[nodiscard]] Result<RunCounts> run(std::span<const PortColumn> inputs, int64_t items, std::vector<OutputColumn>* outputs,
                                      std::vector<ItemFacts>* facts = nullptr);

 private:
  struct State;
  explicit Runner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// A graph and contract that are not in a file yet, with a way to their tensors and assets.
[[nodiscard]] FlatGraph flat_from_parts(const Graph& graph, const Contract& contract,
                                        std::function<Result<ConstTensor>(std::string_view)> tensor,
                                        std::function<bool(std::string_view)> is_tensor,
                                        std::function<Result<Bytes>(std::string_view)> asset);

}  // namespace modnet
