#include "libmod/prepare/runner.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <numeric>
#include <optional>

#include "libmod/compute/plan.h"
#include "libmod/graph/graph.h"
#include "libmod/prepare/text/tokenizer.h"

namespace modnet {
namespace {

// Rows that a worker runs alone at the least: fewer do not pay for reading the weights.
constexpr int64_t kRowsApart = 64;
// Threads' shares of memory that a batch of all threads takes at most.
constexpr int64_t kSharesTogether = 3;

/// What stands in a modnet.Tokenize node.
struct TextStage {
  Tokenizer tokenizer;
  EncodeOptions options;
  std::string prefix;
  std::string text_value, tokens_value;
  uint64_t max_length = 0;
};

Result<TextStage> read_stage(const FlatGraph& graph, const Node& node) {
  constexpr std::array<std::string_view, 3> kKnown = {"asset", "max_length", "prefix"};
  if (node.version != 1)
    return Error{Code::kUnavailable, "OP_UNSUPPORTED", "operation modnet.Tokenize version " + std::to_string(node.version) + " is not known to this build",
                 node.name, {}, "use a newer modnet"};
  MODNET_TRY(only_attributes(node, kKnown));
  if (node.inputs.size() != 1 || node.outputs.size() != 1) return malformed("modnet.Tokenize takes one text and makes one list of tokens", node.name);
  MODNET_ASSIGN(const std::string asset, attribute_text(node, "asset", ""));
  MODNET_ASSIGN(const int64_t max_length, attribute_int(node, "max_length", 0));
  MODNET_ASSIGN(const std::string prefix, attribute_text(node, "prefix", ""));
  MODNET_ASSIGN(const Bytes bytes, graph.asset(asset));
  MODNET_ASSIGN(Tokenizer tokenizer, Tokenizer::from_json(as_text(bytes)));
  TextStage stage{std::move(tokenizer), {}, prefix, node.inputs[0], node.outputs[0], static_cast<uint64_t>(max_length)};
  if (max_length < 0) return malformed("attribute 'max_length' is negative", node.name);
  if (max_length > 0) stage.options.max_length = max_length;
  return stage;
}

/// Token rows of all items, packed.
struct Tokens {
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets = {0};
  std::vector<uint8_t> cut;  // one an item
};

Result<Tokens> tokenize(const TextStage& stage, std::span<const std::string_view> texts, ThreadPool& pool, std::vector<Tokenizer::Workspace>& workspaces, Overflow overflow) {
  constexpr int64_t kPiece = 64;
  const int64_t items = static_cast<int64_t>(texts.size()), pieces = (items + kPiece - 1) / kPiece;
  std::vector<std::vector<int32_t>> ids(static_cast<size_t>(pieces));
  std::vector<int32_t> lengths(static_cast<size_t>(items));
  std::vector<std::optional<Error>> errors(static_cast<size_t>(pieces));
  Tokens tokens;
  tokens.cut.resize(static_cast<size_t>(items));
  while (workspaces.size() < static_cast<size_t>(pool.size())) workspaces.emplace_back();
  pool.parallel_for(pieces, [&](int64_t piece, int worker) {
    const auto at = static_cast<size_t>(piece);
    Encoding encoding;
    std::string joined;
    for (int64_t i = piece * kPiece; i < std::min(items, (piece + 1) * kPiece); ++i) {
      std::string_view text = texts[static_cast<size_t>(i)];
      if (!stage.prefix.empty()) text = joined = stage.prefix + std::string(text);
      Status status = stage.tokenizer.encode(text, stage.options, workspaces[static_cast<size_t>(worker)], encoding);
      if (status.ok() && encoding.truncated && overflow == Overflow::kError)
        status = Error{Code::kInvalid, "TEXT_TOO_LONG", "a text has more than the " + std::to_string(stage.options.max_length) + " tokens that the model takes", {}, {},
                       "shorten it, or leave out --overflow error to cut it"};
      if (!status.ok()) {
        Error error = std::move(status).error();
        error.where = "item " + std::to_string(i);
        errors[at] = std::move(error);
        return;
      }
      tokens.cut[static_cast<size_t>(i)] = encoding.truncated ? 1 : 0;
      lengths[static_cast<size_t>(i)] = static_cast<int32_t>(encoding.ids.size());
      ids[at].insert(ids[at].end(), encoding.ids.begin(), encoding.ids.end());
    }
  });
  for (size_t p = 0; p < ids.size(); ++p) {
    if (errors[p]) return *errors[p];
    tokens.ids.insert(tokens.ids.end(), ids[p].begin(), ids[p].end());
  }
  for (const int32_t length : lengths) tokens.offsets.push_back(tokens.offsets.back() + length);
  return tokens;
}

/// A column's rows as its port wants them, or why they are not: a plan reads them unseen.
Status check_column(const PortColumn& column, const Port& port, int64_t items) {
  if (column.dtype != port.dtype)
    return usage("the input '" + port.name + "' takes " + std::string(dtype_name(port.dtype)) + ", the data has " + std::string(dtype_name(column.dtype)));
  if (port.layout == Layout::kRagged && column.offsets.size() != static_cast<size_t>(items) + 1)
    return usage("the input '" + port.name + "' takes ragged sequences, which the data does not have");
  if (port.layout != Layout::kRagged && !column.offsets.empty())
    return usage("the input '" + port.name + "' takes one row an item, the data has ragged sequences");
  return ok();
}

/// kInvalid, naming the item, when two columns have sequences of different length.
Status same_offsets(std::span<const int64_t> first, std::span<const int64_t> other, std::string_view port) {
  for (size_t i = 0; i < first.size(); ++i)
    if (first[i] != other[i])
      return Error{Code::kInvalid, "INVALID", "the sequences of '" + std::string(port) + "' differ in length from those of another input",
                   "item " + std::to_string(i == 0 ? 0 : i - 1), {}, {}};
  return ok();
}

/// A declared output port must be what the graph makes.
Status check_output(const Port& port, const ValueType& made) {
  MODNET_ASSIGN(const ValueType declared, port_type(port));
  if (declared.dtype == made.dtype && declared.rows == made.rows && declared.width() == made.width()) return ok();
  return malformed("is declared as " + std::string(dtype_name(declared.dtype)) + " with " + std::to_string(declared.width()) + " numbers a row; the graph makes " +
                       std::string(dtype_name(made.dtype)) + " with " + std::to_string(made.width()),
                   "port '" + port.name + "'");
}

}  // namespace

namespace {

struct Batches {
  std::vector<int64_t> firsts;  // item of each, and the number of items
  int lanes = 0;                // so many run at once, each on one thread alone; 0: one after the other, each on all
};

}  // namespace

struct Runner::State {
  FlatGraph graph;
  RunnerOptions options;
  std::optional<TextStage> text;
  std::vector<Tokenizer::Workspace> workspaces;
  std::optional<Plan> plan;
  std::vector<Port> inputs, outputs;
  std::vector<std::string> input_values;   // one an input port
  std::vector<int> plan_output;            // one an output; -1: the tokens themselves
  uint64_t longest = 0;                    // tokens of a sequence that the graph takes, 0: any

  Batches cut(std::span<const int64_t> offsets, int64_t items) const;
  /// Items [begin, end), into their place in `out`.
  Status run_batch(const std::vector<PlanInput>& given, std::span<const int64_t> offsets, int64_t begin, int64_t end, int lane, std::vector<OutputColumn>* out);
  Status run_plan(const std::vector<PlanInput>& given, std::span<const int64_t> offsets, int64_t items, std::vector<OutputColumn>* out);
};

Result<FlatPort> find_output(const FlatGraph& graph, std::string_view name) {
  for (const FlatPort& one : graph.outputs)
    if (one.port.name == name) return one;
  for (const Tap& tap : graph.taps) {
    if (tap.name != name) continue;
    FlatPort made{{}, tap.value};
    made.port.direction = Direction::kOutput;
    made.port.name = tap.name;
    made.port.dtype = DType::kF32;
    made.port.semantic = Semantic::kFeatures;
    return made;
  }
  std::string known;
  for (const FlatPort& one : graph.outputs) known += (known.empty() ? "" : ", ") + one.port.name;
  for (const Tap& one : graph.taps) known += (known.empty() ? "" : ", ") + one.name;
  return usage("there is no output port or tap '" + std::string(name) + "'", "the module has: " + known);
}

Result<Runner> Runner::make(FlatGraph graph, const std::vector<std::string>& outputs, const RunnerOptions& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  // The text stage leaves the graph; what it makes becomes an input of the plan.
  for (auto node = graph.nodes.begin(); node != graph.nodes.end(); ++node) {
    if (node->domain != kOurDomain || node->op != "Tokenize") continue;
    MODNET_ASSIGN(TextStage stage, read_stage(graph, *node));
    Port tokens;
    tokens.direction = Direction::kInput;
    tokens.name = "tokens";
    tokens.dtype = DType::kI32;
    tokens.layout = Layout::kRagged;
    tokens.dims = {{"B", 0, 1, 0, 1}, {"T", 0, 1, stage.max_length, 1}};
    tokens.semantic = Semantic::kTokens;
    graph.inputs.push_back({tokens, stage.tokens_value});
    state->text = std::move(stage);
    graph.nodes.erase(node);
    break;
  }

  std::vector<std::string> wanted;
  for (const std::string& name : outputs) {
    MODNET_ASSIGN(FlatPort output, find_output(graph, name));
    state->outputs.push_back(std::move(output.port));
    const std::string& value = output.value;
    if (state->text && value == state->text->tokens_value) {
      state->plan_output.push_back(-1);
      continue;
    }
    state->plan_output.push_back(static_cast<int>(wanted.size()));
    wanted.push_back(value);
  }

  std::vector<std::string> needed;
  if (!wanted.empty()) {
    MODNET_ASSIGN(state->plan, Plan::make(graph, wanted, options.context));
    for (const Plan::Input& input : state->plan->inputs()) needed.push_back(input.value);
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (state->plan_output[o] < 0) continue;
      const ValueType& made = state->plan->output_type(static_cast<size_t>(state->plan_output[o]));
      if (!state->outputs[o].dims.empty()) MODNET_TRY(check_output(state->outputs[o], made));
      else if (made.rows == RowKind::kTokens) state->outputs[o].layout = Layout::kRagged;  // a tap declares nothing
    }
  }
  for (const FlatPort& input : graph.inputs) {
    const bool is_text = state->text && input.value == state->text->text_value;
    const bool is_tokens = state->text && input.value == state->text->tokens_value;
    if (is_tokens || (!is_text && std::find(needed.begin(), needed.end(), input.value) == needed.end())) continue;
    state->inputs.push_back(input.port);
    state->input_values.push_back(input.value);
    if (input.port.sequence && input.port.sequence->max_length > 0 && !is_text)
      state->longest = state->longest == 0 ? input.port.sequence->max_length : std::min(state->longest, input.port.sequence->max_length);
  }
  state->graph = std::move(graph);
  return Runner(std::move(state));
}

Batches Runner::State::cut(std::span<const int64_t> offsets, int64_t items) const {
  const auto bytes_of = [&](int64_t item) {
    const auto at = static_cast<size_t>(item);
    return plan->item_bytes() + (plan->ragged() ? (offsets[at + 1] - offsets[at]) * plan->token_bytes() : 0);
  };
  const int64_t row = std::max<int64_t>(1, plan->ragged() ? plan->token_bytes() : plan->item_bytes());
  const int threads = std::min(options.context.pool->width(), usable_cores());  // more would only take memory
  int64_t all = 0, largest = 0;
  for (int64_t i = 0; i < items; ++i) {
    const int64_t bytes = bytes_of(i);
    all += bytes;
    largest = std::max(largest, bytes);
  }
  // A vendor's library has threads of its own. Few or very uneven items are shared out step by step instead.
  const bool apart = threads > 1 && options.context.policy == Policy::kPortable && all >= threads * std::max(2 * largest, kRowsApart * row);
  const int64_t limit = options.arena_limit * (apart ? 1 : std::min<int64_t>(threads, kSharesTogether));
  Batches batches{{0}, apart ? threads : 0};
  for (int64_t begin = 0, left = all; begin < items;) {
    // The last ones are smaller, so that all threads end together.
    const int64_t most = apart ? std::clamp(left / (2 * threads), std::min(kRowsApart * row, limit), limit) : limit;
    int64_t end = begin, bytes = 0;
    while (end < items) {
      const int64_t more = bytes_of(end);
      if (end > begin && ((options.batch_items > 0 && end - begin >= options.batch_items) || bytes + more > most)) break;
      bytes += more;
      ++end;
    }
    batches.firsts.push_back(begin = end);
    left -= bytes;
  }
  return batches;
}

Status Runner::State::run_batch(const std::vector<PlanInput>& given, std::span<const int64_t> offsets, int64_t begin, int64_t end, int lane, std::vector<OutputColumn>* out) {
  std::vector<PlanInput> part = given;
  std::vector<int64_t> local;
  const int64_t first_token = plan->ragged() ? offsets[static_cast<size_t>(begin)] : 0;
  if (plan->ragged())
    for (int64_t i = begin; i <= end; ++i) local.push_back(offsets[static_cast<size_t>(i)] - first_token);
  for (PlanInput& input : part) {
    const auto of = std::find_if(plan->inputs().begin(), plan->inputs().end(), [&](const Plan::Input& one) { return one.value == input.value; });
    const bool by_token = of->type.rows == RowKind::kTokens;
    input.data = static_cast<const std::byte*>(input.data) + (by_token ? first_token : begin) * of->type.row_bytes();
    input.rows = by_token ? local.back() : end - begin;
  }
  MODNET_TRY(plan->run(part, local, end - begin, lane));
  for (size_t o = 0; o < out->size(); ++o) {
    if (plan_output[o] < 0) continue;
    const PlanOutput made = plan->output(static_cast<size_t>(plan_output[o]), lane);
    const int64_t row = made.kind == RowKind::kTokens ? first_token - offsets.front() : begin;
    std::copy_n(made.data, made.rows * made.width, (*out)[o].values.begin() + row * made.width);
  }
  return ok();
}

Status Runner::State::run_plan(const std::vector<PlanInput>& given, std::span<const int64_t> offsets, int64_t items, std::vector<OutputColumn>* out) {
  for (size_t o = 0; o < out->size(); ++o) {
    if (plan_output[o] < 0) continue;
    OutputColumn& column = (*out)[o];
    const bool by_token = plan->output_type(static_cast<size_t>(plan_output[o])).rows == RowKind::kTokens;
    column.values.resize(static_cast<size_t>((by_token ? offsets.back() - offsets.front() : items) * column.width));
    if (by_token) column.offsets.assign(offsets.begin(), offsets.end());
  }
  const Batches batches = cut(offsets, items);
  const std::vector<int64_t>& firsts = batches.firsts;
  const int64_t count = static_cast<int64_t>(firsts.size()) - 1;
  std::atomic<int64_t> failed = count;  // the first batch that did
  std::exception_ptr thrown;
  std::mutex turn;
  const auto run = [&](int64_t batch, int lane) {
    if (batch >= failed.load()) return;
    bool good = false;
    std::exception_ptr problem;
    try {
      good = run_batch(given, offsets, firsts[static_cast<size_t>(batch)], firsts[static_cast<size_t>(batch) + 1], lane, out).ok();
    } catch (...) {  // no memory
      problem = std::current_exception();
    }
    if (good) return;
    const std::lock_guard<std::mutex> lock(turn);
    if (batch < failed.load()) {
      failed = batch;
      thrown = problem;
    }
  };
  if (batches.lanes == 0) {
    for (int64_t batch = 0; batch < count; ++batch) run(batch, 0);
  } else {
    const auto start = std::chrono::steady_clock::now();
    const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    std::atomic<int64_t> next = 0;
    std::vector<double> ends(static_cast<size_t>(batches.lanes));
    options.context.pool->parallel_for(batches.lanes, [&](int64_t lane, int) {
      for (int64_t batch = next.fetch_add(1); batch < count; batch = next.fetch_add(1)) run(batch, static_cast<int>(lane));
      ends[static_cast<size_t>(lane)] = seconds();
    });
    if (Profile* const profile = options.context.profile; profile != nullptr)
      profile->add("waiting for the last batch", seconds() - std::accumulate(ends.begin(), ends.end(), 0.0) / batches.lanes, 0);
  }
  if (thrown != nullptr) std::rethrow_exception(thrown);
  if (failed == count) return ok();
  for (int64_t item = firsts[static_cast<size_t>(failed)]; item < firsts[static_cast<size_t>(failed) + 1]; ++item) {  // whose fault it is, whatever the batches
    Status status = run_batch(given, offsets, item, item + 1, 0, out);
    if (status.ok()) continue;
    Error error = std::move(status).error();
    if (error.code == Code::kInvalid && error.where.empty()) error.where = "item " + std::to_string(item);
    return error;
  }
  return internal("a batch failed whose items do not");
}

Result<RunCounts> Runner::run(std::span<const PortColumn> columns, int64_t items, std::vector<OutputColumn>* outputs, std::vector<ItemFacts>* facts) {
  State& s = *state_;
  outputs->clear();
  for (const Port& port : s.outputs) {
    OutputColumn& column = outputs->emplace_back();
    column.port = port;
    const int from = s.plan_output[outputs->size() - 1];
    if (from < 0) continue;
    const ValueType& type = s.plan->output_type(static_cast<size_t>(from));
    column.width = type.width();
    if (type.rows == RowKind::kTokens) column.offsets = {0};
  }
  RunCounts counts;
  counts.items = items;
  std::vector<PlanInput> given;
  std::span<const int64_t> offsets;
  Tokens tokens;
  for (size_t i = 0; i < s.inputs.size(); ++i) {
    const Port& port = s.inputs[i];
    const auto column = std::find_if(columns.begin(), columns.end(), [&](const PortColumn& one) { return one.port == port.name; });
    if (column == columns.end()) {
      if (port.optional) continue;
      return usage("the module needs the input '" + port.name + "', which the data does not have");
    }
    if (s.text && s.input_values[i] == s.text->text_value) {
      if (column->texts.size() != static_cast<size_t>(items)) return usage("the input '" + port.name + "' takes texts, which the data does not have");
      const ProfiledSpan span(s.options.context.profile, "Tokenize");
      MODNET_ASSIGN(tokens, tokenize(*s.text, column->texts, *s.options.context.pool, s.workspaces, s.options.overflow));
      counts.truncated = std::count(tokens.cut.begin(), tokens.cut.end(), 1);
      if (!offsets.empty()) MODNET_TRY(same_offsets(offsets, tokens.offsets, port.name));
      offsets = tokens.offsets;
      given.push_back({s.text->tokens_value, tokens.ids.data(), static_cast<int64_t>(tokens.ids.size())});
      continue;
    }
    MODNET_TRY(check_column(*column, port, items));
    if (!offsets.empty() && !column->offsets.empty()) MODNET_TRY(same_offsets(offsets, column->offsets, port.name));
    if (!column->offsets.empty()) offsets = column->offsets;
    given.push_back({s.input_values[i], column->data, 0});
  }
  if (!offsets.empty()) counts.tokens = offsets.back() - offsets.front();
  if (facts != nullptr) {
    facts->assign(static_cast<size_t>(items), {});
    for (size_t i = 0; i + 1 < offsets.size(); ++i) (*facts)[i].tokens = offsets[i + 1] - offsets[i];
    for (size_t i = 0; i < tokens.cut.size(); ++i) (*facts)[i].cut = tokens.cut[i] != 0;
  }
  if (s.longest > 0)
    for (size_t i = 0; i + 1 < offsets.size(); ++i)
      if (static_cast<uint64_t>(offsets[i + 1] - offsets[i]) > s.longest)
        return Error{Code::kInvalid, "MAXLEN_REDUCED", "a sequence of " + std::to_string(offsets[i + 1] - offsets[i]) + " tokens; the module takes at most " + std::to_string(s.longest),
                     "item " + std::to_string(i), {}, "encode with the module's own encoder"};
  for (size_t o = 0; o < outputs->size(); ++o)
    if (s.plan_output[o] < 0) {
      (*outputs)[o].ids = tokens.ids;
      (*outputs)[o].offsets = tokens.offsets;
    }
  if (s.plan) {
    if (s.plan->ragged() && offsets.empty()) return usage("the module needs ragged sequences, which the data does not have");
    // A plan may not read every input (a tap before a side branch): give it those that it knows.
    std::erase_if(given, [&](const PlanInput& one) {
      return std::none_of(s.plan->inputs().begin(), s.plan->inputs().end(), [&](const Plan::Input& input) { return input.value == one.value; });
    });
    MODNET_TRY(s.run_plan(given, offsets, items, outputs));
  }
  return counts;
}

Runner::Runner(std::unique_ptr<State> state) : state_(std::move(state)) {}
Runner::Runner(Runner&&) noexcept = default;
Runner& Runner::operator=(Runner&&) noexcept = default;
Runner::~Runner() = default;
const std::vector<Port>& Runner::inputs() const { return state_->inputs; }
const std::vector<Port>& Runner::outputs() const { return state_->outputs; }
bool Runner::takes_text() const { return state_->text.has_value(); }
int64_t Runner::weight_bytes() const { return state_->plan ? state_->plan->weight_bytes() : 0; }

FlatGraph flat_from_parts(const Graph& graph, const Contract& contract, std::function<Result<ConstTensor>(std::string_view)> tensor,
                          std::function<bool(std::string_view)> is_tensor, std::function<Result<Bytes>(std::string_view)> asset) {
  FlatGraph flat;
  flat.nodes = graph.nodes;
  flat.taps = graph.taps;
  for (const Port& port : contract.ports) (port.direction == Direction::kInput ? flat.inputs : flat.outputs).push_back({port, port.value});
  flat.tensor = std::move(tensor);
  flat.is_tensor = std::move(is_tensor);
  flat.asset = std::move(asset);
  return flat;
}

}  // namespace modnet
