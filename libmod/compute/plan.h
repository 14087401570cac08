// A module made ready to run: a flat list of fused steps over one arena, weights packed once. Making a plan checks every
// operation and shape; running it fails only on data. Rows are ragged: a sequence is a range of rows, nothing is padded.
// Tested by tests/unit/compute/plan_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "libmod/compute/aligned.h"
#include "libmod/compute/op.h"

namespace modnet {

enum class Fusion : uint8_t { kOff, kOn };

/// One input's rows for a run. Token rows of all sequences are packed; `rows` is checked against the offsets.
struct PlanInput {
  std::string_view value;    // name of the graph input
  const void* data = nullptr;
  int64_t rows = 0;
};

/// Where a wanted value lies after a run; valid until the next run in its lane.
struct PlanOutput {
  const float* data = nullptr;
  int64_t rows = 0, width = 0;
  RowKind kind = RowKind::kItems;
};

class Plan {
 public:
  /// `wanted` are value names (outputs or taps) of f32 values. Nodes that none of them needs are left out. Inputs are typed by
  /// their ports. Tensors may be read where they lie, so the modules behind `graph` must outlive the plan. modnet.Tokenize is
  /// no part of a plan (libmod/prepare/runner.h runs it): what it makes is an input here.
  [[nodiscard]] static Result<Plan> make(const FlatGraph& graph, const std::vector<std::string>& wanted, const ComputeContext& context,
                                         Fusion fusion = Fusion::kOn);
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;
  ~Plan();

  /// Inputs that a run must be given, with their types; optional ports may be left out and read as zeros.
  struct Input {
    std::string value;
    ValueType type;
    bool optional = false;
  };
  [[nodiscard]] const std::vector<Input>& inputs() const;
  [[nodiscard]] bool ragged() const;  // some input has token rows: offsets are needed

  /// offsets: [items + 1] when ragged, else empty and `items` counts. Outputs are found with output() afterwards. A run uses all threads of
  /// the context's pool; from inside a body of that pool the worker's alone, and several may run the plan at once, each in a lane of
  /// its own (whose arena is made by its first run). lane in [0, pool->size()).
  [[nodiscard]] Status run(std::span<const PlanInput> inputs, std::span<const int64_t> offsets, int64_t items, int lane = 0);
  [[nodiscard]] PlanOutput output(size_t wanted, int lane = 0) const;
  [[nodiscard]] const ValueType& output_type(size_t wanted) const;  // always f32

  /// Arena bytes for one more item row and one more token row: what batching divides the memory limit by.
  [[nodiscard]] int64_t item_bytes() const;
  [[nodiscard]] int64_t token_bytes() const;
  [[nodiscard]] int64_t weight_bytes() const;  // raw bytes of the tensors that were packed
  [[nodiscard]] size_t steps() const;

 private:
  struct State;
  explicit Plan(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Type of a port's rows: layout ragged means token rows. kMalformed when a dim after the rows is not fixed.
[[nodiscard]] Result<ValueType> port_type(const Port& port);

}  // namespace modnet
