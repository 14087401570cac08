// How far two tensors of one shape lie apart, whatever they are stored as. Everything is f64 and summed in one fixed order, so
// the figures are the same on every machine. Tested by tests/unit/module_rules/tensor_stats_test.cc.
#pragma once

#include <cstdint>

#include "formats/base/dtype.h"
#include "formats/base/reader.h"
#include "formats/base/result.h"

namespace modnet {

/// Pairs of elements in which one side is NaN or infinite count only in the four counts and in `differing`.
struct TensorStats {
  int64_t elements = 0;
  int64_t differing = 0;    // pairs that are not the same number; NaN equals NaN
  double relative_l2 = 0;   // ‖b − a‖₂ / ‖a‖₂; infinite where a is zero and b is not
  double largest = 0;       // max |b − a|
  double cosine = 1;        // of the two as vectors; 1 where both are zero, 0 where one is
  int64_t nan_before = 0, nan_after = 0, inf_before = 0, inf_after = 0;
  bool operator==(const TensorStats&) const = default;
};

/// `before` and `after` hold the same number of elements, little-endian. 64-bit integers are rounded to f64 for the distances,
/// but are told apart exactly where both sides have one dtype. kInvalid for other lengths, kUnavailable for an unknown dtype.
[[nodiscard]] Result<TensorStats> compare_tensors(DType before_type, Bytes before, DType after_type, Bytes after);

}  // namespace modnet
