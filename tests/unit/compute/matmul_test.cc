// Products against the plain loops of reference/gemm.h, bit for bit, on every instruction set that this machine has.
#include "libmod/compute/matmul.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <span>

#include "libmod/compute/reference/gemm.h"
#include "tests/unit/compute/product_cases.h"

namespace modnet::test {
namespace {

struct Shape {
  int64_t m, n, k;
};

// 0 and 1, odd, around the tiles (3, 6, 12 and 14 rows, 16 and 32 columns), over the cuts of k (768 floats, 384 doubles;
// four times that packed at a time) and of m (some 50 rows), with a rest of few rows behind a tile, and with every height
// of a tile by hand (6 to 14 rows) behind a cut of k.
const Shape kShapes[] = {{0, 5, 3},     {3, 0, 5},     {3, 5, 0},     {1, 1, 1},     {1, 32, 7},    {2, 33, 9},
                         {5, 31, 64},   {6, 16, 5},    {7, 17, 12},   {11, 65, 31},  {12, 32, 33},  {13, 96, 40},
                         {14, 100, 2},  {15, 33, 40},  {16, 32, 40},  {17, 34, 36},  {25, 1, 70},   {97, 64, 3},
                         {110, 40, 20}, {4, 40, 383},  {3, 33, 385},  {13, 34, 769}, {2, 48, 1537}, {5, 20, 3100},
                         {6, 32, 772},  {7, 33, 772},  {8, 32, 772},  {9, 34, 772},  {10, 32, 772}, {11, 32, 772},
                         {12, 36, 772}, {13, 32, 772}, {14, 40, 772}, {20, 33, 1600}, {30, 48, 28}, {48, 64, 44}};

void clamp_below(float* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = x[i] < 0.0F ? 0.0F : x[i];
}

using Pools = std::span<ThreadPool* const>;

// body(context) on every instruction set and with every pool.
void everywhere(Pools pools, const std::function<void(const ComputeContext&)>& body) {
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    CAPTURE(target);
    for (ThreadPool* pool : pools) body({pool, Policy::kPortable});
  }
}

template <typename T>
void check_all_products(const Shape& shape, Pools pools) {
  Numbers numbers(17);
  for (const Trans trans_a : {Trans::kNo, Trans::kYes}) {
    for (const Trans trans_b : {Trans::kNo, Trans::kYes}) {
      const int64_t lda = (trans_a == Trans::kNo ? shape.k : shape.m) + 3;
      const int64_t ldb = (trans_b == Trans::kNo ? shape.n : shape.k) + 1;
      const int64_t ldc = shape.n + 2;
      const std::vector<T> a = numbers.make<T>((trans_a == Trans::kNo ? shape.m : shape.k) * lda);
      const std::vector<T> b = numbers.make<T>((trans_b == Trans::kNo ? shape.k : shape.n) * ldb);
      const std::vector<T> untouched(static_cast<size_t>(shape.m * ldc), T{7});
      std::vector<T> expected = untouched;
      reference::matmul<T>(shape.m, shape.n, shape.k, a.data(), lda, trans_a, b.data(), ldb, trans_b, expected.data(),
                           ldc);
      CAPTURE(static_cast<int>(trans_a));
      CAPTURE(static_cast<int>(trans_b));
      everywhere(pools, [&](const ComputeContext& context) {
        std::vector<T> got = untouched;
        matmul<T>(context, shape.m, shape.n, shape.k, a.data(), lda, trans_a, b.data(), ldb, trans_b, got.data(), ldc);
        CHECK(first_difference(expected, got) == -1);
      });
    }
  }
}

void check_packed(const Shape& shape, Pools pools) {
  Numbers numbers(29);
  const int64_t lda = shape.k + 5;
  const int64_t ldc = shape.n + 1;
  const std::vector<float> a = numbers.make<float>(shape.m * lda);
  const std::vector<float> bias = numbers.make<float>(shape.n);
  for (const Trans trans : {Trans::kNo, Trans::kYes}) {
    const int64_t ldb = (trans == Trans::kNo ? shape.n : shape.k) + 2;
    const std::vector<float> b = numbers.make<float>((trans == Trans::kNo ? shape.k : shape.n) * ldb);
    for (const float* add : {static_cast<const float*>(nullptr), bias.data()}) {
      for (const RowFunction act : {static_cast<RowFunction>(nullptr), &clamp_below}) {
        const std::vector<float> untouched(static_cast<size_t>(shape.m * ldc), 7.0F);
        std::vector<float> expected = untouched;
        reference::linear(shape.m, shape.n, shape.k, a.data(), lda, b.data(), ldb, trans, add, act, expected.data(),
                          ldc);
        everywhere(pools, [&](const ComputeContext& context) {
          const PackedMatrix packed = PackedMatrix::pack(b.data(), ldb, trans, shape.k, shape.n);
          CHECK(packed.k() == shape.k);
          CHECK(packed.n() == shape.n);
          CHECK(packed.bytes() == (shape.n + 15) / 16 * 16 * shape.k * 4);
          std::vector<float> got = untouched;
          matmul_packed(context, a.data(), lda, shape.m, packed, add, act, got.data(), ldc);
          CHECK(first_difference(expected, got) == -1);
        });
      }
    }
  }
}

TEST_CASE("weights packed from parts are those of the parts side by side, wherever a part ends") {
  Numbers numbers(5);
  ThreadPool two(2);
  constexpr int64_t kDepth = 21, kRows = 5;
  const std::vector<float> a = numbers.make<float>(kRows * kDepth);
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    CAPTURE(target);
    for (const std::vector<int64_t>& widths : {std::vector<int64_t>{16, 32, 5}, {16, 16}, {3, 20, 16, 1}, {40}, {7, 9}}) {
      for (const Trans trans : {Trans::kNo, Trans::kYes}) {
        int64_t n = 0;
        for (const int64_t width : widths) n += width;
        const std::vector<float> whole = numbers.make<float>(kDepth * n);  // [k, n]
        std::vector<std::vector<float>> stored;
        std::vector<WeightPart> parts;
        int64_t column = 0;
        for (const int64_t width : widths) {
          std::vector<float>& one = stored.emplace_back(static_cast<size_t>(kDepth * width));
          for (int64_t p = 0; p < kDepth; ++p)
            for (int64_t j = 0; j < width; ++j)
              one[static_cast<size_t>(trans == Trans::kNo ? p * width + j : j * kDepth + p)] = whole[static_cast<size_t>(p * n + column + j)];
          parts.push_back({one.data(), trans == Trans::kNo ? width : kDepth, width});
          column += width;
        }
        std::vector<float> expected(static_cast<size_t>(kRows * n)), got(expected.size());
        const ComputeContext context{&two, Policy::kPortable};
        matmul_packed(context, a.data(), kDepth, kRows, PackedMatrix::pack(whole.data(), n, Trans::kNo, kDepth, n), nullptr, nullptr, expected.data(), n);
        for (ThreadPool* pool : {static_cast<ThreadPool*>(nullptr), &two}) {
          const PackedMatrix packed = PackedMatrix::pack(parts, trans, kDepth, pool);
          CHECK(packed.n() == n);
          matmul_packed(context, a.data(), kDepth, kRows, packed, nullptr, nullptr, got.data(), n);
          CHECK(first_difference(expected, got) == -1);
        }
      }
    }
  }
}

TEST_CASE("a product worked by hand comes out, and its chain is fused") {
  const float a[] = {1, 2, 3, 4, 5, 6};
  const float b[] = {7, 8, 9, 10, 11, 12};
  float c[4];
  reference::matmul<float>(2, 2, 3, a, 3, Trans::kNo, b, 2, Trans::kNo, c, 2);
  CHECK(c[0] == 58.0F);
  CHECK(c[1] == 64.0F);
  CHECK(c[2] == 139.0F);
  CHECK(c[3] == 154.0F);
  // (1 + e)(1 - e) - 1 = -e² only when the product is not rounded first
  const float e = 0x1p-20F;
  const float left[] = {-1.0F, 1.0F + e};
  const float right[] = {1.0F, 1.0F - e};
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    matmul<float>({}, 1, 1, 2, left, 2, Trans::kNo, right, 1, Trans::kNo, c, 1);
    CHECK(c[0] == -0x1p-40F);
  }
}

TEST_CASE("f32 and f64 products have the reference's bits on every instruction set and thread count") {
  ThreadPool two(2);
  ThreadPool three(3);
  ThreadPool* const pools[] = {nullptr, &two, &three};
  for (const Shape& shape : kShapes) {
    CAPTURE(shape.m);
    CAPTURE(shape.n);
    CAPTURE(shape.k);
    check_all_products<float>(shape, pools);
    check_all_products<double>(shape, pools);
    check_packed(shape, pools);
  }
}

TEST_CASE("a row's result does not depend on the rows beside it") {
  constexpr int64_t kRows = 61;
  constexpr int64_t kDepth = 400;
  constexpr int64_t kColumns = 70;
  Numbers numbers(5);
  const std::vector<float> a = numbers.make<float>(kRows * kDepth);
  const std::vector<float> b = numbers.make<float>(kDepth * kColumns);
  const PackedMatrix packed = PackedMatrix::pack(b.data(), kColumns, Trans::kNo, kDepth, kColumns);
  ThreadPool pool(2);
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    const ComputeContext context{&pool, Policy::kPortable};
    std::vector<float> together(kRows * kColumns);
    matmul_packed(context, a.data(), kDepth, kRows, packed, nullptr, nullptr, together.data(), kColumns);
    for (const int64_t batch : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 30}) {
      std::vector<float> apart(kRows * kColumns);
      for (int64_t first = 0; first < kRows; first += batch) {
        const int64_t rows = std::min(batch, kRows - first);
        matmul_packed(context, a.data() + first * kDepth, kDepth, rows, packed, nullptr, nullptr,
                      apart.data() + first * kColumns, kColumns);
      }
      CAPTURE(target);
      CAPTURE(batch);
      CHECK(first_difference(together, apart) == -1);
    }
  }
}

TEST_CASE("rows give the same bits wherever they lie, those that share a cache set, too") {
  constexpr int64_t kRows = 27, kDepth = 96, kColumns = 50;
  Numbers numbers(41);
  const std::vector<float> a = numbers.make<float>(kRows * kDepth), b = numbers.make<float>(kDepth * kColumns);
  const PackedMatrix packed = PackedMatrix::pack(b.data(), kColumns, Trans::kNo, kDepth, kColumns);
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    CAPTURE(target);
    std::vector<float> expected(kRows * kColumns);
    reference::linear(kRows, kColumns, kDepth, a.data(), kDepth, b.data(), kColumns, Trans::kNo, nullptr, nullptr, expected.data(), kColumns);
    for (const int64_t lda : {96, 100, 512, 1023, 1024, 1025, 2048}) {
      CAPTURE(lda);
      std::vector<float> apart(static_cast<size_t>(kRows * lda), std::numeric_limits<float>::quiet_NaN());
      for (int64_t i = 0; i < kRows; ++i) std::copy_n(a.data() + i * kDepth, kDepth, apart.data() + i * lda);
      std::vector<float> got(expected.size());
      matmul_packed({nullptr, Policy::kPortable}, apart.data(), lda, kRows, packed, nullptr, nullptr, got.data(), kColumns);
      CHECK(first_difference(expected, got) == -1);
    }
  }
}

TEST_CASE("two layers at once give the bits of one after the other, few rows or many") {
  ThreadPool one(1), three(3);
  constexpr int64_t k = 45, middle = 810, n = 35, lda = k + 3, ldc = n + 5;  // more than a depth in the middle, partly used panels
  Numbers numbers(29);
  const std::vector<float> first_weights = numbers.make<float>(middle * k), second_weights = numbers.make<float>(n * middle), bias = numbers.make<float>(middle),
                           add = numbers.make<float>(n);
  const PackedMatrix first = PackedMatrix::pack(first_weights.data(), k, Trans::kYes, k, middle);
  const PackedMatrix second = PackedMatrix::pack(second_weights.data(), middle, Trans::kYes, middle, n);
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    CAPTURE(target);
    for (const int64_t m : {int64_t{0}, int64_t{1}, int64_t{23}, int64_t{24}, int64_t{71}, int64_t{72}, int64_t{145}, int64_t{301}}) {
      if (!cpu_target_fuses() && m > 72) continue;  // imitated multiply-adds take a while
      CAPTURE(m);
      const std::vector<float> a = numbers.make<float>(m * lda);
      std::vector<float> between(static_cast<size_t>(m * middle)), expected(static_cast<size_t>(m * ldc), 7.0F);
      matmul_packed({&one}, a.data(), lda, m, first, bias.data(), &clamp_below, between.data(), middle);
      matmul_packed({&one}, between.data(), middle, m, second, add.data(), nullptr, expected.data(), ldc);
      for (ThreadPool* pool : {static_cast<ThreadPool*>(nullptr), &one, &three}) {
        std::vector<float> c(expected.size(), 7.0F);
        matmul_packed_twice({pool}, a.data(), lda, m, {first, bias.data(), &clamp_below}, {second, add.data(), nullptr}, between.data(), c.data(), ldc);
        CHECK(first_difference(c, expected) == -1);
      }
    }
  }
}

TEST_CASE("subnormal numbers are neither flushed nor rounded differently") {
  Numbers numbers(11);
  // sums that stay subnormal; large and subnormal terms in one sum; sums that overflow
  struct Case {
    double left, right;
    size_t mixed_every;
  };
  for (const Case& one : {Case{1e-20, 1e-19, 100'000}, Case{1e-20, 1e-19, 7}, Case{1e19, 3e19, 7}}) {
    std::vector<float> a = numbers.make<float>(13 * 50, one.left);
    std::vector<float> b = numbers.make<float>(50 * 40, one.right);
    for (size_t i = one.mixed_every; i < a.size(); i += one.mixed_every)
      a[i] = static_cast<float>(numbers.next()) * 1e-40F;
    for (size_t i = one.mixed_every; i < b.size(); i += one.mixed_every + 4) b[i] = static_cast<float>(numbers.next());
    std::vector<float> expected(13 * 40);
    reference::matmul<float>(13, 40, 50, a.data(), 50, Trans::kNo, b.data(), 40, Trans::kNo, expected.data(), 40);
    if (one.mixed_every > a.size()) {
      CHECK(std::all_of(expected.begin(), expected.end(),
                        [](float x) { return std::fpclassify(x) == FP_SUBNORMAL || x == 0.0F; }));
    }
    for (const std::string& target : cpu_targets()) {
      const ForcedTarget forced(target);
      std::vector<float> got(13 * 40);
      matmul<float>({}, 13, 40, 50, a.data(), 50, Trans::kNo, b.data(), 40, Trans::kNo, got.data(), 40);
      CAPTURE(target);
      CHECK(first_difference(expected, got) == -1);
    }
  }
}

TEST_CASE("infinities and NaNs spread to their row or column only") {
  Numbers numbers(3);
  std::vector<float> a = numbers.make<float>(9 * 20);
  std::vector<float> b = numbers.make<float>(20 * 35);
  a[4 * 20 + 3] = std::numeric_limits<float>::infinity();
  a[7 * 20 + 5] = std::numeric_limits<float>::quiet_NaN();
  b[8 * 35 + 33] = -std::numeric_limits<float>::infinity();
  b[3 * 35 + 2] = 0.0F;  // infinity times zero
  std::vector<float> expected(9 * 35);
  reference::matmul<float>(9, 35, 20, a.data(), 20, Trans::kNo, b.data(), 35, Trans::kNo, expected.data(), 35);
  CHECK(std::isnan(expected[4 * 35 + 2]));
  CHECK(std::isinf(expected[4 * 35 + 1]));
  CHECK(std::isnan(expected[7 * 35 + 34]));
  CHECK(std::isfinite(expected[34]));
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    std::vector<float> got(9 * 35);
    matmul<float>({}, 9, 35, 20, a.data(), 20, Trans::kNo, b.data(), 35, Trans::kNo, got.data(), 35);
    CAPTURE(target);
    CHECK(first_difference(expected, got) == -1);
  }
}

TEST_CASE("a Gram matrix is symmetric and is the reference's, for any number of rows and threads") {
  Numbers numbers(23);
  ThreadPool two(2);
  ThreadPool three(3);
  for (const Shape& shape : {Shape{0, 4, 0}, Shape{1, 1, 0}, Shape{5, 0, 0}, Shape{30, 15, 0}, Shape{7, 33, 0},
                             Shape{200, 50, 0}, Shape{800, 110, 0}}) {
    const int64_t rows = shape.m;
    const int64_t cols = shape.n;
    const std::vector<double> a = numbers.make<double>(rows * (cols + 2));
    std::vector<double> expected(static_cast<size_t>(cols * (cols + 1)), 7.0);
    const std::vector<double> untouched = expected;
    reference::gram(rows, cols, a.data(), cols + 2, expected.data(), cols + 1);
    for (const std::string& target : cpu_targets()) {
      const ForcedTarget forced(target);
      for (ThreadPool* pool : {static_cast<ThreadPool*>(nullptr), &two, &three}) {
        std::vector<double> got = untouched;
        gram({pool, Policy::kPortable}, rows, cols, a.data(), cols + 2, got.data(), cols + 1);
        CAPTURE(target);
        CAPTURE(rows);
        CAPTURE(cols);
        CHECK(first_difference(expected, got) == -1);
      }
    }
  }
}

}  // namespace
}  // namespace modnet::test
