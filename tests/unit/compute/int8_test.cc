// The 8-bit product against plain loops, bit for bit: on every instruction set that this machine has, at any thread count and batch,
// and the VNNI tile's indexing and arithmetic on emulated instructions, so that it is tested where there is no VNNI.
#include "libmod/compute/int8.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "libmod/compute/cpu/int8_quads-inl.h"
#include "libmod/compute/reference/int8.h"
#include "tests/support/skip.h"
#include "tests/unit/compute/product_cases.h"

namespace modnet::test {
namespace {

struct Shape {
  int64_t m, n, k;
};
// 0 and 1, odd, around the tiles (3, 6, 12 and 32 rows, 16 and 32 columns, 64 values of k) and the blocks of rows (96).
const Shape kShapes[] = {{0, 5, 3},    {3, 0, 5},    {3, 5, 0},    {1, 1, 1},   {1, 32, 7},    {2, 33, 9},   {5, 31, 64},   {6, 16, 5},     {7, 17, 12},
                         {11, 65, 31}, {12, 32, 33}, {13, 96, 40}, {25, 1, 70}, {97, 64, 3},   {110, 40, 20}, {4, 48, 384},  {3, 33, 1537}, {200, 131, 66},
                         {16, 32, 64}, {17, 33, 128}, {32, 64, 63},  {33, 65, 65}};

void clamp_below(float* x, int64_t n) {
  for (int64_t i = 0; i < n; ++i) x[i] = x[i] < 0.0F ? 0.0F : x[i];
}

/// A layer with its input, both made up; rows have magnitudes of their own.
struct Case {
  Shape shape;
  int64_t lda, ldc;
  std::vector<float> a, factors, scales, bias;
  std::vector<int8_t> weights;
  explicit Case(const Shape& of, uint64_t seed = 5) : shape(of), lda(of.k + 3), ldc(of.n + 2) {
    Numbers numbers(seed);
    a = numbers.make<float>(of.m * lda);
    for (int64_t i = 0; i < of.m; ++i)
      for (int64_t p = 0; p < lda; ++p) a[static_cast<size_t>(i * lda + p)] *= std::exp2(static_cast<float>(i % 7) * 3.5F - 9.0F);
    factors = numbers.make<float>(of.k, 2.0);
    scales = numbers.make<float>(of.n, 0.01);
    bias = numbers.make<float>(of.n);
    for (int64_t i = 0; i < of.n * of.k; ++i) weights.push_back(static_cast<int8_t>(std::floor(numbers.next() * 128.0)));  // -128 to 127
  }
  [[nodiscard]] std::vector<float> expected(const float* with_factors, const float* with_bias, RowFunction act) const {
    std::vector<float> c(static_cast<size_t>(shape.m * ldc), 7.0F);
    reference::linear_int8(shape.m, shape.n, shape.k, a.data(), lda, with_factors, weights.data(), scales.data(), with_bias, act, c.data(), ldc);
    return c;
  }
  [[nodiscard]] std::vector<float> got(const ComputeContext& context, const PackedInt8& packed, const float* with_factors, RowFunction act) const {
    std::vector<float> c(static_cast<size_t>(shape.m * ldc), 7.0F);
    linear_int8(context, a.data(), lda, shape.m, {packed, with_factors, act}, c.data(), ldc);
    return c;
  }
};

TEST_CASE("an 8-bit layer worked by hand comes out") {
  // The range is 510, from -10 to 500, so whole numbers are halves of the input with 5 for zero, ties to even: 255 4 0 6. The second row has no
  // number below zero; factors halve its first number.
  const float a[] = {500, -3, -10, 1, 1020, 254, 3, 0}, factors[] = {0.5F, 1, 1, 1};
  const int8_t weights[] = {1, 2, 3, 4, -1, 0, 0, 1};
  const float scales[] = {0.5F, 2}, bias[] = {0.25F, -1};
  float c[4] = {};
  reference::linear_int8(1, 2, 4, a, 4, nullptr, weights, scales, bias, nullptr, c, 2);
  CHECK(c[0] == (250 - 2 * 1 - 3 * 5 + 4 * 1) * 0.5F * 2.0F + 0.25F);  // 5 - 3 / 2 = 3.5 is rounded to 4, 5 + 1 / 2 = 5.5 to 6
  CHECK(c[1] == (-250 + 1) * 2.0F * 2.0F - 1.0F);
  reference::linear_int8(1, 2, 4, a + 4, 4, factors, weights, scales, nullptr, nullptr, c, 2);
  CHECK(c[0] == (255 + 2 * 127 + 3 * 2) * 0.5F * 2.0F);  // 3 / 2 is rounded to 2
  CHECK(c[1] == -255 * 2.0F * 2.0F);
}

TEST_CASE("weights are rounded to whole numbers a channel, ties to even, and a channel of zeros stays zero") {
  const float weights[] = {1.27F, -0.005F, 0.5F, 0, 0, 0, -2.54F, 0.03F, 0.01F};
  int8_t whole[9];
  float scales[3];
  quantise_weights(weights, 3, 3, whole, scales);
  CHECK(scales[0] == 1.27F / 127.0F);
  CHECK(scales[1] == 0.0F);
  CHECK(std::vector<int>(whole, whole + 9) == std::vector<int>{127, 0, 50, 0, 0, 0, -127, 2, 0});
}

TEST_CASE("a row uses all of its numbers though its values lie about another middle than 0") {
  constexpr int64_t k = 70;
  std::vector<float> a(2 * k);  // as a GELU gives them: none far below 0; the second row has none above
  for (size_t i = 0; i < a.size(); ++i) a[i] = static_cast<float>(i % k) * (i < k ? 0.1F : -0.1F) + (i < k ? -0.17F : 0.0F);
  std::vector<int8_t> identity(k * k, 0);
  for (size_t i = 0; i < k; ++i) identity[i * k + i] = 1;
  const std::vector<float> ones(k, 1.0F);
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    std::vector<float> c(2 * k);
    linear_int8({}, a.data(), k, 2, {PackedInt8::pack(identity.data(), ones.data(), nullptr, k, k)}, c.data(), k);
    for (size_t i = 0; i < c.size(); ++i) CHECK(std::abs(c[i] - a[i]) <= 0.501F * 6.9F / 255.0F);  // half a step; about 0 a step would be twice as large
  }
}

TEST_CASE("8-bit layers have the reference's bits on every instruction set and thread count") {
  ThreadPool one(1), two(2), three(3);
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    CAPTURE(target);
    for (const Shape& shape : kShapes) {
      CAPTURE(shape.m);
      CAPTURE(shape.n);
      CAPTURE(shape.k);
      const Case made(shape);
      for (const float* factors : {static_cast<const float*>(nullptr), made.factors.data()})
        for (const float* bias : {static_cast<const float*>(nullptr), made.bias.data()})
          for (const RowFunction act : {static_cast<RowFunction>(nullptr), &clamp_below}) {
            const std::vector<float> expected = made.expected(factors, bias, act);
            const PackedInt8 packed = PackedInt8::pack(made.weights.data(), made.scales.data(), bias, shape.k, shape.n, &three);
            const PackedInt8 pairs = PackedInt8::pack_as(Int8Layout::kPairs, made.weights.data(), made.scales.data(), bias, shape.k, shape.n);
            CHECK(first_difference(made.got(ComputeContext{nullptr}, packed, factors, act), expected) == -1);
            CHECK(first_difference(made.got(ComputeContext{&one}, pairs, factors, act), expected) == -1);
            for (ThreadPool* pool : {&two, &three}) CHECK(first_difference(made.got(ComputeContext{pool}, packed, factors, act), expected) == -1);
          }
    }
  }
}

TEST_CASE("rows do not depend on their batch, large enough for threads and blocks") {
  ThreadPool three(3);
  const Case made({301, 80, 100}, 11);
  const PackedInt8 packed = PackedInt8::pack(made.weights.data(), made.scales.data(), made.bias.data(), 100, 80);
  const std::vector<float> whole = made.got(ComputeContext{&three}, packed, nullptr, nullptr);
  CHECK(first_difference(whole, made.expected(nullptr, made.bias.data(), nullptr)) == -1);
  for (const int64_t size : {1, 2, 5, 97}) {
    CAPTURE(size);
    std::vector<float> c(whole.size(), 7.0F);
    for (int64_t first = 0; first < 301; first += size)
      linear_int8(ComputeContext{&three}, made.a.data() + first * made.lda, made.lda, std::min(size, 301 - first), {packed},
                  c.data() + first * made.ldc, made.ldc);
    CHECK(first_difference(c, whole) == -1);
  }
}

TEST_CASE("two layers at once give the bits of one after the other, few rows or many") {
  ThreadPool one(1), three(3);
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    CAPTURE(target);
    for (const int64_t m : {int64_t{0}, int64_t{1}, int64_t{23}, int64_t{24}, int64_t{71}, int64_t{72}, int64_t{145}, int64_t{301}}) {
      CAPTURE(m);
      const Case in({m, 70, 45}, 31), out({1, 35, 70}, 37);
      for (const Int8Layout layout : {Int8Layout::kPairs, int8_dot_products() ? Int8Layout::kQuads : Int8Layout::kPairs}) {
        const PackedInt8 first = PackedInt8::pack_as(layout, in.weights.data(), in.scales.data(), in.bias.data(), 45, 70);
        const PackedInt8 second = PackedInt8::pack_as(layout, out.weights.data(), out.scales.data(), nullptr, 70, 35);
        const std::vector<float> between = in.got({&one}, first, in.factors.data(), &clamp_below);
        std::vector<float> expected(static_cast<size_t>(m * 40), 7.0F), room(static_cast<size_t>(m * 70));
        linear_int8({&one}, between.data(), in.ldc, m, {second, out.factors.data()}, expected.data(), 40);
        for (ThreadPool* pool : {static_cast<ThreadPool*>(nullptr), &one, &three}) {
          std::vector<float> c(expected.size(), 7.0F);
          linear_int8_twice({pool}, in.a.data(), in.lda, m, {first, in.factors.data(), &clamp_below}, {second, out.factors.data()}, room.data(), c.data(), 40);
          CHECK(first_difference(c, expected) == -1);
        }
      }
    }
  }
}

TEST_CASE("the largest sums that the depth allows are exact") {
  const int64_t k = kInt8MostDepth;
  const std::vector<float> a(static_cast<size_t>(k), 1.0F);
  const std::vector<int8_t> weights(static_cast<size_t>(k), int8_t{-128});
  const float scale = 1.0F;
  static_assert(int64_t{255} * 128 * kInt8MostDepth < (int64_t{1} << 31));
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    const PackedInt8 packed = PackedInt8::pack(weights.data(), &scale, nullptr, k, 1);
    float c = 0;
    linear_int8({}, a.data(), k, 1, {packed}, &c, 1);
    CHECK(c == static_cast<float>(-int64_t{255} * 128 * k) * (1.0F / 255.0F));
  }
}

TEST_CASE("rows that are not finite give NaN, rows near zero give the bias, and their neighbours are not touched") {
  const float kNan = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();
  const int64_t k = 37;
  constexpr int64_t kRows = 9;
  std::vector<float> a(static_cast<size_t>(k) * kRows, 0.5F);
  a[3] = kNan;                                                                  // row 0
  a[static_cast<size_t>(k) + 36] = -kInf;                                       // row 1, in the tail of its vectors
  std::fill_n(a.begin() + 2 * k, k, 0x1p-101F);                                 // row 2: counts as zero
  std::fill_n(a.begin() + 3 * k, k, -0x1p-100F);                                // row 3: does not
  std::fill_n(a.begin() + 4 * k, k, std::numeric_limits<float>::denorm_min());  // row 4
  a[static_cast<size_t>(6 * k) + 20] = kInf;                                    // row 6, in a whole vector
  a[static_cast<size_t>(7 * k) + 1] = -kNan;
  a[static_cast<size_t>(8 * k) + 2] = 3e38F, a[static_cast<size_t>(8 * k) + 36] = -3e38F;  // row 8: finite, but not its range
  std::vector<int8_t> weights(static_cast<size_t>(k), int8_t{2});
  const float scale = 0.25F, bias = 3.0F;
  for (const std::string& target : cpu_targets()) {
    const ForcedTarget forced(target);
    CAPTURE(target);
    const PackedInt8 packed = PackedInt8::pack(weights.data(), &scale, &bias, k, 1);
    std::vector<float> c(kRows), expected(kRows);
    linear_int8({}, a.data(), k, kRows, {packed}, c.data(), 1);
    reference::linear_int8(kRows, 1, k, a.data(), k, nullptr, weights.data(), &scale, &bias, nullptr, expected.data(), 1);
    CHECK(first_difference(c, expected) == -1);
    CHECK(std::bit_cast<uint32_t>(c[0]) == 0x7FC00000u);
    CHECK(std::bit_cast<uint32_t>(c[1]) == 0x7FC00000u);
    CHECK(std::bit_cast<uint32_t>(c[6]) == 0x7FC00000u);
    CHECK(std::bit_cast<uint32_t>(c[7]) == 0x7FC00000u);
    CHECK(c[2] == 3.0F);
    CHECK(c[3] == 3.0F);  // too small to show beside the bias, but computed
    CHECK(c[4] == 3.0F);
    CHECK(c[5] != 3.0F);
    linear_int8({}, a.data() + 3 * k, k, 1, {PackedInt8::pack(weights.data(), &scale, nullptr, k, 1)}, c.data(), 1);
    CHECK(c[0] == doctest::Approx(-0x1p-100F * 0.5F * static_cast<float>(k)));
  }
}

/// 512-bit instructions as loops.
struct Emulated {
  using Whole = std::array<int32_t, 16>;
  using Real = std::array<float, 16>;
  template <typename Out, typename F>
  static Out each(F f) {
    Out out;
    for (size_t i = 0; i < 16; ++i) out[i] = f(i);
    return out;
  }
  static Whole zero() { return {}; }
  static Whole load_bytes(const std::byte* p) {
    Whole out;
    std::memcpy(out.data(), p, 64);
    return out;
  }
  static Whole broadcast_quad(const std::byte* p) {
    int32_t quad;
    std::memcpy(&quad, p, 4);
    return set_whole(quad);
  }
  static Whole dot(Whole sum, Whole bytes, Whole signed_bytes) {
    return each<Whole>([&](size_t i) {
      uint8_t u[4];
      int8_t s[4];
      std::memcpy(u, &bytes[i], 4);
      std::memcpy(s, &signed_bytes[i], 4);
      auto total = static_cast<uint32_t>(sum[i]);
      for (int j = 0; j < 4; ++j) total += static_cast<uint32_t>(static_cast<int32_t>(u[j]) * s[j]);
      return static_cast<int32_t>(total);
    });
  }
  static void will_write(const float*) {}
  static Whole load_whole(const int32_t* p) { return each<Whole>([&](size_t i) { return p[i]; }); }
  static void store_whole(int32_t* p, Whole a) { std::copy(a.begin(), a.end(), p); }
  static Whole set_whole(int32_t value) {
    return each<Whole>([&](size_t) { return value; });
  }
  static Whole multiply_whole(Whole a, Whole b) {
    return each<Whole>([&](size_t i) { return static_cast<int32_t>(static_cast<uint32_t>(a[i]) * static_cast<uint32_t>(b[i])); });
  }
  static Whole subtract(Whole a, Whole b) {
    return each<Whole>([&](size_t i) { return static_cast<int32_t>(static_cast<uint32_t>(a[i]) - static_cast<uint32_t>(b[i])); });
  }
  static Real to_real(Whole a) {
    return each<Real>([&](size_t i) { return static_cast<float>(a[i]); });
  }
  static Real set(float value) {
    return each<Real>([&](size_t) { return value; });
  }
  static Real load(const float* p) {
    return each<Real>([&](size_t i) { return p[i]; });
  }
  static Real multiply(Real a, Real b) {
    return each<Real>([&](size_t i) { return a[i] * b[i]; });
  }
  static Real add(Real a, Real b) {
    return each<Real>([&](size_t i) { return a[i] + b[i]; });
  }
  static void store(float* p, Real a) { std::copy(a.begin(), a.end(), p); }
};

TEST_CASE("the VNNI tile on emulated instructions has the reference's bits") {
  for (const Shape& shape : {Shape{5, 70, 33}, Shape{5, 32, 384}, Shape{5, 1, 1}, Shape{5, 33, 0}, Shape{5, 32, 65'536}}) {
    CAPTURE(shape.k);
    const Case made(shape, 23);
    const std::vector<float> expected = made.expected(nullptr, made.bias.data(), nullptr);
    const PackedInt8 packed = PackedInt8::pack_as(Int8Layout::kQuads, made.weights.data(), made.scales.data(), made.bias.data(), shape.k, shape.n);
    std::vector<uint8_t> whole(static_cast<size_t>(5 * packed.depth()));
    std::vector<float> scales(5);
    std::vector<int32_t> zeros(5);
    for (int64_t i = 0; i < 5; ++i)
      cpu::quantise_row(cpu::Int8Row<uint8_t>{made.a.data() + i * made.lda, nullptr, shape.k, packed.depth(), whole.data() + i * packed.depth(),
                                             &scales[static_cast<size_t>(i)], &zeros[static_cast<size_t>(i)]});
    const int64_t panels = (shape.n + cpu::kQuadPanel - 1) / cpu::kQuadPanel, width = panels * cpu::kQuadPanel;
    std::vector<float> c(static_cast<size_t>(5 * width));
    for (int64_t panel = 0; panel < panels; ++panel) {
      const int64_t column = panel * cpu::kQuadPanel;
      cpu::quads_tile<Emulated, 5>({reinterpret_cast<const std::byte*>(whole.data()), packed.depth(), packed.panels() + panel * packed.panel_bytes(), packed.depth(),
                                    scales.data(), zeros.data(), packed.sums() + column, packed.scales() + column, packed.bias() + column, c.data() + column, width});
    }
    for (int64_t i = 0; i < 5; ++i)
      for (int64_t j = 0; j < shape.n; ++j) CHECK(same_bits(c[static_cast<size_t>(i * width + j)], expected[static_cast<size_t>(i * made.ldc + j)]));
  }
}

TEST_CASE("where the CPU has VNNI its products are used, and both layouts give the same bits") {
  if (!int8_dot_products()) return skip_case("this CPU has no AVX512-VNNI");
  ThreadPool two(2);
  for (const Shape& shape : kShapes) {
    const Case made(shape, 3);
    const PackedInt8 quads = PackedInt8::pack(made.weights.data(), made.scales.data(), made.bias.data(), shape.k, shape.n);
    const PackedInt8 pairs = PackedInt8::pack_as(Int8Layout::kPairs, made.weights.data(), made.scales.data(), made.bias.data(), shape.k, shape.n);
    CHECK(quads.layout() == Int8Layout::kQuads);
    CHECK(first_difference(made.got(ComputeContext{&two}, quads, nullptr, nullptr), made.got(ComputeContext{&two}, pairs, nullptr, nullptr)) == -1);
  }
}

}  // namespace
}  // namespace modnet::test
