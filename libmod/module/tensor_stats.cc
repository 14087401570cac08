#include "libmod/module/tensor_stats.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

namespace modnet {
namespace {

constexpr int64_t kBlock = 1024;
constexpr size_t kLanes = 8;

template <typename T>
void widen(const std::byte* from, int64_t count, double* to) {
  for (int64_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, from + i * static_cast<int64_t>(sizeof(T)), sizeof(T));
    to[i] = static_cast<double>(value);
  }
}
template <float (*kConvert)(uint16_t)>
void widen_half(const std::byte* from, int64_t count, double* to) {
  for (int64_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, from + i * 2, 2);
    to[i] = static_cast<double>(kConvert(bits));
  }
}

using Widen = void (*)(const std::byte*, int64_t, double*);
Widen widen_of(DType dtype) {
  switch (dtype) {
    case DType::kBool: return widen<uint8_t>;
    case DType::kI8: return widen<int8_t>;
    case DType::kI16: return widen<int16_t>;
    case DType::kI32: return widen<int32_t>;
    case DType::kI64: return widen<int64_t>;
    case DType::kU8: return widen<uint8_t>;
    case DType::kU16: return widen<uint16_t>;
    case DType::kU32: return widen<uint32_t>;
    case DType::kU64: return widen<uint64_t>;
    case DType::kF16: return widen_half<f16_to_f32>;
    case DType::kBF16: return widen_half<bf16_to_f32>;
    case DType::kF32: return widen<float>;
    case DType::kF64: return widen<double>;
    default: return nullptr;
  }
}

/// A sum in eight lanes that are joined by a fixed tree.
class Sum {
 public:
  void add(size_t lane, double value) { lanes_[lane] += value; }
  [[nodiscard]] double total() const {
    return ((lanes_[0] + lanes_[4]) + (lanes_[2] + lanes_[6])) + ((lanes_[1] + lanes_[5]) + (lanes_[3] + lanes_[7]));
  }

 private:
  std::array<double, kLanes> lanes_{};
};

}  // namespace

Result<TensorStats> compare_tensors(DType before_type, Bytes before, DType after_type, Bytes after) {
  const Widen widen_before = widen_of(before_type), widen_after = widen_of(after_type);
  if (widen_before == nullptr || widen_after == nullptr)
    return Error{Code::kUnavailable, "DTYPE_UNKNOWN", "statistics of a dtype that this build cannot read", {}, {}, "use a newer modnet"};
  const int64_t size_before = dtype_size(before_type), size_after = dtype_size(after_type);
  TensorStats out;
  out.elements = static_cast<int64_t>(before.size()) / size_before;
  if (out.elements * size_before != static_cast<int64_t>(before.size()) || out.elements * size_after != static_cast<int64_t>(after.size()))
    return invalid("tensors of " + std::to_string(before.size()) + " and " + std::to_string(after.size()) + " bytes have no elements in common");
  // 64-bit integers may differ and yet be one f64.
  const bool exact = before_type == after_type && (before_type == DType::kI64 || before_type == DType::kU64);
  std::array<double, kBlock> a, b;
  Sum delta, norm_a, norm_b, product;
  for (int64_t begin = 0; begin < out.elements; begin += kBlock) {
    const int64_t count = std::min(kBlock, out.elements - begin);
    widen_before(before.data() + begin * size_before, count, a.data());
    widen_after(after.data() + begin * size_after, count, b.data());
    for (int64_t i = 0; i < count; ++i) {
      const double x = a[static_cast<size_t>(i)], y = b[static_cast<size_t>(i)];
      const size_t lane = static_cast<size_t>(i) % kLanes;
      out.differing += exact ? std::memcmp(before.data() + (begin + i) * 8, after.data() + (begin + i) * 8, 8) != 0
                             : !(x == y || (std::isnan(x) && std::isnan(y)));
      if (!std::isfinite(x) || !std::isfinite(y)) {
        out.nan_before += std::isnan(x);
        out.nan_after += std::isnan(y);
        out.inf_before += std::isinf(x);
        out.inf_after += std::isinf(y);
        continue;
      }
      const double difference = y - x;
      delta.add(lane, difference * difference);
      norm_a.add(lane, x * x);
      norm_b.add(lane, y * y);
      product.add(lane, x * y);
      if (std::fabs(difference) > out.largest) out.largest = std::fabs(difference);
    }
  }
  const double length_a = std::sqrt(norm_a.total()), length_b = std::sqrt(norm_b.total()), apart = std::sqrt(delta.total());
  if (apart > 0) out.relative_l2 = length_a > 0 ? apart / length_a : std::numeric_limits<double>::infinity();
  if (length_a > 0 && length_b > 0) out.cosine = std::clamp(product.total() / length_a / length_b, -1.0, 1.0);
  else if (length_a > 0 || length_b > 0) out.cosine = 0;
  return out;
}

}  // namespace modnet
