// Random numbers by address: the Philox4x32-10 counter generator (Salmon et al. 2011, "Parallel random numbers: as easy
// as 1, 2, 3"). A number depends on (seed, stream, index) and on nothing else, so draws can be made in any order, in
// parallel, on any machine, and a resumed run goes on with the same ones. Tested by tests/unit/compute/random_test.cc.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace modnet {

/// Ten rounds of Philox4x32: the four words of one counter under one key.
[[nodiscard]] std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// One addressable stream of random numbers. Different streams of one seed are independent; draws of different kinds at
/// the same index share bits, so use a stream for one kind only. Key: seed (low word first). Counter: index low, index
/// high, stream, attempt (0 except for the rejections of below()).
class Random {
 public:
  Random(uint64_t seed, uint32_t stream) : seed_(seed), stream_(stream) {}

  [[nodiscard]] uint64_t bits(uint64_t index) const;
  /// [0, 1): the leading 53 bits of bits(index), times 2^-53.
  [[nodiscard]] double uniform(uint64_t index) const;
  /// [0, 1): the leading 24 bits of bits(index), times 2^-24.
  [[nodiscard]] float uniform_f32(uint64_t index) const;
  /// Standard normal: normal_quantile((leading 52 bits + 1/2) * 2^-52). |value| < 8.3.
  [[nodiscard]] double normal(uint64_t index) const;
  /// Unbiased integer in [0, n), n >= 1: the high half of the 128-bit product bits * n, drawn anew (next attempt) when
  /// the low half falls below 2^64 mod n (Lemire 2019).
  [[nodiscard]] uint64_t below(uint64_t n, uint64_t index) const;
  /// A uniformly random order of 0 … n - 1: Fisher-Yates from the end, swap i takes below(i + 1, i). n >= 0.
  [[nodiscard]] std::vector<int64_t> permutation(int64_t n) const;

  /// out[i] = the draw at index first + i.
  void fill_uniform(uint64_t first, float* out, int64_t n) const;
  void fill_normal(uint64_t first, float* out, int64_t n) const;
  void fill_normal(uint64_t first, double* out, int64_t n) const;

 private:
  [[nodiscard]] std::array<uint32_t, 4> block(uint64_t index, uint32_t attempt) const;
  uint64_t seed_;
  uint32_t stream_;
};

/// The standard normal quantile function in f64, p in (0, 1); -Inf at 0, +Inf at 1, NaN outside. Relative error about
/// 1e-16 (Wichura 1988, algorithm AS 241, PPND16).
[[nodiscard]] double normal_quantile(double p);

}  // namespace modnet
