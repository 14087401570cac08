// Class metrics against values worked out by hand.
#include "libmod/metrics/confusion.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace modnet;

namespace {

ClassTotals totals_of(const std::vector<int32_t>& truth, const std::vector<int32_t>& predicted, int64_t classes) {
  return class_totals(confusion_matrix(truth, predicted, classes).value());
}

}  // namespace

TEST_CASE("rows of the confusion matrix are true classes, columns predicted ones") {
  const std::vector<int32_t> truth = {0, 0, 1, 2};
  const std::vector<int32_t> predicted = {0, 1, 1, 0};
  const ConfusionMatrix m = confusion_matrix(truth, predicted, 3).value();
  CHECK(m.at(0, 0) == 1);
  CHECK(m.at(0, 1) == 1);
  CHECK(m.at(1, 0) == 0);
  CHECK(m.at(2, 0) == 1);
  CHECK(accuracy(class_totals(m)) == 0.5);
}

TEST_CASE("a sample weight counts as that many rows") {
  const std::vector<int32_t> truth = {0, 1, 1};
  const std::vector<int32_t> predicted = {0, 1, 0};
  const std::vector<double> weights = {1, 2, 3};
  const ConfusionMatrix m = confusion_matrix(truth, predicted, 2, weights).value();
  CHECK(m.at(1, 1) == 2);
  CHECK(m.at(1, 0) == 3);
  CHECK(accuracy(class_totals(m)) == doctest::Approx(0.5));
}

TEST_CASE(
    "no rows, a class outside the range, a length that does not fit and a bad weight are refused with their place") {
  const std::vector<int32_t> none;
  const std::vector<int32_t> two = {0, 5};
  const std::vector<int32_t> zeros = {0, 0};
  const std::vector<double> bad = {1, -1};
  CHECK(confusion_matrix(none, none, 2).error().code == Code::kInvalid);
  CHECK(confusion_matrix(two, zeros, 2).error().what == "row 1 has class 5, expected 0 to 1");
  CHECK(confusion_matrix(zeros, none, 2).error().code == Code::kInvalid);
  CHECK(confusion_matrix(zeros, zeros, 2, bad).error().what.find("row 1") == 0);
  CHECK(confusion_matrix(zeros, zeros, 0).error().code == Code::kInvalid);
}

TEST_CASE("precision, recall and F1 of a class follow from its counts") {
  const ClassTotals t = totals_of({0, 0, 0, 1, 1}, {0, 0, 1, 0, 1}, 2);
  const ClassScores s = class_scores(t, 0);
  CHECK(s.precision == doctest::Approx(2.0 / 3));
  CHECK(s.recall == doctest::Approx(2.0 / 3));
  CHECK(s.f1 == doctest::Approx(2.0 / 3));
  CHECK(s.support == 3);
}

TEST_CASE("a class that is neither true nor predicted scores zero, or one where that is asked for") {
  const ClassTotals t = totals_of({0, 1}, {0, 1}, 3);
  CHECK(class_scores(t, 2).f1 == 0);
  CHECK(class_scores(t, 2, ZeroDivision::kOne).f1 == 1);
  CHECK(averaged_scores(t, Average::kMacro).f1 == doctest::Approx(2.0 / 3));
  CHECK(averaged_scores(t, Average::kMacro, {}, ZeroDivision::kOne).f1 == 1);
}

TEST_CASE("balanced accuracy averages over the classes that occur as truth") {
  const ClassTotals t = totals_of({0, 0, 1, 1}, {0, 2, 1, 1}, 3);
  CHECK(balanced_accuracy(t) == doctest::Approx(0.75));
}

TEST_CASE("micro F1 over all classes is accuracy") {
  const ClassTotals t = totals_of({0, 1, 2, 2, 1}, {0, 2, 2, 1, 1}, 3);
  CHECK(averaged_scores(t, Average::kMicro).f1 == doctest::Approx(accuracy(t)));
}

TEST_CASE("kappa is not a number where only one class exists, and zero for a constant answer") {
  CHECK(std::isnan(cohen_kappa(totals_of({1, 1}, {1, 1}, 2))));
  CHECK(cohen_kappa(totals_of({0, 1, 0, 1}, {1, 1, 1, 1}, 2)) == doctest::Approx(0));
  CHECK(cohen_kappa(totals_of({0, 1, 0, 1}, {0, 1, 0, 1}, 2)) == doctest::Approx(1));
}

TEST_CASE("Matthews correlation is one, minus one and zero for perfect, reversed and constant answers") {
  CHECK(matthews_correlation(totals_of({0, 1, 0, 1}, {0, 1, 0, 1}, 2)) == doctest::Approx(1));
  CHECK(matthews_correlation(totals_of({0, 1, 0, 1}, {1, 0, 1, 0}, 2)) == doctest::Approx(-1));
  CHECK(matthews_correlation(totals_of({0, 1, 0, 1}, {1, 1, 1, 1}, 2)) == 0);
}
