// Blocks hold the scaled rows; sums over them match plain loops.
#include "libmod/train/design.h"

#include <doctest/doctest.h>

#include "tests/unit/train/train_cases.h"

using namespace modnet;

TEST_CASE("blocks together are the chosen rows, centred and scaled") {
  const test::Labelled data = test::labelled(1100, 300, 2, 0, 1);
  const std::vector<int64_t> rows = [] {
    std::vector<int64_t> out;
    for (int64_t i = 0; i < 1100; i += 2) out.push_back(i);
    return out;
  }();
  const Features features = data.features();
  const Scaling scaling = measure_scaling(features, rows, Standardize::kYes);
  const Design design({}, features, rows, scaling);
  CHECK(design.rows() == 550);
  CHECK(design.blocks() > 1);
  std::vector<double> buffer;
  int64_t seen = 0;
  for (int64_t b = 0; b < design.blocks(); ++b) {
    const double* z = design.block(b, buffer);
    for (int64_t i = 0; i < design.rows_in(b); ++i, ++seen) {
      const int64_t row = design.source_row(seen);
      const double expected =
          (static_cast<double>(data.x[static_cast<size_t>(row * 300 + 7)]) - scaling.mean[7]) * scaling.factor[7];
      CHECK(z[i * 300 + 7] == expected);
    }
  }
  CHECK(seen == 550);
}

TEST_CASE("the Gram matrix and the correlation match plain loops") {
  const test::Labelled data = test::labelled(700, 5, 2, 0, 2);
  const Features features = data.features();
  const Scaling scaling = measure_scaling(features, {}, Standardize::kNo);
  const Design design({}, features, {}, scaling);
  std::vector<double> gram;
  CHECK(design.gram({}, 1, gram) == 700);
  std::vector<double> product;
  design.correlate(
      {}, 1,
      [](int64_t first, int64_t rows, double* t) {
        for (int64_t i = 0; i < rows; ++i) t[i] = static_cast<double>(first + i);
      },
      product);
  std::vector<double> expected(25);
  std::vector<double> expected_product(5);
  for (int64_t i = 0; i < 700; ++i) {
    for (size_t a = 0; a < 5; ++a) {
      const double za = static_cast<double>(data.x[static_cast<size_t>(i) * 5 + a]) - scaling.mean[a];
      expected_product[a] += za * static_cast<double>(i);
      for (size_t b = 0; b < 5; ++b) {
        expected[a * 5 + b] += za * (static_cast<double>(data.x[static_cast<size_t>(i) * 5 + b]) - scaling.mean[b]);
      }
    }
  }
  for (size_t i = 0; i < 25; ++i) CHECK(gram[i] == doctest::Approx(expected[i]).epsilon(1e-10));
  for (size_t i = 0; i < 5; ++i) CHECK(product[i] == doctest::Approx(expected_product[i]).epsilon(1e-10));
}

TEST_CASE("a Gram matrix of every second block counts the rows that it saw") {
  const test::Labelled data = test::labelled(2048, 2, 2, 0, 2);
  const Features features = data.features();
  const Scaling scaling = measure_scaling(features, {}, Standardize::kNo);
  const Design design({}, features, {}, scaling);
  std::vector<double> gram;
  CHECK(design.gram({}, 2, gram) == 1024);
}
