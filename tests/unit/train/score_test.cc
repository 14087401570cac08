// Outputs of a head, and their log loss and accuracy.
#include "libmod/train/score.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace modnet;

TEST_CASE("outputs are weights times features plus bias, for the rows named") {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  LinearHead head{2, 2, {1, 0, 0.5, -1}, {10, 20}, {}};
  const std::vector<int64_t> rows = {2, 0};
  CHECK(head_outputs({}, {x, 3, 2}, rows, head) == std::vector<double>{15, 16.5, 11, 18.5});
  CHECK(head_outputs({}, {x, 3, 2}, {}, head).size() == 6);
}

TEST_CASE("log loss and accuracy look labels up by row number") {
  const std::vector<double> outputs = {0, 0, 3, 1};
  const std::vector<int64_t> rows = {4, 1};
  const std::vector<int32_t> labels = {9, 1, 9, 9, 1};
  const OutputRows scored{outputs, rows, 2};
  const double expected = (std::log(2.0) + 2 + std::log1p(std::exp(-2.0))) / 2;
  CHECK(softmax_log_loss(scored, labels) == doctest::Approx(expected).epsilon(1e-14));
  CHECK(greatest_output_accuracy(scored, labels) == 0);
  CHECK(greatest_output_accuracy(scored, std::vector<int32_t>{9, 0, 9, 9, 0}) == 1);
}
