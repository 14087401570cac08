// Limited-memory BFGS with a preconditioner (Nocedal and Wright 2006, algorithms 7.4 and 7.5).
// Tested by tests/unit/train/lbfgs_test.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace modnet {

struct Minimum {
  double value = 0;
  double decrement = 0;  // ½ gᵀ H⁻¹ g at the end, with the approximation H⁻¹
  int64_t evaluations = 0;
  bool converged = false;
};

struct LbfgsOptions {
  int64_t max_evaluations = 2000;
  double tolerance = 1e-9;  // stop when ½ gᵀ H⁻¹ g ≤ tolerance · |value|
};

/// f(x) and its gradient.
using Objective = std::function<double(std::span<const double> x, std::span<double> gradient)>;
/// v ← approximate inverse Hessian · v, in place: symmetric, positive definite where it matters.
using Preconditioner = std::function<void(std::span<double> v)>;

/// Brings the preconditioner up to date at x; false if it stayed as it was. May be empty.
using Refresh = std::function<bool(std::span<const double> x)>;

/// Minimises a smooth convex function from x, in place. Steps shrink until f falls by a ten-thousandth of what the
/// slope promised (Armijo); it also ends, converged when near, where rounding hides any decrease. `refresh` is called
/// after 8, 16, 32, … evaluations, and before convergence is believed: a preconditioner from far away may take the
/// curvature for much greater, and so the way to the minimum for much shorter, than it is.
[[nodiscard]] Minimum minimize_lbfgs(const Objective& objective, const Preconditioner& precondition,
                                     const Refresh& refresh, const LbfgsOptions& options, std::vector<double>& x);

}  // namespace modnet
