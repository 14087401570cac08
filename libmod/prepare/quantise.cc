#include "libmod/prepare/quantise.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "libmod/prepare/probes.h"

namespace modnet {
namespace {

// Items on which groups are measured alone, where there are twice as many: their order needs no more.
constexpr int64_t kRankItems = 64;
// Rows of each layer on which migrations are compared, and bytes of captured rows at a time.
constexpr int64_t kFitRows = 512;
constexpr int64_t kCaptureBytes = int64_t{64} << 20;

std::string tap_name(size_t group) { return "modnet.quantise/" + std::to_string(group); }

/// Every n-th row, and the greatest magnitude of each column over all rows, as they come.
class RowSampler {
 public:
  explicit RowSampler(int64_t k) : k_(k) { out_.most.assign(static_cast<size_t>(k), 0.0F); }
  /// A set begins.
  void restart() { step_ = seen_ = 0; }
  /// `share`: what these rows are of all of the set; it decides with the first ones how many are left out.
  void add(const std::vector<float>& values, double share) {
    const int64_t rows = static_cast<int64_t>(values.size()) / k_;
    if (step_ == 0) step_ = std::max<int64_t>(1, (std::llround(static_cast<double>(rows) / share) + kFitRows - 1) / kFitRows);
    for (int64_t i = 0; i < rows; ++i, ++seen_) {
      const float* row = values.data() + i * k_;
      for (int64_t p = 0; p < k_; ++p) out_.most[static_cast<size_t>(p)] = std::max(out_.most[static_cast<size_t>(p)], std::abs(row[p]));
      if (seen_ % step_ != 0) continue;
      out_.rows.insert(out_.rows.end(), row, row + k_);
      ++out_.count;
    }
  }
  [[nodiscard]] const LayerRows& rows() const { return out_; }

 private:
  int64_t k_ = 0, step_ = 0, seen_ = 0;
  LayerRows out_;
};

/// Every n-th item, so that at least kRankItems are left.
Probes thinned(const Probes& set) {
  const uint64_t step = std::max<uint64_t>(1, set.count / kRankItems);
  Probes out;
  out.source = set.source;
  out.count = (set.count + step - 1) / step;
  for (const auto& [from, to] : {std::pair(&set.inputs, &out.inputs), std::pair(&set.outputs, &out.outputs)})
    for (const ProbeArray& array : *from) {
      const bool ragged = !array.offsets.empty();
      const uint64_t rows = ragged ? array.offsets.back() : set.count, row_bytes = rows == 0 ? 0 : array.data.size() / rows;
      ProbeArray part{array.port, array.dtype, array.item_shape, {}, {}};
      if (ragged) part.offsets.push_back(0);
      for (uint64_t i = 0; i < set.count; i += step) {
        const uint64_t begin = ragged ? array.offsets[i] : i, end = ragged ? array.offsets[i + 1] : i + 1;
        part.data.append(array.data, begin * row_bytes, (end - begin) * row_bytes);
        if (ragged) part.offsets.push_back(part.offsets.back() + end - begin);
      }
      to->push_back(std::move(part));
    }
  return out;
}

/// The measuring side: calibration sets with their f32 outputs, and the ports to compare.
struct Judge {
  const FlatGraph& graph;
  const std::vector<LayerGroup>& groups;
  const std::vector<Int8Group>& forms;
  const std::vector<std::string>& ports;
  const RunnerOptions& options;
  std::vector<Probes> sets;

  /// What the set and port that move most show when the groups with `narrow` set are in 8 bits.
  Result<SpaceMeasure> measure(const std::vector<Probes>& on, const std::vector<bool>& narrow) const {
    MODNET_ASSIGN(const Int8Graph made, int8_graph(graph, groups, chosen(narrow)));
    MODNET_ASSIGN(Runner runner, Runner::make(with_changes(graph, made.changed), ports, options));
    SpaceMeasure worst;
    for (const Probes& set : on) {
      MODNET_ASSIGN(const std::vector<ProbeArray> given, run_probes(runner, set));
      for (const std::string& port : ports) {
        MODNET_ASSIGN(const MeasuredSpace one, compare_outputs(set.outputs, port, given, port, static_cast<int64_t>(set.count)));
        if (one.figures.nonfinite > 0 || one.figures.probe_distance == 0) return one.figures;
        if (worst.probes == 0 || one.figures.largest > worst.largest) worst = one.figures;
      }
    }
    return worst;
  }
  std::vector<const Int8Group*> chosen(const std::vector<bool>& narrow) const {
    std::vector<const Int8Group*> out(groups.size(), nullptr);
    for (size_t g = 0; g < groups.size(); ++g)
      if (narrow[g]) out[g] = &forms[g];
    return out;
  }
};

bool within(const SpaceMeasure& measure, double limit) { return measure.nonfinite == 0 && measure.largest <= limit; }

int64_t rows_of(const Probes& set) { return static_cast<int64_t>(set.inputs.empty() || set.inputs[0].offsets.empty() ? set.count : set.inputs[0].offsets.back()); }

/// The best form of every group, on rows that the f32 graph gives for the calibration sets.
Result<std::vector<Int8Group>> fit_groups(FlatGraph graph, const std::vector<LayerGroup>& groups, const std::vector<Probes>& sets, const RunnerOptions& options) {
  for (size_t g = 0; g < groups.size(); ++g) graph.taps.push_back({tap_name(g), groups[g].input});
  std::vector<Int8Group> out(groups.size());
  int64_t rows_at_once = 0;
  for (const Probes& set : sets) rows_at_once = std::max(rows_at_once, std::min(rows_of(set), kSliceRows));
  for (size_t begin = 0, end = 0; begin < groups.size(); begin = end) {
    std::vector<std::string> taps;
    std::vector<RowSampler> samples;
    for (int64_t bytes = 0; end < groups.size() && (end == begin || bytes + rows_at_once * groups[end].k * 4 <= kCaptureBytes); ++end) {
      bytes += rows_at_once * groups[end].k * 4;
      taps.push_back(tap_name(end));
      samples.emplace_back(groups[end].k);
    }
    MODNET_ASSIGN(Runner runner, Runner::make(graph, taps, options));
    for (const Probes& set : sets) {
      const double all = static_cast<double>(std::max<int64_t>(1, rows_of(set)));
      for (RowSampler& one : samples) one.restart();
      MODNET_ASSIGN(const ProbeColumns inputs, probe_columns(set, runner.inputs()));
      const SliceWork take = [&](std::span<const PortColumn> columns, int64_t items, int64_t rows) -> Status {
        std::vector<OutputColumn> values;
        MODNET_TRY(runner.run(columns, items, &values));
        for (size_t i = 0; i < samples.size(); ++i) samples[i].add(values[i].values, static_cast<double>(std::max<int64_t>(1, rows)) / all);
        return ok();
      };
      MODNET_TRY(each_slice(inputs, static_cast<int64_t>(set.count), take));
    }
    for (size_t g = begin; g < end; ++g) {
      MODNET_ASSIGN(out[g], fit_group(graph, groups[g], samples[g - begin].rows(), options.context));
    }
  }
  return out;
}

}  // namespace

Result<Quantised> quantise_int8(const FlatGraph& graph, const std::vector<Probes>& calibration, const std::vector<std::string>& ports, double limit, const RunnerOptions& options) {
  MODNET_ASSIGN(const std::vector<LayerGroup> groups, layer_groups(graph));
  if (groups.empty()) return invalid("has no linear layer with f32 weights of its own");
  MODNET_ASSIGN(const std::vector<Int8Group> forms, fit_groups(graph, groups, calibration, options));
  Judge judge{graph, groups, forms, ports, options, calibration};
  {
    MODNET_ASSIGN(Runner runner, Runner::make(graph, ports, options));
    for (Probes& set : judge.sets) MODNET_TRY(fill_probe_outputs(runner, set));
  }
  Quantised out;
  for (size_t g = 0; g < groups.size(); ++g) out.groups.push_back({groups[g].names, forms[g].exponent, forms[g].error, 0, false, {}});
  std::vector<bool> narrow(groups.size(), true);
  MODNET_ASSIGN(out.all, judge.measure(judge.sets, narrow));
  out.chosen = out.all;
  if (!within(out.all, limit)) {
    std::vector<Probes> some_items;
    for (const Probes& set : judge.sets) some_items.push_back(thinned(set));
    std::vector<double> harm(groups.size());
    for (size_t g = 0; g < groups.size(); ++g) {
      std::vector<bool> only(groups.size(), false);
      only[g] = true;
      MODNET_ASSIGN(const SpaceMeasure one, judge.measure(some_items, only));
      out.groups[g].alone = one.mean;
      harm[g] = one.nonfinite > 0 ? HUGE_VAL : one.mean * one.mean / static_cast<double>(groups[g].numbers);
    }
    std::vector<size_t> order(groups.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return harm[a] > harm[b]; });
    const auto keep = [&](size_t count) {
      std::vector<bool> some(groups.size(), true);
      for (size_t i = 0; i < count; ++i) some[order[i]] = false;
      return some;
    };
    // The fewest that are enough, by bisection: keeping all is enough for certain.
    size_t few = 0, enough = groups.size();
    SpaceMeasure at_enough;
    while (enough - few > 1) {
      const size_t middle = (few + enough) / 2;
      MODNET_ASSIGN(const SpaceMeasure one, judge.measure(judge.sets, keep(middle)));
      if (within(one, limit)) {
        enough = middle;
        at_enough = one;
      } else {
        few = middle;
      }
    }
    if (enough == groups.size())
      return Error{Code::kNo, "SPACE_FINGERPRINT_MISMATCH", "every layer would have to stay f32 for the outputs to stay as near to f32 as they must", {}, {},
                   "allow a larger difference, or use bf16"};
    narrow = keep(enough);
    out.chosen = at_enough;
    for (size_t g = 0; g < groups.size(); ++g) out.groups[g].kept = !narrow[g];
  }
  MODNET_ASSIGN(Int8Graph made, int8_graph(graph, groups, judge.chosen(narrow)));
  out.graph = std::move(made.changed);
  for (size_t g = 0; g < groups.size(); ++g) out.groups[g].folded = std::move(made.folded[g]);
  return out;
}

}  // namespace modnet
