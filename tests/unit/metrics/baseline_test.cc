// The answers that look at no feature.
#include "libmod/metrics/baseline.h"

#include <doctest/doctest.h>

using namespace modnet;

TEST_CASE("the majority is the most frequent class, the first of equal ones") {
  const std::vector<int32_t> labels = {2, 1, 1, 2, 0};
  const MajorityBaseline baseline = majority_baseline(labels, 4).value();
  CHECK(baseline.label == 1);
  CHECK(baseline.frequency == std::vector<double>{0.2, 0.4, 0.4, 0});
}

TEST_CASE("training counts give the same baseline as the labels they count") {
  const std::vector<int64_t> counts = {1, 2, 2, 0};
  CHECK(majority_baseline(counts).value().label == 1);
  CHECK(majority_baseline(counts).value().frequency[2] == 0.4);
}

TEST_CASE("nothing to count is refused") {
  const std::vector<int64_t> zeros = {0, 0};
  const std::vector<int32_t> outside = {3};
  CHECK(majority_baseline(zeros).error().code == Code::kInvalid);
  CHECK(majority_baseline(outside, 2).error().what == "row 0 has class 3, expected 0 to 1");
}

TEST_CASE("the mean baseline is the mean of each output") {
  const std::vector<double> targets = {1, 10, 3, 30};
  CHECK(mean_baseline(targets, 2).value() == std::vector<double>{2, 20});
  CHECK(mean_baseline({}, 2).error().code == Code::kInvalid);
}
