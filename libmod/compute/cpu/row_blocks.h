// How the rows of a product are cut into blocks: used by gemm.cc and int8.cc.
// Tested through tests/unit/compute/matmul_test.cc and int8_test.cc.
#pragma once

#include <algorithm>
#include <cstdint>

namespace modnet::cpu {

[[nodiscard]] constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/// m > 0 rows as `count` blocks of about as many strips each, all of them but the last of `height` rows.
class RowBlocks {
 public:
  RowBlocks(int64_t m, int64_t height, int64_t count) : m_(m), height_(height), count_(count), strips_(ceil_div(m, height)) {}
  [[nodiscard]] int64_t count() const { return count_; }
  /// The first row of a block; m for `count`. A block may be empty.
  [[nodiscard]] int64_t first(int64_t block) const { return std::min(m_, strips_ * block / count_ * height_); }
  /// Room for the rows of any block.
  [[nodiscard]] int64_t most_rows() const { return ceil_div(strips_, count_) * height_; }

 private:
  int64_t m_, height_, count_, strips_;
};

}  // namespace modnet::cpu
