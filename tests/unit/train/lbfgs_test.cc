// The minimiser finds known minima, and says when it did not.
#include "libmod/train/lbfgs.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace modnet;

namespace {

// Σ weight_i (x_i − i)², weights from 1 to 1e6.
double quadratic(std::span<const double> x, std::span<double> gradient) {
  double value = 1;
  for (size_t i = 0; i < x.size(); ++i) {
    const double weight = i == 0 ? 1 : (i == 1 ? 1e3 : 1e6);
    const double off = x[i] - static_cast<double>(i);
    value += weight * off * off;
    gradient[i] = 2 * weight * off;
  }
  return value;
}

double quartic(std::span<const double> x, std::span<double> gradient) {
  gradient[0] = 4 * (x[0] - 3) * (x[0] - 3) * (x[0] - 3) + 2 * (x[0] - 3);
  return (x[0] - 3) * (x[0] - 3) * (x[0] - 3) * (x[0] - 3) + (x[0] - 3) * (x[0] - 3) + 5;
}

void identity(std::span<double>) {}

}  // namespace

TEST_CASE("an ill-conditioned quadratic is solved, at once with its exact inverse Hessian") {
  std::vector<double> x = {5, -3, 8};
  const Minimum plain = minimize_lbfgs(quadratic, identity, {}, {500, 1e-14}, x);
  CHECK(plain.converged);
  for (size_t i = 0; i < 3; ++i) CHECK(x[i] == doctest::Approx(static_cast<double>(i)).epsilon(1e-6));
  x = {5, -3, 8};
  const auto exact = [](std::span<double> v) {
    v[0] /= 2;
    v[1] /= 2e3;
    v[2] /= 2e6;
  };
  const Minimum good = minimize_lbfgs(quadratic, exact, {}, {500, 1e-14}, x);
  CHECK(good.converged);
  CHECK(good.evaluations == 2);
  CHECK(good.value == doctest::Approx(1));
}

TEST_CASE("a step that overshoots is shortened") {
  std::vector<double> x = {-20};
  const Minimum out = minimize_lbfgs(quartic, identity, {}, {500, 1e-12}, x);
  CHECK(out.converged);
  CHECK(x[0] == doctest::Approx(3).epsilon(1e-4));
}

TEST_CASE("an evaluation that is not a number counts as an overshoot") {
  const auto edge = [](std::span<const double> x, std::span<double> gradient) {
    if (x[0] <= 0) {
      gradient[0] = std::numeric_limits<double>::quiet_NaN();
      return std::numeric_limits<double>::quiet_NaN();
    }
    gradient[0] = 1 - 1 / x[0];
    return x[0] - std::log(x[0]);
  };
  std::vector<double> x = {9};
  const Minimum out = minimize_lbfgs(
      edge, [](std::span<double> v) { v[0] *= 50; }, {}, {500, 1e-12}, x);
  CHECK(out.converged);
  CHECK(x[0] == doctest::Approx(1).epsilon(1e-4));
}

TEST_CASE("running out of evaluations is reported") {
  std::vector<double> x = {5, -3, 8};
  const Minimum out = minimize_lbfgs(quadratic, identity, {}, {3, 1e-14}, x);
  CHECK_FALSE(out.converged);
  CHECK(out.evaluations == 3);
}

TEST_CASE("convergence under an outdated preconditioner is not believed") {
  // The preconditioner takes the curvature for a million times too great, until it is refreshed.
  double scale = 1e-12;
  int64_t refreshed = 0;
  const auto precondition = [&](std::span<double> v) {
    for (double& x : v) x *= scale;
  };
  const auto refresh = [&](std::span<const double>) {
    const bool changed = scale != 1e-6;
    scale = 1e-6;
    ++refreshed;
    return changed;
  };
  std::vector<double> x = {5, -3, 8};
  const Minimum out = minimize_lbfgs(quadratic, precondition, refresh, {500, 1e-14}, x);
  CHECK(out.converged);
  CHECK(refreshed > 0);
  CHECK(out.value == doctest::Approx(1).epsilon(1e-6));
}
