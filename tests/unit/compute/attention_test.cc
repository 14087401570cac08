// Ragged attention against the obvious loops, bit for bit, on every instruction set and at any batching.
#include "libmod/compute/attention.h"

#include <doctest/doctest.h>

#include "libmod/compute/reference/attention.h"
#include "libmod/compute/threads.h"
#include "tests/unit/compute/math_cases.h"

namespace modnet::test {
namespace {

enum class Extra : uint8_t { kNone, kBias, kKeyMask, kBoth };

/// A packed QKV matrix with its offsets, and what else an attention may have.
struct Case {
  std::vector<int64_t> offsets;
  std::vector<float> qkv, bias;
  std::vector<uint8_t> key_mask;
  AttentionInput input;

  Case(std::vector<int64_t> lengths, AttentionShape shape, Extra extra, uint64_t seed) {
    offsets.push_back(0);
    int64_t longest = 1;
    for (const int64_t length : lengths) {
      offsets.push_back(offsets.back() + length);
      longest = std::max(longest, length);
    }
    const int64_t width = shape.heads * shape.head_dim, ld = 3 * width + 2, rows = offsets.back();
    qkv.resize(static_cast<size_t>(rows * ld));
    Random(seed, 1).fill_normal(0, qkv.data(), static_cast<int64_t>(qkv.size()));
    input = {shape, qkv.data(), qkv.data() + width, qkv.data() + 2 * width, ld, ld, ld, offsets};
    if (extra == Extra::kBias || extra == Extra::kBoth) {
      input.bias_length = longest + 3;
      bias.resize(static_cast<size_t>(shape.heads * (2 * input.bias_length - 1)));
      Random(seed, 2).fill_normal(0, bias.data(), static_cast<int64_t>(bias.size()));
      input.bias = bias.data();
    }
    if (extra == Extra::kKeyMask || extra == Extra::kBoth) {
      for (int64_t r = 0; r < rows; ++r)
        key_mask.push_back(Random(seed, 3).uniform(static_cast<uint64_t>(r)) < 0.7 ? 1 : 0);
      if (!lengths.empty()) {  // the first sequence has no key at all
        for (int64_t r = 0; r < lengths[0]; ++r) key_mask[static_cast<size_t>(r)] = 0;
      }
      input.key_mask = key_mask.data();
    }
  }
  Case(const Case&) = delete;
  Case& operator=(const Case&) = delete;

  [[nodiscard]] int64_t width() const { return input.shape.heads * input.shape.head_dim; }
  [[nodiscard]] std::vector<float> run(int threads) const {
    ThreadPool pool(threads);
    std::vector<float> out(static_cast<size_t>(offsets.back() * (width() + 1)), 5.0f);
    attention(pool, input, out.data(), width() + 1);
    return out;
  }
  [[nodiscard]] std::vector<float> plain() const {
    std::vector<float> out(static_cast<size_t>(offsets.back() * (width() + 1)), 5.0f);
    reference::attention(input, out.data(), width() + 1);
    return out;
  }
};

TEST_CASE("attention equals the plain form on every instruction set") {
  const std::vector<int64_t> lengths = {1, 2, 0, 15, 16, 17, 3, 33, 50};
  for (const int64_t head_dim : {1, 12, 16, 20, 32, 64}) {
    for (const Extra extra : {Extra::kNone, Extra::kBias, Extra::kKeyMask, Extra::kBoth}) {
      for (const AttentionMask mask : {AttentionMask::kNone, AttentionMask::kCausal}) {
        const Case c(lengths, {2, head_dim, 1.0f / std::sqrt(static_cast<float>(head_dim)), mask}, extra,
                     static_cast<uint64_t>(head_dim));
        const std::vector<float> expected = c.plain();
        for_each_target([&] {
          INFO("head_dim ", head_dim, ", extra ", static_cast<int>(extra), ", mask ", static_cast<int>(mask));
          CHECK(different_bits(c.run(1), expected) == 0);
        });
      }
    }
  }
}

TEST_CASE("every length around the tiles is right, and long sequences too") {
  for (int64_t length = 0; length <= 36; ++length) {
    const Case c({length}, {1, 24, 0.2f, AttentionMask::kNone}, Extra::kNone, 3);
    const std::vector<float> expected = c.plain();
    for_each_target([&] { CHECK(different_bits(c.run(1), expected) == 0); });
  }
  const Case c({1, 700, 5}, {2, 8, 0.4f, AttentionMask::kNone}, Extra::kBias, 4);
  CHECK(different_bits(c.run(2), c.plain()) == 0);
}

TEST_CASE("a sequence's rows do not depend on its neighbours or on the threads") {
  const AttentionShape shape{3, 16, 0.25f, AttentionMask::kNone};
  const Case together({7, 40, 0, 23, 40}, shape, Extra::kNone, 5);
  const std::vector<float> all = together.run(1);
  CHECK(different_bits(together.run(2), all) == 0);
  const int64_t width = together.width() + 1;
  for (size_t s = 0; s + 1 < together.offsets.size(); ++s) {
    const int64_t begin = together.offsets[s], length = together.offsets[s + 1] - begin;
    Case alone({length}, shape, Extra::kNone, 6);
    std::copy_n(together.qkv.begin() + begin * together.input.ldq, alone.qkv.size(), alone.qkv.begin());
    const std::vector<float> expected(all.begin() + begin * width, all.begin() + (begin + length) * width);
    CHECK(different_bits(alone.run(1), expected) == 0);
  }
}

TEST_CASE("a masked key changes nothing, whatever it holds") {
  Case masked({9}, {1, 8, 0.3f, AttentionMask::kNone}, Extra::kNone, 7);
  Case shorter({8}, {1, 8, 0.3f, AttentionMask::kNone}, Extra::kNone, 7);
  const std::vector<uint8_t> mask = {1, 1, 1, 1, 1, 1, 1, 1, 0};
  masked.input.key_mask = mask.data();
  const int64_t ld = masked.input.ldq;
  for (int64_t i = 8; i < 24; ++i)
    masked.qkv[static_cast<size_t>(8 * ld + i)] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> expected = shorter.run(1);
  std::vector<float> got = masked.run(1);
  got.resize(expected.size());
  CHECK(different_bits(got, expected) == 0);
}

TEST_CASE("a later key cannot reach an earlier row under the causal mask") {
  Case c({20}, {1, 8, 0.3f, AttentionMask::kCausal}, Extra::kNone, 8);
  const std::vector<float> before = c.run(1);
  for (int64_t i = 0; i < 24; ++i)
    c.qkv[static_cast<size_t>(13 * c.input.ldq + i)] = std::numeric_limits<float>::infinity();
  for_each_target([&] {
    std::vector<float> after = c.run(1);
    const std::vector<float> expected(before.begin(), before.begin() + 13 * (c.width() + 1));
    after.resize(expected.size());
    CHECK(different_bits(after, expected) == 0);
  });
}

TEST_CASE("attention is close to f64 arithmetic, and its scratch space grows with the length alone") {
  const Case c({30}, {1, 32, 0.17677669f, AttentionMask::kNone}, Extra::kNone, 9);
  const std::vector<float> got = c.run(1);
  for (int64_t r = 0; r < 30; ++r) {
    std::vector<double> sums(32);
    double total = 0;
    for (int64_t j = 0; j < 30; ++j) {
      double score = 0;
      for (int64_t i = 0; i < 32; ++i) {
        score +=
            static_cast<double>(c.input.q[r * c.input.ldq + i]) * static_cast<double>(c.input.k[j * c.input.ldk + i]);
      }
      const double weight = std::exp(score * 0.17677669);
      total += weight;
      for (int64_t i = 0; i < 32; ++i)
        sums[static_cast<size_t>(i)] += weight * static_cast<double>(c.input.v[j * c.input.ldv + i]);
    }
    for (int64_t i = 0; i < 32; ++i) {
      CHECK(std::fabs(static_cast<double>(got[static_cast<size_t>(r * 33 + i)]) -
                      sums[static_cast<size_t>(i)] / total) < 2e-6);
    }
  }
  CHECK(attention_bytes(c.input.shape, 8192) < 8 * 1024 * 1024);
}

}  // namespace
}  // namespace modnet::test
