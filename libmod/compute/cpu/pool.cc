// Kernels of libmod/compute/pool.h and gather.h: columns are independent, rows are added in order.
// Tested by tests/unit/compute/pool_test.cc.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "libmod/compute/cpu/pool.cc"
#include "hwy/foreach_target.h"
// after foreach_target.h
#include "hwy/highway.h"
#include "libmod/compute/cpu/math-inl.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "libmod/compute/gather.h"
#include "libmod/compute/pool.h"

HWY_BEFORE_NAMESPACE();
namespace modnet {
namespace HWY_NAMESPACE {

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;
inline constexpr int64_t kWidth = static_cast<int64_t>(hn::MaxLanes(Tag()));

/// y[i] = f(y[i], x[i]).
template <class F>
HWY_INLINE void Fold(const float* x, float* y, int64_t n, F f) {
  const Tag d;
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) hn::StoreU(f(hn::LoadU(d, y + i), hn::LoadU(d, x + i)), d, y + i);
  if (i == n) return;
  HWY_ALIGN float a[kWidth] = {};
  HWY_ALIGN float b[kWidth] = {};
  const size_t bytes = static_cast<size_t>(n - i) * sizeof(float);
  std::memcpy(a, y + i, bytes);
  std::memcpy(b, x + i, bytes);
  hn::Store(f(hn::Load(d, a), hn::Load(d, b)), d, a);
  std::memcpy(y + i, a, bytes);
}

void AddTo(const float* x, float* y, int64_t n) {
  Fold(x, y, n, [](Vec a, Vec b) HWY_ATTR { return hn::Add(a, b); });
}

/// Keeps the greater; a NaN in either stays.
void MaxTo(const float* x, float* y, int64_t n) {
  Fold(x, y, n, [](Vec a, Vec b) HWY_ATTR {
    const Vec pick = hn::IfThenElse(hn::Gt(b, a), b, a);
    return hn::IfThenElse(hn::Eq(b, b), pick, b);
  });
}

/// y = canonical(y / divisor).
void DivideBy(float divisor, float* y, int64_t n) {
  const Tag d;
  const Vec v = hn::Set(d, divisor);
  Fold(y, y, n, [d, v](Vec a, Vec) HWY_ATTR { return Canonical(d, hn::Div(a, v)); });
}

}  // namespace HWY_NAMESPACE
}  // namespace modnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace modnet {
namespace {
HWY_EXPORT(AddTo);
HWY_EXPORT(MaxTo);
HWY_EXPORT(DivideBy);

void copy_row(const float* from, float* to, int64_t n) {
  if (n > 0) std::memcpy(to, from, static_cast<size_t>(n) * sizeof(float));
}

void pool_sequence(Pooling pooling, ConstRows x, int64_t begin, int64_t end, const uint8_t* mask, float* out) {
  const int64_t n = x.columns;
  if (pooling == Pooling::kCls) {
    if (begin < end) copy_row(x.data + begin * x.stride, out, n);
    if (begin == end) std::memset(out, 0, static_cast<size_t>(n) * sizeof(float));
    HWY_DYNAMIC_DISPATCH(DivideBy)(1.0f, out, n);
    return;
  }
  const bool mean = pooling == Pooling::kMean;
  int64_t count = 0;
  for (int64_t i = 0; i < n; ++i) out[i] = 0.0f;
  for (int64_t r = begin; r < end; ++r) {
    if (mask != nullptr && mask[r] == 0) continue;
    const float* row = x.data + r * x.stride;
    if (mean) {
      HWY_DYNAMIC_DISPATCH(AddTo)(row, out, n);
    } else if (count == 0) {
      copy_row(row, out, n);
    } else {
      HWY_DYNAMIC_DISPATCH(MaxTo)(row, out, n);
    }
    ++count;
  }
  HWY_DYNAMIC_DISPATCH(DivideBy)(!mean ? 1.0f : count == 0 ? 1e-9f : static_cast<float>(count), out, n);
}

}  // namespace

void pool_rows(Pooling pooling, ConstRows x, std::span<const int64_t> offsets, const uint8_t* mask, Rows out) {
  if (pooling != Pooling::kMean && pooling != Pooling::kCls && pooling != Pooling::kMax) return;
  if (x.columns == 0) return;
  for (size_t s = 0; s + 1 < offsets.size(); ++s) {
    pool_sequence(pooling, x, offsets[s], offsets[s + 1], mask, out.data + static_cast<int64_t>(s) * out.stride);
  }
}

Status check_ids(std::span<const int32_t> ids, int64_t rows) {
  for (size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] >= rows) {
      return invalid("id " + std::to_string(ids[i]) + " at position " + std::to_string(i) +
                     " is not below the table's " + std::to_string(rows) + " rows");
    }
  }
  return ok();
}

namespace {

/// Rows [begin, end) of gather_sum.
void gather_some(std::span<const Lookup> lookups, int64_t begin, int64_t end, Rows out) {
  for (int64_t r = begin; r < end; ++r) {
    float* to = out.data + r * out.stride;
    for (size_t i = 0; i < lookups.size(); ++i) {
      const Lookup& lookup = lookups[i];
      const int64_t id = lookup.ids.empty() ? 0 : lookup.ids[static_cast<size_t>(r)];
      const float* row = lookup.table.data + id * lookup.table.stride;
      if (i == 0) {
        copy_row(row, to, out.columns);
      } else {
        HWY_DYNAMIC_DISPATCH(AddTo)(row, to, out.columns);
      }
    }
    if (lookups.empty()) {
      for (int64_t c = 0; c < out.columns; ++c) to[c] = 0.0f;
    }
  }
}

}  // namespace

void gather_sum(std::span<const Lookup> lookups, Rows out) { gather_some(lookups, 0, out.rows, out); }

void gather_layer_norm(std::span<const Lookup> lookups, const float* gamma, const float* beta, float eps, Rows out) {
  constexpr int64_t kBlock = 8;  // rows that are still in the first-level cache when they are normalised
  for (int64_t r = 0; r < out.rows; r += kBlock) {
    const int64_t end = std::min(r + kBlock, out.rows);
    gather_some(lookups, r, end, out);
    const Rows block{out.data + r * out.stride, end - r, out.columns, out.stride};
    layer_norm(ConstRows{block.data, block.rows, block.columns, block.stride}, gamma, beta, eps, block);
  }
}

}  // namespace modnet
#endif
