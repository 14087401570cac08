// Distances between tensors: figures of known pairs, across dtypes, with NaN and infinities.
#include "libmod/module/tensor_stats.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace modnet {
namespace {

template <typename T>
Bytes bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const std::byte*>(values.data()), values.size() * sizeof(T)};
}

TEST_CASE("distances are those of the definition") {
  const std::vector<float> a{3, 0, 4}, b{3, 1, 4};
  const Result<TensorStats> stats = compare_tensors(DType::kF32, bytes_of(a), DType::kF32, bytes_of(b));
  REQUIRE(stats.ok());
  CHECK(stats->elements == 3);
  CHECK(stats->differing == 1);
  CHECK(stats->relative_l2 == doctest::Approx(0.2).epsilon(1e-15));
  CHECK(stats->largest == 1);
  CHECK(stats->cosine == doctest::Approx(25 / (5 * std::sqrt(26.0))).epsilon(1e-15));
}

TEST_CASE("a tensor and its copy in another dtype that can hold it do not differ") {
  std::vector<float> values;
  std::vector<uint16_t> bf16, f16;
  std::vector<double> wide;
  std::vector<int32_t> whole;
  for (int i = -1500; i < 1500; ++i) {
    const float value = bf16_to_f32(f32_to_bf16(static_cast<float>(i % 128)));
    values.push_back(value);
    bf16.push_back(f32_to_bf16(value));
    f16.push_back(f32_to_f16(value));
    wide.push_back(value);
    whole.push_back(static_cast<int32_t>(value));
  }
  const TensorStats none{3000, 0, 0, 0, 1, 0, 0, 0, 0};
  const auto compare = [&](DType dtype, Bytes bytes) {
    Result<TensorStats> stats = compare_tensors(DType::kF32, bytes_of(values), dtype, bytes);
    REQUIRE(stats.ok());
    CHECK(stats->cosine == doctest::Approx(1).epsilon(1e-15));
    stats->cosine = 1;
    return *stats;
  };
  CHECK(compare(DType::kBF16, bytes_of(bf16)) == none);
  CHECK(compare(DType::kF16, bytes_of(f16)) == none);
  CHECK(compare(DType::kF64, bytes_of(wide)) == none);
  CHECK(compare(DType::kI32, bytes_of(whole)) == none);
}

TEST_CASE("NaN and infinities are counted and take no part in the distances") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const std::vector<float> a{nan, 1, inf, 2, nan}, b{nan, 1, 5, -inf, 0};
  const Result<TensorStats> stats = compare_tensors(DType::kF32, bytes_of(a), DType::kF32, bytes_of(b));
  REQUIRE(stats.ok());
  CHECK(*stats == TensorStats{5, 3, 0, 0, 1, 2, 1, 1, 1});
}

TEST_CASE("zero tensors have a direction only together") {
  const std::vector<float> zero{0, 0}, one{1, 0};
  CHECK(compare_tensors(DType::kF32, bytes_of(zero), DType::kF32, bytes_of(zero))->cosine == 1);
  const Result<TensorStats> stats = compare_tensors(DType::kF32, bytes_of(zero), DType::kF32, bytes_of(one));
  CHECK(stats->cosine == 0);
  CHECK(std::isinf(stats->relative_l2));
}

TEST_CASE("64-bit integers that are one f64 are still told apart") {
  const std::vector<int64_t> a{int64_t{1} << 60}, b{(int64_t{1} << 60) + 1};
  const Result<TensorStats> stats = compare_tensors(DType::kI64, bytes_of(a), DType::kI64, bytes_of(b));
  REQUIRE(stats.ok());
  CHECK(stats->differing == 1);
  CHECK(stats->largest == 0);
}

TEST_CASE("other lengths and unknown dtypes are errors") {
  const std::vector<float> a{1, 2};
  CHECK(compare_tensors(DType::kF32, bytes_of(a), DType::kF64, bytes_of(a)).error().code == Code::kInvalid);
  CHECK(compare_tensors(DType::kF32, bytes_of(a), static_cast<DType>(99), bytes_of(a)).error().id == "DTYPE_UNKNOWN");
}

}  // namespace
}  // namespace modnet
