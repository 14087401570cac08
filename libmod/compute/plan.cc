#include "libmod/compute/plan.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "libmod/compute/fuse.h"
#include "libmod/graph/graph.h"
#include "libmod/graph/identity.h"

namespace modnet {
namespace {

constexpr int64_t kAlign = 64;
int64_t aligned(int64_t n) { return (n + kAlign - 1) & ~(kAlign - 1); }

/// A value of the plan and the block of the arena that holds it. Values whose lives do not overlap share a block.
struct Slot {
  ValueType type;
  int block = -1;
  int born = 0, last_use = 0;
};
struct Block {
  RowKind rows = RowKind::kItems;
  int64_t row_bytes = 0;
  int free_from = 0;  // first step at which another value may take it
};
/// What one run at a time needs for itself.
struct Lane {
  AlignedBlock<std::byte> arena;
  int64_t arena_bytes = 0;
  std::vector<std::byte*> addresses;  // one a slot, for the last run
  int64_t items = 0, tokens = 0;

  [[nodiscard]] int64_t rows(RowKind kind) const { return kind == RowKind::kItems ? items : tokens; }
  void lay_out(std::span<const Slot> slots, std::span<const Block> blocks);
};

}  // namespace

struct Plan::State {
  ComputeContext context;
  std::vector<Input> inputs;
  std::vector<int> input_slots;
  std::vector<int> wanted;  // slots
  std::vector<std::unique_ptr<Step>> steps;
  std::vector<std::string> names;  // of the steps; only where there is a profile
  std::vector<Slot> slots;
  std::vector<Block> blocks;
  bool ragged = false;
  int64_t weight_bytes = 0;
  std::vector<Lane> lanes;
  int most_at_once = 1;  // runs: of as many threads as there are cores for

  void assign_blocks();
};

namespace {

class Lowerer : public LowerContext {
 public:
  Lowerer(const FlatGraph& graph, const std::map<std::string, int, std::less<>>& values, std::vector<Slot>& slots, int64_t& weight_bytes,
          ThreadPool* pool)
      : graph_(graph), values_(values), slots_(slots), weight_bytes_(weight_bytes), pool_(pool) {}

  void at(const Node& node) {
    node_ = &node;
    result_ = -1;
  }
  [[nodiscard]] int result() const { return result_; }

  const Node& node() const override { return *node_; }
  bool is_tensor(size_t input) const override { return present(input) && graph_.is_tensor(node_->inputs[input]); }
  Result<ValueType> type(size_t input) const override {
    if (!present(input)) return wrong("input " + std::to_string(input) + " is missing");
    const auto it = values_.find(node_->inputs[input]);
    if (it == values_.end()) return wrong("input " + std::to_string(input) + " ('" + node_->inputs[input] + "') is a tensor; expected a value");
    return slots_[static_cast<size_t>(it->second)].type;
  }
  Result<ConstTensor> tensor(size_t input) const override {
    if (!is_tensor(input)) return wrong("input " + std::to_string(input) + " is not a tensor");
    MODNET_ASSIGN(ConstTensor found, graph_.tensor(node_->inputs[input]));
    if (counted_.insert(node_->inputs[input]).second) weight_bytes_ += static_cast<int64_t>(found.bytes.size());
    return found;
  }
  int value(size_t input) const override { return values_.find(node_->inputs[input])->second; }
  int declare(ValueType type) override {
    result_ = static_cast<int>(slots_.size());
    slots_.push_back({std::move(type), -1, 0, 0});
    return result_;
  }
  void alias(size_t input, ValueType type) override {
    aliased_ = value(input);
    result_ = declare(std::move(type));
  }
  ThreadPool* pool() const override { return pool_; }
  [[nodiscard]] int take_alias() { return std::exchange(aliased_, -1); }

 private:
  const FlatGraph& graph_;
  const std::map<std::string, int, std::less<>>& values_;
  std::vector<Slot>& slots_;
  int64_t& weight_bytes_;
  ThreadPool* pool_;
  const Node* node_ = nullptr;
  int result_ = -1, aliased_ = -1;
  mutable std::set<std::string, std::less<>> counted_;
};

/// Tensors are checked by their first use, one after the other: all of them are here, on all threads. What is wrong with one is said where it is used.
void check_tensors(const FlatGraph& graph, const std::vector<Node>& nodes, ThreadPool* pool) {
  if (pool == nullptr || pool->width() == 1) return;
  std::set<std::string_view> seen;
  std::vector<std::string_view> tensors;  // in the order of the nodes: tables of words, the largest, come first
  for (const Node& node : nodes)
    for (const std::string& input : node.inputs)
      if (!input.empty() && graph.is_tensor(input) && seen.insert(input).second) tensors.push_back(input);
  pool->parallel_for(static_cast<int64_t>(tensors.size()), [&](int64_t i, int) { (void)graph.tensor(tensors[static_cast<size_t>(i)]); });
}

}  // namespace

Result<ValueType> port_type(const Port& port) {
  ValueType type;
  type.dtype = port.dtype;
  type.rows = port.layout == Layout::kRagged ? RowKind::kTokens : RowKind::kItems;
  const size_t skip = type.rows == RowKind::kTokens ? 2 : 1;
  int64_t width = 1;
  if (port.dims.size() < skip) return malformed("has no batch dimension", "port '" + port.name + "'");
  for (size_t i = skip; i < port.dims.size(); ++i) {
    if (!port.dims[i].symbol.empty() || port.dims[i].size > (uint64_t{1} << 32))
      return Error{Code::kUnavailable, "OP_UNSUPPORTED", "dimension " + std::to_string(i) + " is not a fixed size that can be run", "port '" + port.name + "'", {}, {}};
    type.item.push_back(static_cast<int64_t>(port.dims[i].size));
    if (__builtin_mul_overflow(width, type.item.back(), &width) || width > (int64_t{1} << 40))
      return Error{Code::kUnavailable, "OP_UNSUPPORTED", "one item has more numbers than can be run", "port '" + port.name + "'", {}, {}};
  }
  return type;
}

Result<Plan> Plan::make(const FlatGraph& graph, const std::vector<std::string>& wanted, const ComputeContext& context, Fusion fusion) {
  auto state = std::make_unique<State>();
  state->context = context;
  const int threads = context.pool == nullptr ? 1 : context.pool->size();
  state->lanes.resize(static_cast<size_t>(threads));
  state->most_at_once = std::min(threads, usable_cores());
  std::vector<Node> nodes = nodes_behind(graph, wanted);
  std::set<std::string, std::less<>> kept(wanted.begin(), wanted.end());
  for (const Node& node : nodes) {  // before fusing, which keeps no versions; "fused" is no domain of files
    const OpRow* op = node.domain == "fused" ? nullptr : find_op(node.domain, node.op);
    if (op == nullptr || node.version < 1 || node.version > op->version)
      return Error{Code::kUnavailable, "OP_UNSUPPORTED", "operation " + op_text(node) + " version " + std::to_string(node.version) + " is not known to this build",
                   node.name, {}, "modnet capabilities lists what is; use a newer modnet"};
  }
  if (fusion == Fusion::kOn) nodes = fuse(std::move(nodes), kept, graph.is_tensor);

  std::set<std::string, std::less<>> read(wanted.begin(), wanted.end());
  for (const Node& node : nodes) read.insert(node.inputs.begin(), node.inputs.end());
  check_tensors(graph, nodes, context.pool);
  std::map<std::string, int, std::less<>> values;
  for (const FlatPort& input : graph.inputs) {
    if (!read.contains(input.value) || values.contains(input.value)) continue;
    MODNET_ASSIGN(ValueType type, port_type(input.port));
    state->ragged = state->ragged || type.rows == RowKind::kTokens;
    values[input.value] = static_cast<int>(state->slots.size());
    state->input_slots.push_back(values[input.value]);
    state->slots.push_back({type, -1, 0, 0});
    state->inputs.push_back({input.value, std::move(type), input.port.optional});
  }

  Lowerer lowerer(graph, values, state->slots, state->weight_bytes, context.pool);
  std::map<int, int> alias_of;
  const auto root = [&](int slot) {
    for (auto it = alias_of.find(slot); it != alias_of.end(); it = alias_of.find(slot)) slot = it->second;
    return slot;
  };
  const Uses uses = count_uses(nodes, kept);
  for (const Node& node : nodes) {
    const OpRow* op = find_op(node.domain, node.op);
    if (op == nullptr) return internal("no lowering of " + op_text(node));
    lowerer.at(node);
    MODNET_ASSIGN(std::unique_ptr<Step> step, op->lower(lowerer));
    const int aliased = lowerer.take_alias();
    if (aliased >= 0) alias_of[lowerer.result()] = aliased;
    const bool taken = fusion == Fusion::kOn && step != nullptr && !state->steps.empty() && uses.at(node.inputs[0]) == 1 && state->steps.back()->take(step);
    const int at = static_cast<int>(state->steps.size()) - (taken ? 1 : 0);
    for (const std::string& input : node.inputs)
      if (const auto it = values.find(input); it != values.end()) {
        Slot& slot = state->slots[static_cast<size_t>(root(it->second))];
        slot.last_use = std::max(slot.last_use, at);
      }
    state->slots[static_cast<size_t>(lowerer.result())].born = at;
    state->slots[static_cast<size_t>(lowerer.result())].last_use = at;
    values[node.outputs[0]] = lowerer.result();
    if (step == nullptr) continue;
    if (context.profile != nullptr) state->names.push_back(op_text(node));
    state->steps.push_back(std::move(step));
  }
  for (size_t i = 0; i < state->names.size(); ++i) state->names[i] += state->steps[i]->sizes();
  const int end = static_cast<int>(state->steps.size()) + 1;
  for (const std::string& name : wanted) {
    const auto it = values.find(name);
    if (it == values.end()) return usage("'" + name + "' is not a value of the graph");
    if (const DType dtype = state->slots[static_cast<size_t>(it->second)].type.dtype; dtype != DType::kF32)
      return usage("'" + name + "' holds " + std::string(dtype_name(dtype)) + "; only f32 values can be asked for");
    state->wanted.push_back(it->second);
    state->slots[static_cast<size_t>(root(it->second))].last_use = end;
  }
  state->assign_blocks();
  for (const auto& [slot, source] : alias_of) state->slots[static_cast<size_t>(slot)].block = state->slots[static_cast<size_t>(root(source))].block;
  return Plan(std::move(state));
}

/// First fit over steps: a value takes a block of its row kind that is free, the one whose width is nearest, else a new one.
/// Aliases get a block here too but are overwritten by their source's; they are narrow and rare.
void Plan::State::assign_blocks() {
  for (Slot& slot : slots) {
    int best = -1;
    for (size_t b = 0; b < blocks.size(); ++b) {
      if (blocks[b].rows != slot.type.rows || blocks[b].free_from > slot.born) continue;
      const auto waste = [&](size_t k) { return std::abs(blocks[k].row_bytes - slot.type.row_bytes()); };
      if (best < 0 || waste(b) < waste(static_cast<size_t>(best))) best = static_cast<int>(b);
    }
    if (best < 0) {
      best = static_cast<int>(blocks.size());
      blocks.push_back({slot.type.rows, 0, 0});
    }
    Block& block = blocks[static_cast<size_t>(best)];
    block.row_bytes = std::max(block.row_bytes, slot.type.row_bytes());
    block.free_from = slot.last_use + 1;
    slot.block = best;
  }
}

void Lane::lay_out(std::span<const Slot> slots, std::span<const Block> blocks) {
  int64_t total = 0;
  std::vector<int64_t> offset(blocks.size());
  for (size_t b = 0; b < blocks.size(); ++b) {
    offset[b] = total;
    total += aligned(blocks[b].row_bytes * rows(blocks[b].rows));
  }
  if (total > arena_bytes) {
    total += total / 16;  // the next run may be a little larger; fresh memory is zeroed by the system first
    arena.reset();
    arena = aligned_block<std::byte>(total);
    arena_bytes = total;
  }
  addresses.resize(slots.size());
  for (size_t s = 0; s < slots.size(); ++s) addresses[s] = arena.get() + offset[static_cast<size_t>(slots[s].block)];
}

Status Plan::run(std::span<const PlanInput> given, std::span<const int64_t> offsets, int64_t items, int number) {
  const State& s = *state_;
  Lane& lane = state_->lanes[static_cast<size_t>(number)];
  lane.items = s.ragged ? static_cast<int64_t>(offsets.size()) - 1 : items;
  lane.tokens = s.ragged ? offsets.back() : 0;
  lane.lay_out(s.slots, s.blocks);
  for (size_t i = 0; i < s.inputs.size(); ++i) {
    const Input& input = s.inputs[i];
    const int64_t rows = lane.rows(input.type.rows);
    const size_t bytes = static_cast<size_t>(rows * input.type.row_bytes());
    std::byte* to = lane.addresses[static_cast<size_t>(s.input_slots[i])];
    const auto it = std::find_if(given.begin(), given.end(), [&](const PlanInput& one) { return one.value == input.value; });
    if (it == given.end()) {
      if (!input.optional) return internal("input '" + input.value + "' of a plan was not given");
      std::memset(to, 0, bytes);
      continue;
    }
    if (it->rows != rows) return internal("input '" + input.value + "' has " + std::to_string(it->rows) + " rows; expected " + std::to_string(rows));
    if (bytes > 0) std::memcpy(to, it->data, bytes);
  }
  const bool together = s.context.pool == nullptr || s.context.pool->width() == s.context.pool->size();
  const Frame frame{&s.context, lane.items, lane.tokens, offsets, lane.addresses};
  for (size_t i = 0; i < s.steps.size(); ++i) {
    std::optional<ProfiledSpan> span;
    if (s.context.profile != nullptr) span.emplace(s.context.profile, s.names[i], s.steps[i]->operations(frame), together ? 1.0 : 1.0 / s.most_at_once);
    MODNET_TRY(s.steps[i]->run(frame));
  }
  return ok();
}

PlanOutput Plan::output(size_t wanted, int number) const {
  const Lane& lane = state_->lanes[static_cast<size_t>(number)];
  const auto slot = static_cast<size_t>(state_->wanted[wanted]);
  const ValueType& type = state_->slots[slot].type;
  return {reinterpret_cast<const float*>(lane.addresses[slot]), lane.rows(type.rows), type.width(), type.rows};
}

Plan::Plan(std::unique_ptr<State> state) : state_(std::move(state)) {}
Plan::Plan(Plan&&) noexcept = default;
Plan& Plan::operator=(Plan&&) noexcept = default;
Plan::~Plan() = default;
const std::vector<Plan::Input>& Plan::inputs() const { return state_->inputs; }
const ValueType& Plan::output_type(size_t wanted) const { return state_->slots[static_cast<size_t>(state_->wanted[wanted])].type; }
bool Plan::ragged() const { return state_->ragged; }
int64_t Plan::weight_bytes() const { return state_->weight_bytes; }
size_t Plan::steps() const { return state_->steps.size(); }
int64_t Plan::item_bytes() const {
  int64_t total = 0;
  for (const Block& block : state_->blocks) total += block.rows == RowKind::kItems ? block.row_bytes : 0;
  return total;
}
int64_t Plan::token_bytes() const {
  int64_t total = 0;
  for (const Block& block : state_->blocks) total += block.rows == RowKind::kTokens ? block.row_bytes : 0;
  return total;
}

}  // namespace modnet
