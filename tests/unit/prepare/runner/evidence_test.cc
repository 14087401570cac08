// Measuring spaces: the figures against sums made by hand, degenerate outputs, verdicts, invariance, witnesses.
#include "libmod/prepare/evidence.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/unit/prepare/runner/models.h"

namespace modnet {
namespace {

using test::picture_model;
using test::runner_of;
using test::SmallModel;
using test::text_model;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinite = std::numeric_limits<float>::infinity();

MeasuredSpace compared(const std::vector<float>& stored, const std::vector<float>& measured, int64_t items) {
  const Result<MeasuredSpace> got = compare_space(stored, measured, items);
  if (!got.ok()) FAIL(got.error().what);
  return *got;
}

/// `items` rows in a plane, spread by a fixed rule.
std::vector<float> rows(int64_t items) {
  std::vector<float> out;
  for (int64_t i = 0; i < items; ++i) {
    out.push_back(static_cast<float>(i * 37 % 101) / 10.0f);
    out.push_back(static_cast<float>(i * 53 % 97) / 10.0f);
  }
  return out;
}

/// Probes of a text model with the outputs that `backbone` gives.
Probes probes_of(const SmallModel& model, const std::vector<std::string>& ports, int threads = 1) {
  ThreadPool pool(threads);
  const SmallModel text = text_model(20);
  Runner encoder = runner_of(text, {"tokens"}, {.context = {&pool}});
  Result<Probes> probes = text_probes(encoder, "tokens");
  REQUIRE(probes.ok());
  Runner backbone = runner_of(model, ports, {.context = {&pool}});
  REQUIRE(fill_probe_outputs(backbone, *probes).ok());
  return std::move(probes).value();
}

MeasuredSpace measured(const SmallModel& model, const Probes& probes, const std::string& stored, const std::string& port, int threads = 1) {
  ThreadPool pool(threads);
  Runner backbone = runner_of(model, {port}, {.context = {&pool}});
  const Result<MeasuredSpace> got = measure_space(backbone, probes, stored, port);
  if (!got.ok()) FAIL(got.error().what);
  return *got;
}

TEST_CASE("equal outputs measure as equal in every figure") {
  const MeasuredSpace got = compared(rows(64), rows(64), 64);
  CHECK(got.figures.probes == 64);
  CHECK(got.figures.largest == 0);
  CHECK(got.figures.mean == 0);
  CHECK(got.figures.cosine_min == doctest::Approx(1).epsilon(1e-15));
  CHECK(got.figures.cosine_mean == doctest::Approx(1).epsilon(1e-15));
  CHECK(got.figures.cka == doctest::Approx(1).epsilon(1e-14));
  CHECK(got.figures.neighbours == 1);
  CHECK(got.figures.nonfinite == 0);
  CHECK(got.farthest == -1);
  CHECK_FALSE(got.witness);
  CHECK(judge_space(got.figures) == SpaceVerdict::kSame);
  CHECK(judge_space(got.figures, 0) == SpaceVerdict::kSame);
}

TEST_CASE("figures of a triangle are as computed by hand") {
  // Sides 3, 4, 5: mean distance 4. One corner moves by 1 (a share of 0.25), another by 0.5.
  const MeasuredSpace got = compared({0, 0, 3, 0, 0, 4}, {0, 0, 3, 1, 0, 4.5f}, 3);
  CHECK(got.figures.probe_distance == 4);
  CHECK(got.figures.largest == 0.25);
  CHECK(got.figures.mean == doctest::Approx(1.5 / 3 / 4).epsilon(1e-15));
  CHECK(got.farthest == 1);
  CHECK(got.figures.cosine_min == doctest::Approx(3 / std::sqrt(10.0)).epsilon(1e-15));  // rows: both zero → 1, (3,0)·(3,1), parallel
  CHECK(got.figures.cosine_mean == doctest::Approx((2 + 3 / std::sqrt(10.0)) / 3).epsilon(1e-15));
  CHECK(got.figures.neighbours == 1);  // both others are always among the ten nearest
  // CKA: ⟨K, L⟩ / (‖K‖ ‖L‖) with K and L of the centred corners.
  const double kx[3][2] = {{-1, -4 / 3.0}, {2, -4 / 3.0}, {-1, 8 / 3.0}}, ly[3][2] = {{-1, -5.5 / 3}, {2, 1 - 5.5 / 3}, {-1, 4.5 - 5.5 / 3}};
  double kl = 0, kk = 0, ll = 0;
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j) {
      const double k = kx[i][0] * kx[j][0] + kx[i][1] * kx[j][1], l = ly[i][0] * ly[j][0] + ly[i][1] * ly[j][1];
      kl += k * l;
      kk += k * k;
      ll += l * l;
    }
  CHECK(got.figures.cka == doctest::Approx(kl / std::sqrt(kk * ll)).epsilon(1e-12));
}

TEST_CASE("scaling keeps directions and structure, and is another space all the same") {
  std::vector<float> twice = rows(64);
  for (float& value : twice) value *= 2;
  const MeasuredSpace got = compared(rows(64), twice, 64);
  CHECK(got.figures.cosine_min == doctest::Approx(1).epsilon(1e-12));
  CHECK(got.figures.cka == doctest::Approx(1).epsilon(1e-12));
  CHECK(got.figures.neighbours == 1);
  CHECK(got.figures.largest > 1);
  CHECK(judge_space(got.figures) == SpaceVerdict::kOther);
}

TEST_CASE("one probe has no distance to measure by: undecidable") {
  const MeasuredSpace got = compared({1, 2}, {1, 2}, 1);
  CHECK(got.figures.probes == 1);
  CHECK(got.figures.probe_distance == 0);
  CHECK(got.figures.largest == 0);
  CHECK(judge_space(got.figures) == SpaceVerdict::kUndecidable);
}

TEST_CASE("stored outputs that hardly differ are undecidable, whatever is measured") {
  std::vector<float> same(128, 1.0f);
  CHECK(judge_space(compared(same, same, 64).figures) == SpaceVerdict::kUndecidable);
  CHECK(judge_space(compared(same, rows(64), 64).figures) == SpaceVerdict::kUndecidable);
  CHECK(judge_space(compared(std::vector<float>(128, 0.0f), same, 64).figures) == SpaceVerdict::kUndecidable);
  std::vector<float> near = same;
  near[5] += 1e-6f;
  const MeasuredSpace got = compared(near, same, 64);
  CHECK(got.figures.probe_distance == 0);
  CHECK(judge_space(got.figures) == SpaceVerdict::kUndecidable);
  for (size_t i = 0; i < near.size(); i += 2) near[i] = 1.0f + static_cast<float>(i) * 1e-3f;  // a narrow space, but one
  CHECK(judge_space(compared(near, near, 64).figures) == SpaceVerdict::kSame);
}

TEST_CASE("measured outputs that are all equal are another space, and no figure is lost over them") {
  const MeasuredSpace got = compared(rows(64), std::vector<float>(128, 1.0f), 64);
  CHECK(got.figures.cka == 0);
  CHECK(got.figures.largest > 0.1);
  CHECK(judge_space(got.figures) == SpaceVerdict::kOther);
}

TEST_CASE("outputs that are not finite are counted, left out of the figures, and never the same space") {
  std::vector<float> bad = rows(64);
  bad[2 * 7] = kNan;
  bad[2 * 9 + 1] = kInfinite;
  const MeasuredSpace got = compared(rows(64), bad, 64);
  CHECK(got.figures.nonfinite == 2);
  CHECK(got.figures.largest == 0);
  CHECK(got.figures.cka == doctest::Approx(1).epsilon(1e-14));
  CHECK(judge_space(got.figures) == SpaceVerdict::kOther);
  const MeasuredSpace none = compared(rows(64), std::vector<float>(128, kNan), 64);
  CHECK(none.figures.nonfinite == 64);
  CHECK(none.figures.cosine_min == 0);
  CHECK(judge_space(none.figures) == SpaceVerdict::kOther);
}

TEST_CASE("stored outputs that are not finite, and outputs of another width, cannot be compared") {
  std::vector<float> bad = rows(4);
  bad[3] = kNan;
  CHECK(compare_space(bad, rows(4), 4).error().code == Code::kInvalid);
  CHECK(compare_space(rows(4), rows(5), 4).error().code == Code::kInvalid);
  CHECK(compare_space(rows(4), rows(4), 3).error().code == Code::kInvalid);
  CHECK_FALSE(compare_space(rows(4), rows(4), 0).ok());
  CHECK_FALSE(compare_space({}, {}, 4).ok());
  CHECK_FALSE(compare_space(rows(kMostMeasured + 1), rows(kMostMeasured + 1), kMostMeasured + 1).ok());
}

TEST_CASE("the largest share decides, at the tolerance and not beyond; fewer than 64 probes decide nothing") {
  SpaceMeasure measure;
  measure.probes = 64;
  measure.probe_distance = 1;
  measure.largest = 0.10;
  CHECK(judge_space(measure) == SpaceVerdict::kSame);
  measure.largest = 0.1000001;
  CHECK(judge_space(measure) == SpaceVerdict::kOther);
  measure.largest = 0.05;
  CHECK(judge_space(measure, 0.04) == SpaceVerdict::kOther);
  measure.probes = 63;
  CHECK(judge_space(measure) == SpaceVerdict::kUndecidable);
}

TEST_CASE("the witness is the nearest neighbour whose change is clearest") {
  // On a line: 0 and 1 are nearest to each other, as are 10 and 12; then 12 moves next to 0 and 1.
  const MeasuredSpace got = compared({0, 1, 10, 12}, {0, 1, 10, 1.5f}, 4);
  REQUIRE(got.witness);
  CHECK(*got.witness == SpaceWitness{3, 2, 1, "", "", ""});
  CHECK(got.farthest == 3);
}

TEST_CASE("a backbone measures as itself at any number of threads, other weights as another space with texts as witness") {
  const SmallModel model = test::small_transformer(test::small_spec());
  const Probes probes = probes_of(model, {"embedding", "hidden"});
  for (const std::string port : {"embedding", "hidden"})
    for (const int threads : {1, 3}) {
      const MeasuredSpace got = measured(model, probes, port, port, threads);
      CHECK(got.figures.probes == static_cast<int64_t>(builtin_probe_texts().size()));
      CHECK(got.figures.largest == 0);
      CHECK(judge_space(got.figures) == SpaceVerdict::kSame);
    }
  const SmallModel other = test::small_transformer(test::small_spec(), 2);
  const MeasuredSpace got = measured(other, probes, "embedding", "embedding");
  CHECK(judge_space(got.figures) == SpaceVerdict::kOther);
  CHECK(got.figures == measured(other, probes, "embedding", "embedding", 3).figures);
  REQUIRE(got.witness);
  CHECK(got.witness->probe_text == builtin_probe_texts()[static_cast<size_t>(got.witness->probe)]);
  CHECK(got.witness->before_text == builtin_probe_texts()[static_cast<size_t>(got.witness->before)]);
  CHECK(got.witness->after_text != got.witness->before_text);
}

TEST_CASE("small changes of weights stay within the tolerance, large ones do not") {
  SmallModel model = test::small_transformer(test::small_spec());
  const Probes probes = probes_of(model, {"embedding"});
  const auto changed = [&](float by) {
    SmallModel other = model;
    for (auto& [name, tensor] : other.tensors)
      for (size_t i = 0; i < tensor.values.size(); ++i) tensor.values[i] *= 1 + (i % 2 == 0 ? by : -by);
    return measured(other, probes, "embedding", "embedding").figures;
  };
  const SpaceMeasure small = changed(1e-3f), large = changed(0.5f);
  CHECK(small.largest > 0);
  CHECK(judge_space(small) == SpaceVerdict::kSame);
  CHECK(judge_space(large) == SpaceVerdict::kOther);
  CHECK(small.mean < small.largest);
  CHECK(small.cosine_min < 1);
}

TEST_CASE("probes go to a port of another name where there is no choice, and outputs are looked up by the stored name") {
  SmallModel model = test::small_transformer(test::small_spec());
  Probes probes = probes_of(model, {"embedding"});
  probes.inputs[0].port = "ids";
  probes.outputs[0].port = "vector";
  CHECK(measured(model, probes, "vector", "embedding").figures.largest == 0);
  ThreadPool pool(1);
  Runner backbone = runner_of(model, {"embedding"}, {.context = {&pool}});
  const Result<MeasuredSpace> none = measure_space(backbone, probes, "embedding", "embedding");
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().code == Code::kInvalid);
  CHECK(none.error().what.find("'embedding'") != std::string::npos);
}

TEST_CASE("stored outputs of another width or kind cannot be measured") {
  SmallModel model = test::small_transformer(test::small_spec());
  const Probes probes = probes_of(model, {"embedding", "hidden"});
  ThreadPool pool(1);
  Runner backbone = runner_of(model, {"embedding"}, {.context = {&pool}});
  CHECK(measure_space(backbone, probes, "hidden", "embedding").error().code == Code::kInvalid);  // mean and first: twice as wide
}

TEST_CASE("outputs do not depend on batches or order, for sequences and for pictures") {
  const SmallModel model = test::small_transformer(test::small_spec());
  const Probes probes = probes_of(model, {"embedding"});
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    Runner backbone = runner_of(model, {"embedding", "hidden"}, {.context = {&pool}});
    const Result<Invariance> got = check_invariance(backbone, probes);
    REQUIRE(got.ok());
    CHECK(got->batch);
    CHECK(got->order);
    CHECK(got->item == -1);
  }
  ThreadPool pool(1);
  const SmallModel pictures = picture_model(DType::kF32, {28, 28}, 6);
  Runner backbone = runner_of(pictures, {"features"}, {.context = {&pool}});
  const Result<Probes> drawn = drawn_probes(backbone.inputs(), 0);
  REQUIRE(drawn.ok());
  const Result<Invariance> got = check_invariance(backbone, *drawn);
  REQUIRE(got.ok());
  CHECK(got->batch);
  CHECK(got->order);
}

}  // namespace
}  // namespace modnet
