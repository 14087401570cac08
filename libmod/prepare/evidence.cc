#include "libmod/prepare/evidence.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <vector>

#include "libmod/graph/flat.h"

namespace modnet {
namespace {

constexpr int64_t kNeighbours = 10;
constexpr double kNearZero = 1e-4;

/// Rows of one side. All sums run over ascending indices.
struct Outputs {
  const float* data = nullptr;
  int64_t items = 0, width = 0;
  [[nodiscard]] const float* row(int64_t i) const { return data + i * width; }
};

double dot(const float* a, const float* b, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) sum += static_cast<double>(a[k]) * static_cast<double>(b[k]);
  return sum;
}
double norm(const float* a, int64_t n) { return std::sqrt(dot(a, a, n)); }
double distance(const float* a, const float* b, int64_t n) {
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) {
    const double d = static_cast<double>(a[k]) - static_cast<double>(b[k]);
    sum += d * d;
  }
  return std::sqrt(sum);
}
bool finite(const float* a, int64_t n) {
  return std::all_of(a, a + n, [](float value) { return std::isfinite(value); });
}

/// Distances between all rows, [items, items].
std::vector<double> distances(const Outputs& x) {
  std::vector<double> out(static_cast<size_t>(x.items * x.items), 0.0);
  for (int64_t i = 0; i < x.items; ++i)
    for (int64_t j = 0; j < i; ++j)
      out[static_cast<size_t>(i * x.items + j)] = out[static_cast<size_t>(j * x.items + i)] = distance(x.row(i), x.row(j), x.width);
  return out;
}

double mean_of_pairs(const std::vector<double>& d, int64_t items) {
  double sum = 0;
  for (int64_t i = 0; i < items; ++i)
    for (int64_t j = 0; j < i; ++j) sum += d[static_cast<size_t>(i * items + j)];
  return items < 2 ? 0.0 : sum / (static_cast<double>(items) * static_cast<double>(items - 1) / 2);
}

double cosine(const float* a, const float* b, int64_t n) {
  const double na = norm(a, n), nb = norm(b, n);
  if (na == 0 || nb == 0) return na == nb ? 1.0 : 0.0;
  return std::clamp(dot(a, b, n) / na / nb, -1.0, 1.0);
}

/// Products of centred rows, [items, items].
std::vector<double> centred_gram(const Outputs& x) {
  std::vector<double> centred(static_cast<size_t>(x.items * x.width)), out(static_cast<size_t>(x.items * x.items));
  for (int64_t k = 0; k < x.width; ++k) {
    double sum = 0;
    for (int64_t i = 0; i < x.items; ++i) sum += static_cast<double>(x.row(i)[k]);
    const double mean = sum / static_cast<double>(x.items);
    for (int64_t i = 0; i < x.items; ++i) centred[static_cast<size_t>(i * x.width + k)] = static_cast<double>(x.row(i)[k]) - mean;
  }
  for (int64_t i = 0; i < x.items; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < x.width; ++k) sum += centred[static_cast<size_t>(i * x.width + k)] * centred[static_cast<size_t>(j * x.width + k)];
      out[static_cast<size_t>(i * x.items + j)] = out[static_cast<size_t>(j * x.items + i)] = sum;
    }
  return out;
}

/// Linear CKA (Kornblith et al. 2019, eq. 3) by Gram matrices; 0 where a side does not vary.
double linear_cka(const Outputs& x, const Outputs& y) {
  const std::vector<double> a = centred_gram(x), b = centred_gram(y);
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  if (aa == 0 || bb == 0) return 0;
  return std::clamp(ab / std::sqrt(aa) / std::sqrt(bb), 0.0, 1.0);
}

/// The nearest other rows of row i, nearest first; equal distances in order of the items.
std::vector<int64_t> nearest(const std::vector<double>& d, int64_t items, int64_t i, int64_t count) {
  std::vector<int64_t> order;
  for (int64_t j = 0; j < items; ++j)
    if (j != i) order.push_back(j);
  const auto at = [&](int64_t j) { return d[static_cast<size_t>(i * items + j)]; };
  count = std::min(count, static_cast<int64_t>(order.size()));
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int64_t a, int64_t b) { return at(a) != at(b) ? at(a) < at(b) : a < b; });
  order.resize(static_cast<size_t>(count));
  return order;
}

/// Overlap of neighbourhoods, and the nearest neighbour whose change is clearest. `items` names the rows' probes.
void compare_neighbours(const std::vector<double>& before, const std::vector<double>& after, const std::vector<int64_t>& items, MeasuredSpace& out) {
  const auto n = static_cast<int64_t>(items.size());
  double share = 0, clearest = 0;
  for (int64_t i = 0; i < n; ++i) {
    std::vector<int64_t> was = nearest(before, n, i, kNeighbours), is = nearest(after, n, i, kNeighbours);
    const int64_t first = was[0], now = is[0];
    const auto at = [&](const std::vector<double>& d, int64_t j) { return d[static_cast<size_t>(i * n + j)]; };
    const double margin = at(before, now) - at(before, first) + at(after, first) - at(after, now);
    if (first != now && margin > clearest) {
      clearest = margin;
      out.witness = SpaceWitness{items[static_cast<size_t>(i)], items[static_cast<size_t>(first)], items[static_cast<size_t>(now)], {}, {}, {}};
    }
    std::sort(was.begin(), was.end());
    std::sort(is.begin(), is.end());
    std::vector<int64_t> both;
    std::set_intersection(was.begin(), was.end(), is.begin(), is.end(), std::back_inserter(both));
    share += static_cast<double>(both.size()) / static_cast<double>(was.size());
  }
  out.figures.neighbours = std::min(1.0, share / static_cast<double>(n));
}

std::vector<float> rows_of(const Outputs& x, const std::vector<int64_t>& items) {
  std::vector<float> out;
  for (const int64_t i : items) out.insert(out.end(), x.row(i), x.row(i) + x.width);
  return out;
}

/// Rows of a port: the array of its name, or mean and first row side by side. Nothing when there is neither.
std::optional<std::vector<float>> stored_rows(const std::vector<ProbeArray>& arrays, std::string_view port, int64_t items) {
  const auto find = [&](const std::string& name) {
    const auto it = std::find_if(arrays.begin(), arrays.end(), [&](const ProbeArray& one) { return one.port == name && one.dtype == DType::kF32 && one.offsets.empty(); });
    return it == arrays.end() ? nullptr : &*it;
  };
  std::vector<const ProbeArray*> parts = {find(std::string(port))};
  if (parts[0] == nullptr) parts = {find(std::string(port) + ":mean"), find(std::string(port) + ":first")};
  if (std::find(parts.begin(), parts.end(), nullptr) != parts.end()) return std::nullopt;
  std::vector<float> out;
  for (int64_t i = 0; i < items; ++i)
    for (const ProbeArray* part : parts) {
      const size_t bytes = part->data.size() / static_cast<size_t>(items), at = out.size();
      out.resize(at + bytes / sizeof(float));
      std::memcpy(out.data() + at, part->data.data() + static_cast<size_t>(i) * bytes, bytes);
    }
  return out;
}

Status check_count(int64_t items) {
  if (items >= 1 && items <= kMostMeasured) return ok();
  return invalid(std::to_string(items) + " probes cannot be measured; expected 1 to " + std::to_string(kMostMeasured));
}

}  // namespace

Result<MeasuredSpace> compare_space(std::span<const float> stored, std::span<const float> measured, int64_t items) {
  MODNET_TRY(check_count(items));
  if (stored.size() != measured.size() || stored.empty() || stored.size() % static_cast<size_t>(items) != 0)
    return invalid("outputs of " + std::to_string(measured.size()) + " numbers for " + std::to_string(items) + " probes; those stored have " + std::to_string(stored.size()));
  const int64_t width = static_cast<int64_t>(stored.size()) / items;
  const Outputs x{stored.data(), items, width}, y{measured.data(), items, width};
  if (!finite(stored.data(), static_cast<int64_t>(stored.size()))) return invalid("the stored outputs of the probes hold numbers that are not finite");
  MeasuredSpace out;
  SpaceMeasure& m = out.figures;
  m.probes = items;
  double norms = 0;
  std::vector<int64_t> usable;
  for (int64_t i = 0; i < items; ++i) {
    norms += norm(x.row(i), width);
    if (finite(y.row(i), width)) usable.push_back(i);
  }
  m.nonfinite = items - static_cast<int64_t>(usable.size());
  m.probe_distance = mean_of_pairs(distances(x), items);
  if (m.probe_distance <= kNearZero * (norms / static_cast<double>(items))) m.probe_distance = 0;
  if (usable.empty()) {
    m.cosine_min = m.cosine_mean = m.cka = m.neighbours = 0;
    return out;
  }

  double largest = 0, sum = 0, cosines = 0;
  m.cosine_min = 1;
  for (const int64_t i : usable) {
    const double moved = distance(x.row(i), y.row(i), width), angle = cosine(x.row(i), y.row(i), width);
    if (moved > largest) {
      largest = moved;
      out.farthest = i;
    }
    sum += moved;
    cosines += angle;
    m.cosine_min = std::min(m.cosine_min, angle);
  }
  const auto n = static_cast<double>(usable.size());
  m.cosine_mean = std::clamp(cosines / n, m.cosine_min, 1.0);
  if (m.probe_distance > 0) {
    m.largest = largest / m.probe_distance;
    m.mean = std::min(m.largest, sum / n / m.probe_distance);
  }
  const std::vector<float> left = rows_of(x, usable), right = rows_of(y, usable);
  const Outputs before{left.data(), static_cast<int64_t>(usable.size()), width}, after{right.data(), before.items, width};
  m.cka = linear_cka(before, after);
  if (usable.size() > 1) compare_neighbours(distances(before), distances(after), usable, out);
  return out;
}

Result<MeasuredSpace> compare_outputs(const std::vector<ProbeArray>& stored, std::string_view stored_port, const std::vector<ProbeArray>& given, std::string_view port,
                                      int64_t items) {
  MODNET_TRY(check_count(items));
  const std::optional<std::vector<float>> before = stored_rows(stored, stored_port, items), after = stored_rows(given, port, items);
  if (!before) return invalid("the probes hold no outputs of '" + std::string(stored_port) + "'");
  if (!after) return internal("the runner does not give '" + std::string(port) + "'");
  return compare_space(*before, *after, items);
}

Result<MeasuredSpace> measure_space(Runner& backbone, const Probes& probes, std::string_view stored, std::string_view port) {
  const auto items = static_cast<int64_t>(probes.count);
  MODNET_TRY(check_count(items));
  MODNET_ASSIGN(const std::vector<ProbeArray> given, run_probes(backbone, probes));
  MODNET_ASSIGN(MeasuredSpace out, compare_outputs(probes.outputs, stored, given, port, items));
  const std::span<const std::string_view> texts = builtin_probe_texts();
  if (out.witness && probes.source == "builtin-text-1" && probes.count == texts.size()) {
    out.witness->probe_text = texts[static_cast<size_t>(out.witness->probe)];
    out.witness->before_text = texts[static_cast<size_t>(out.witness->before)];
    out.witness->after_text = texts[static_cast<size_t>(out.witness->after)];
  }
  return out;
}

Result<MeasuredSpace> measure_space(const ModuleView& view, const Probes& probes, std::string_view stored, std::string_view port, const RunnerOptions& options) {
  MODNET_ASSIGN(FlatGraph graph, flatten(view));
  MODNET_ASSIGN(Runner runner, Runner::make(std::move(graph), {std::string(port)}, options));
  return measure_space(runner, probes, stored, port);
}

SpaceVerdict judge_space(const SpaceMeasure& measure, double tolerance) {
  if (measure.nonfinite > 0) return SpaceVerdict::kOther;
  if (measure.probe_distance == 0 || measure.probes < kProbeItems) return SpaceVerdict::kUndecidable;
  return measure.largest <= tolerance ? SpaceVerdict::kSame : SpaceVerdict::kOther;
}

namespace {

/// The items of `order` of every column, as columns of their own.
ProbeColumns pick(const ProbeColumns& from, std::span<const int64_t> order, int64_t items) {
  ProbeColumns out;
  out.offsets.resize(from.columns.size());
  out.data.resize(from.columns.size());
  for (size_t c = 0; c < from.columns.size(); ++c) {
    const std::vector<int64_t>& offsets = from.offsets[c];
    const int64_t rows = offsets.empty() ? items : offsets.back();
    const size_t row_bytes = rows == 0 ? 0 : from.data[c].size() / static_cast<size_t>(rows);
    if (!offsets.empty()) out.offsets[c] = {0};
    for (const int64_t i : order) {
      const int64_t begin = offsets.empty() ? i : offsets[static_cast<size_t>(i)], end = offsets.empty() ? i + 1 : offsets[static_cast<size_t>(i) + 1];
      out.data[c].append(from.data[c], static_cast<size_t>(begin) * row_bytes, static_cast<size_t>(end - begin) * row_bytes);
      if (!offsets.empty()) out.offsets[c].push_back(out.offsets[c].back() + end - begin);
    }
    out.columns.push_back({from.columns[c].port, from.columns[c].dtype, out.data[c].data(), out.offsets[c], {}});
  }
  return out;
}

/// The bytes that each item gives at all outputs, when the items of `order` run in batches of `batch`.
Result<std::vector<std::string>> item_bytes(Runner& backbone, const ProbeColumns& columns, const std::vector<int64_t>& order, int64_t batch, int64_t items) {
  std::vector<std::string> out(order.size());
  for (size_t begin = 0; begin < order.size(); begin += static_cast<size_t>(batch)) {
    const std::span<const int64_t> part = std::span(order).subspan(begin, std::min(static_cast<size_t>(batch), order.size() - begin));
    const ProbeColumns picked = pick(columns, part, items);
    std::vector<OutputColumn> outputs;
    MODNET_TRY(backbone.run(picked.columns, static_cast<int64_t>(part.size()), &outputs));
    for (const OutputColumn& one : outputs)
      for (size_t i = 0; i < part.size(); ++i) {
        const auto first = one.offsets.empty() ? static_cast<int64_t>(i) : one.offsets[i], last = one.offsets.empty() ? first + 1 : one.offsets[i + 1];
        out[static_cast<size_t>(part[i])].append(reinterpret_cast<const char*>(one.values.data() + first * one.width),
                                                 static_cast<size_t>((last - first) * one.width) * sizeof(float));
      }
  }
  return out;
}

}  // namespace

Result<Invariance> check_invariance(Runner& backbone, const Probes& probes) {
  const auto items = static_cast<int64_t>(probes.count);
  MODNET_TRY(check_count(items));
  MODNET_ASSIGN(const ProbeColumns columns, probe_columns(probes, backbone.inputs()));
  std::vector<int64_t> forward(static_cast<size_t>(items));
  std::iota(forward.begin(), forward.end(), 0);
  const std::vector<int64_t> backward(forward.rbegin(), forward.rend());
  MODNET_ASSIGN(const std::vector<std::string> all, item_bytes(backbone, columns, forward, items, items));
  Invariance out;
  const auto same = [&](const std::vector<std::string>& other) {
    for (size_t i = 0; i < all.size(); ++i)
      if (all[i] != other[i]) {
        if (out.item < 0 || static_cast<int64_t>(i) < out.item) out.item = static_cast<int64_t>(i);
        return false;
      }
    return true;
  };
  MODNET_ASSIGN(const std::vector<std::string> alone, item_bytes(backbone, columns, forward, 1, items));
  out.batch = same(alone);
  MODNET_ASSIGN(const std::vector<std::string> reversed, item_bytes(backbone, columns, backward, items, items));
  out.order = same(reversed);
  constexpr int64_t kOtherBatch = 7;
  MODNET_ASSIGN(const std::vector<std::string> cut, item_bytes(backbone, columns, backward, kOtherBatch, items));
  out.order = same(cut) && out.order;
  return out;
}

}  // namespace modnet
