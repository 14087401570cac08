// The gradient meets finite differences in f64, and neither depends on threads.
#include "libmod/train/softmax_loss.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/unit/train/train_cases.h"

using namespace modnet;

namespace {

std::vector<double> some_theta(int64_t size, uint64_t seed) {
  std::vector<double> out(static_cast<size_t>(size));
  const Random random(seed, 9);
  for (size_t i = 0; i < out.size(); ++i) out[i] = 0.3 * random.normal(i);
  return out;
}

}  // namespace

TEST_CASE("the gradient of the softmax loss meets finite differences") {
  const test::Labelled data = test::labelled(60, 4, 3, 1, 4);
  const Features features = data.features();
  const Scaling scaling = measure_scaling(features, {}, Standardize::kNo);
  const Design design({}, features, {}, scaling);
  const SoftmaxLoss loss({}, design, data.y, 3);
  std::vector<double> theta = some_theta(loss.size(), 1);
  std::vector<double> gradient(theta.size());
  std::vector<double> unused(theta.size());
  (void)loss.evaluate(theta, 0.05, gradient);
  constexpr double kStep = 1e-6;
  for (size_t i = 0; i < theta.size(); ++i) {
    const double at = theta[i];
    theta[i] = at + kStep;
    const double above = loss.evaluate(theta, 0.05, unused);
    theta[i] = at - kStep;
    const double below = loss.evaluate(theta, 0.05, unused);
    theta[i] = at;
    CHECK(gradient[i] == doctest::Approx((above - below) / (2 * kStep)).epsilon(1e-7));
  }
}

TEST_CASE("at zero the loss is the logarithm of the number of classes") {
  const test::Labelled data = test::labelled(50, 3, 4, 1, 5);
  const Features features = data.features();
  const Scaling scaling = measure_scaling(features, {}, Standardize::kNo);
  const Design design({}, features, {}, scaling);
  const SoftmaxLoss loss({}, design, data.y, 4);
  const std::vector<double> theta(static_cast<size_t>(loss.size()));
  std::vector<double> gradient(theta.size());
  CHECK(loss.evaluate(theta, 1, gradient) == doctest::Approx(std::log(4.0)).epsilon(1e-14));
  const std::vector<double> covariance = loss.class_covariance(theta);
  CHECK(covariance[0] == doctest::Approx(0.25 * 0.75));
  CHECK(covariance[1] == doctest::Approx(-0.25 * 0.25));
}

TEST_CASE("loss and gradient have the same bits on any number of threads") {
  const test::Labelled data = test::labelled(5000, 20, 5, 1, 6);
  const Features features = data.features();
  const Scaling scaling = measure_scaling(features, {}, Standardize::kNo);
  ThreadPool pool(3);
  const Design alone({}, features, {}, scaling);
  const Design shared({&pool, Policy::kPortable}, features, {}, scaling);
  const SoftmaxLoss one({}, alone, data.y, 5);
  const SoftmaxLoss three({&pool, Policy::kPortable}, shared, data.y, 5);
  const std::vector<double> theta = some_theta(one.size(), 2);
  std::vector<double> a(theta.size());
  std::vector<double> b(theta.size());
  CHECK(one.evaluate(theta, 0.01, a) == three.evaluate(theta, 0.01, b));
  CHECK(a == b);
  CHECK(one.class_covariance(theta) == three.class_covariance(theta));
}
