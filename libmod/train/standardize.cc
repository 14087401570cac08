// Column means and spreads, and folding them into weights. Tested by tests/unit/train/standardize_test.cc.
#include "libmod/train/standardize.h"

#include <algorithm>
#include <cmath>

namespace modnet {
namespace {

constexpr double kUnitNorm = 1e-3;
constexpr double kSmallSpread = 1e-6;

struct Columns {
  std::vector<double> mean;
  std::vector<double> spread;
  bool unit_norm = true;
};

Columns measure(const Features& features, std::span<const int64_t> rows) {
  const auto d = static_cast<size_t>(features.columns);
  const size_t n = rows.empty() ? static_cast<size_t>(features.rows) : rows.size();
  const auto row_at = [&](size_t i) {
    return features.values.data() + (rows.empty() ? i : static_cast<size_t>(rows[i])) * d;
  };
  Columns out{std::vector<double>(d), std::vector<double>(d), true};
  std::vector<float> low(row_at(0), row_at(0) + d);
  std::vector<float> high = low;
  for (size_t i = 0; i < n; ++i) {
    const float* row = row_at(i);
    double square = 0;
    for (size_t j = 0; j < d; ++j) {
      const double x = row[j];
      out.mean[j] += x;
      square += x * x;
      if (row[j] < low[j]) low[j] = row[j];
      if (row[j] > high[j]) high[j] = row[j];
    }
    if (!(std::fabs(std::sqrt(square) - 1) <= kUnitNorm)) out.unit_norm = false;
  }
  for (double& mean : out.mean) mean /= static_cast<double>(n);
  for (size_t i = 0; i < n; ++i) {
    const float* row = row_at(i);
    for (size_t j = 0; j < d; ++j) {
      const double offset = static_cast<double>(row[j]) - out.mean[j];
      out.spread[j] += offset * offset;
    }
  }
  for (size_t j = 0; j < d; ++j) {
    if (low[j] == high[j]) {
      out.mean[j] = low[j];
      out.spread[j] = 0;
    } else {
      out.spread[j] = std::sqrt(out.spread[j] / static_cast<double>(n));
    }
  }
  return out;
}

double median_spread(const std::vector<double>& spread) {
  std::vector<double> some;
  std::copy_if(spread.begin(), spread.end(), std::back_inserter(some), [](double s) { return s > 0; });
  if (some.empty()) return 0;
  std::sort(some.begin(), some.end());
  const size_t middle = some.size() / 2;
  return some.size() % 2 == 1 ? some[middle] : some[middle - 1] / 2 + some[middle] / 2;
}

}  // namespace

Scaling measure_scaling(const Features& features, std::span<const int64_t> rows, Standardize standardize) {
  const Columns columns = measure(features, rows);
  Scaling out;
  out.columns = features.columns;
  out.standardized = standardize == Standardize::kYes || (standardize == Standardize::kAuto && !columns.unit_norm);
  const double least = kSmallSpread * median_spread(columns.spread);
  for (int64_t j = 0; j < features.columns; ++j) {
    const double spread = columns.spread[static_cast<size_t>(j)];
    if (out.standardized && (spread == 0 || spread < least)) {
      out.dropped.push_back(j);
      continue;
    }
    out.kept.push_back(j);
    out.mean.push_back(columns.mean[static_cast<size_t>(j)]);
    out.factor.push_back(out.standardized ? 1 / spread : 1.0);
  }
  return out;
}

void unscale(const Scaling& scaling, int64_t outputs, std::span<const double> solved, std::span<const double> bias,
             LinearHead& head) {
  head.outputs = outputs;
  head.columns = scaling.columns;
  head.weights.assign(static_cast<size_t>(outputs * scaling.columns), 0.0);
  head.bias.assign(bias.begin(), bias.end());
  for (int64_t c = 0; c < outputs; ++c) {
    double shift = 0;
    for (size_t j = 0; j < scaling.kept.size(); ++j) {
      const double weight = solved[static_cast<size_t>(c) * scaling.kept.size() + j] * scaling.factor[j];
      head.weights[static_cast<size_t>(c * scaling.columns + scaling.kept[j])] = weight;
      shift += weight * scaling.mean[j];
    }
    head.bias[static_cast<size_t>(c)] -= shift;
  }
}

std::vector<double> rescale(const Scaling& scaling, const LinearHead& head) {
  const auto k = static_cast<size_t>(head.outputs);
  std::vector<double> out((scaling.kept.size() + 1) * k);
  for (size_t c = 0; c < k; ++c) {
    double shift = 0;
    for (size_t j = 0; j < scaling.kept.size(); ++j) {
      const double weight = head.weights[c * static_cast<size_t>(head.columns) + static_cast<size_t>(scaling.kept[j])];
      out[c * scaling.kept.size() + j] = weight / scaling.factor[j];
      shift += weight * scaling.mean[j];
    }
    out[scaling.kept.size() * k + c] = head.bias[c] + shift;
  }
  return out;
}

}  // namespace modnet
