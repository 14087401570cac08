// The two-loop recursion and a backtracking line search. Tested by tests/unit/train/lbfgs_test.cc.
#include "libmod/train/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>

#include "libmod/compute/rows.h"

namespace modnet {
namespace {

constexpr int64_t kFirstRefresh = 8;
constexpr double kArmijo = 1e-4;
constexpr double kRounding = 1e-15;  // relative changes of f below this say nothing
constexpr double kNear = 1e-8;       // a decrement below this share of f is near enough when f cannot fall further

struct Pair {
  std::vector<double> step;    // x₊ − x
  std::vector<double> change;  // g₊ − g
  double inverse = 0;          // 1 / stepᵀ change
};

size_t memory_for(size_t size) {
  if (size <= size_t{1} << 18) return 30;
  return size <= size_t{1} << 21 ? 10 : 5;
}

double dot_of(const std::vector<double>& a, const std::vector<double>& b) {
  return dot(a.data(), b.data(), static_cast<int64_t>(a.size()));
}

// H⁻¹ g from the preconditioner and the pairs.
std::vector<double> direction(const std::vector<double>& gradient, const std::deque<Pair>& pairs,
                              const Preconditioner& precondition) {
  std::vector<double> q = gradient;
  const auto n = static_cast<int64_t>(q.size());
  std::vector<double> alpha(pairs.size());
  for (size_t i = pairs.size(); i-- > 0;) {
    alpha[i] = pairs[i].inverse * dot_of(pairs[i].step, q);
    axpy(-alpha[i], pairs[i].change.data(), q.data(), n);
  }
  precondition(q);
  for (size_t i = 0; i < pairs.size(); ++i) {
    const double beta = pairs[i].inverse * dot_of(pairs[i].change, q);
    axpy(alpha[i] - beta, pairs[i].step.data(), q.data(), n);
  }
  return q;
}

}  // namespace

Minimum minimize_lbfgs(const Objective& objective, const Preconditioner& precondition, const Refresh& refresh,
                       const LbfgsOptions& options, std::vector<double>& x) {
  const size_t size = x.size();
  const auto n = static_cast<int64_t>(size);
  const size_t memory = memory_for(size);
  std::deque<Pair> pairs;
  std::vector<double> gradient(size);
  std::vector<double> next(size);
  std::vector<double> next_gradient(size);
  Minimum out;
  out.value = objective(x, gradient);
  out.evaluations = 1;
  int64_t next_refresh = kFirstRefresh;
  int64_t refreshed = 1;  // evaluations when the preconditioner was last up to date
  while (true) {
    if (refresh && out.evaluations >= next_refresh) {
      next_refresh *= 2;
      refreshed = out.evaluations;
      (void)refresh(x);
    }
    const std::vector<double> step = direction(gradient, pairs, precondition);
    const double slope = dot_of(gradient, step);
    out.decrement = 0.5 * slope;
    if (!(slope > 0) || out.decrement <= options.tolerance * std::fabs(out.value)) {
      if (refresh && refreshed != out.evaluations) {
        refreshed = out.evaluations;
        if (refresh(x)) {
          pairs.clear();
          continue;
        }
      }
      out.converged = slope >= 0;
      return out;
    }
    double length = 1;
    double value = 0;
    while (true) {
      if (out.evaluations >= options.max_evaluations) return out;
      std::copy(x.begin(), x.end(), next.begin());
      axpy(-length, step.data(), next.data(), n);
      value = objective(next, next_gradient);
      ++out.evaluations;
      if (value <= out.value - kArmijo * length * slope) break;
      if (std::fabs(value - out.value) <= kRounding * std::fabs(out.value)) {
        out.converged = out.decrement <= kNear * std::fabs(out.value);
        return out;
      }
      // The minimum of the parabola through f, its slope and the new value, kept within [0.1, 0.5] of the last length.
      const double parabola = 0.5 * slope * length * length / (value - out.value + slope * length);
      length = parabola >= 0.1 * length && parabola <= 0.5 * length ? parabola
                                                                    : (parabola > 0.5 * length ? 0.5 : 0.1) * length;
    }
    Pair pair{std::vector<double>(size), std::vector<double>(size), 0};
    for (size_t i = 0; i < size; ++i) {
      pair.step[i] = next[i] - x[i];
      pair.change[i] = next_gradient[i] - gradient[i];
    }
    const double curvature = dot_of(pair.step, pair.change);
    if (curvature > 0) {
      pair.inverse = 1 / curvature;
      if (pairs.size() == memory) pairs.pop_front();
      pairs.push_back(std::move(pair));
    }
    x.swap(next);
    gradient.swap(next_gradient);
    out.value = value;
  }
}

}  // namespace modnet
