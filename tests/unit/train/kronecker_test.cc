// The preconditioner inverts what it says it inverts, up to the rounding of its ratios.
#include "libmod/train/kronecker.h"

#include <doctest/doctest.h>

#include <cmath>

#include "libmod/compute/random.h"

using namespace modnet;

TEST_CASE("Jacobi rotations give orthonormal eigenvectors of the matrix") {
  constexpr size_t kSize = 6;
  std::vector<double> a(kSize * kSize);
  const Random random(3, 1);
  for (size_t i = 0; i < kSize; ++i) {
    for (size_t j = 0; j <= i; ++j) a[i * kSize + j] = a[j * kSize + i] = random.normal(i * kSize + j);
  }
  std::vector<double> diagonal = a;
  std::vector<double> vectors;
  jacobi_eigen(kSize, diagonal, vectors);
  for (size_t c = 0; c < kSize; ++c) {
    for (size_t i = 0; i < kSize; ++i) {
      double product = 0;
      double overlap = 0;
      for (size_t j = 0; j < kSize; ++j) {
        product += a[i * kSize + j] * vectors[j * kSize + c];
        overlap += vectors[j * kSize + i] * vectors[j * kSize + c];
      }
      CHECK(product == doctest::Approx(diagonal[c * kSize + c] * vectors[i * kSize + c]).epsilon(1e-10));
      CHECK(overlap == doctest::Approx(i == c ? 1 : 0).epsilon(1e-12));
    }
  }
}

TEST_CASE("the Kronecker inverse undoes the Kronecker product when its ratios are powers of two times root two") {
  // M = 0.5 I (2 classes), G = diag(1, 3), penalty = 0.5 · √2 · 2⁻³: λG + penalty I is inverted exactly.
  const double penalty = 0.5 * 1.4142135623730951 * 0.125;
  const std::vector<double> gram = {1, 0, 0, 3};
  const KroneckerInverse inverse = KroneckerInverse::make({}, {0.5, 0, 0, 0.5}, 2, gram, 2, penalty).value();
  std::vector<double> v = {1, 2, 3, 4, 5, 6};
  inverse.apply({}, v);
  CHECK(v[0] == doctest::Approx(1 / (0.5 + penalty)));
  CHECK(v[1] == doctest::Approx(2 / (1.5 + penalty)));
  CHECK(v[2] == doctest::Approx(3 / (0.5 + penalty)));
  CHECK(v[3] == doctest::Approx(4 / (1.5 + penalty)));
  CHECK(v[4] == doctest::Approx(10));
  CHECK(v[5] == doctest::Approx(12));
}

TEST_CASE("a direction without curvature is only penalised, and its bias does not move") {
  // diag(p) − ppᵀ for p = (½, ½) has no curvature along (1, 1).
  const std::vector<double> gram = {2};
  const KroneckerInverse inverse = KroneckerInverse::make({}, {0.25, -0.25, -0.25, 0.25}, 2, gram, 1, 0.1).value();
  std::vector<double> v = {1, 1, 1, 1};
  inverse.apply({}, v);
  CHECK(v[0] == doctest::Approx(10));
  CHECK(v[1] == doctest::Approx(10));
  CHECK(v[2] == doctest::Approx(0));
  CHECK(v[3] == doctest::Approx(0));
}

TEST_CASE("many classes use the diagonal alone, and no columns leave the biases") {
  std::vector<double> covariance(100 * 100, -1e-4);
  for (size_t c = 0; c < 100; ++c) covariance[c * 100 + c] = 0.01;
  const KroneckerInverse inverse = KroneckerInverse::make({}, covariance, 100, {}, 0, 1).value();
  std::vector<double> v(100, 1.0);
  inverse.apply({}, v);
  for (const double x : v) CHECK(x == doctest::Approx(100));
}
