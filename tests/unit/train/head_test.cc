// What a solver refuses before it starts, with its place and the way out.
#include "libmod/train/head.h"

#include <doctest/doctest.h>

#include <limits>

using namespace modnet;

TEST_CASE("no rows, one row and no columns are refused") {
  const std::vector<float> x = {1, 2};
  CHECK(check_features({{}, 0, 4}).error().what == "no rows to train on");
  CHECK(check_features({x, 1, 2}).error().what == "one row to train on");
  CHECK(check_features({{}, 2, 0}).error().code == Code::kInvalid);
  CHECK_FALSE(check_features({{}, 0, 4}).error().fix.empty());
}

TEST_CASE("a feature that is not finite is named by row and column") {
  std::vector<float> x = {1, 2, 3, 4};
  x[3] = std::numeric_limits<float>::infinity();
  CHECK(check_features({x, 2, 2}).error().what == "row 1, column 1: a feature that is not finite");
  x[2] = std::numeric_limits<float>::quiet_NaN();
  CHECK(check_features({x, 2, 2}).error().what == "row 1, column 0: a feature that is not finite");
}

TEST_CASE("features that are the same in every row are refused, one that differs is enough") {
  CHECK(check_features({std::vector<float>{1, 2, 1, 2}, 2, 2}).error().what == "every row has the same features");
  CHECK(check_features({std::vector<float>{1, 2, 1, 3}, 2, 2}).ok());
}

TEST_CASE("labels are counted") {
  const std::vector<int32_t> y = {0, 2, 1, 2};
  CHECK(check_labels(y, 4, 3).value() == std::vector<int64_t>{1, 1, 2});
}

TEST_CASE("one class, more classes than rows, a class without rows and a label outside are refused") {
  const std::vector<int32_t> y = {0, 0, 2};
  CHECK(check_labels(y, 3, 1).error().what == "expected at least two classes, got 1");
  CHECK(check_labels(y, 3, 4).error().what == "more classes (4) than rows (3)");
  CHECK(check_labels(y, 3, 3).error().what == "class 1 has no rows to train on");
  CHECK(check_labels(y, 3, 2).error().what == "row 2 has class 2, expected 0 to 1");
}
