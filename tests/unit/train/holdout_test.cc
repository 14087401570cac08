// Splits: stratified, seeded, every row once.
#include "libmod/train/holdout.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace modnet;

namespace {
std::vector<int32_t> labels_of(const std::vector<int64_t>& counts) {
  std::vector<int32_t> out;
  for (size_t c = 0; c < counts.size(); ++c)
    out.insert(out.end(), static_cast<size_t>(counts[c]), static_cast<int32_t>(c));
  return out;
}
}  // namespace

TEST_CASE("each class gives its share, and a class with one row stays in the training part") {
  const std::vector<int32_t> labels = labels_of({100, 20, 1, 2});
  const Split split = stratified_split(labels, 4, 0.2, 7).value();
  std::vector<int64_t> held(4);
  for (const int64_t row : split.holdout) ++held[static_cast<size_t>(labels[static_cast<size_t>(row)])];
  CHECK(held == std::vector<int64_t>{20, 4, 0, 0});
  CHECK(stratified_split(labels_of({1, 3}), 2, 0.9, 7).value().holdout.size() == 2);
}

TEST_CASE("every row is in exactly one part, in ascending order") {
  const Split split = stratified_split(labels_of({50, 31}), 2, 0.15, 1).value();
  std::vector<int64_t> all = split.training;
  all.insert(all.end(), split.holdout.begin(), split.holdout.end());
  CHECK(std::is_sorted(split.training.begin(), split.training.end()));
  CHECK(std::is_sorted(split.holdout.begin(), split.holdout.end()));
  std::sort(all.begin(), all.end());
  REQUIRE(all.size() == 81);
  for (size_t i = 0; i < all.size(); ++i) CHECK(all[i] == static_cast<int64_t>(i));
}

TEST_CASE("the seed decides the split") {
  const std::vector<int32_t> labels = labels_of({200, 200});
  CHECK(stratified_split(labels, 2, 0.2, 1).value().holdout == stratified_split(labels, 2, 0.2, 1).value().holdout);
  CHECK(stratified_split(labels, 2, 0.2, 1).value().holdout != stratified_split(labels, 2, 0.2, 2).value().holdout);
}

TEST_CASE("a split without classes keeps two rows to train on") {
  CHECK(random_split(100, 0.15, 3).value().holdout.size() == 15);
  CHECK(random_split(3, 0.9, 3).value().training.size() == 2);
  CHECK(random_split(2, 0.5, 3).value().holdout.empty());
}

TEST_CASE("a share that is no share is refused") {
  CHECK(random_split(10, 0, 1).error().code == Code::kUsage);
  CHECK(stratified_split(labels_of({5, 5}), 2, 1, 1).error().code == Code::kUsage);
}
