// The 16 virtual lanes of every reduction: element i goes to lane i % 16, lanes are added by the tree 8, 4, 2, 1. A target with
// fewer hardware lanes holds the 16 in several vectors. Included once per target. Tested by tests/unit/compute/rows_test.cc.

#if defined(MODNET_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef MODNET_ROWS_INL_H_
#undef MODNET_ROWS_INL_H_
#else
#define MODNET_ROWS_INL_H_
#endif

#include <cstdint>

#include "libmod/compute/cpu/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace modnet {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline constexpr int64_t kVirtualLanes = 16;

template <typename T>
using LaneTag = hn::CappedTag<T, 16>;

/// The 16 virtual lanes as vectors, and what a reduction does with them.
template <typename T>
struct Lanes16 {
  using D = LaneTag<T>;
  using V = hn::Vec<D>;
  static constexpr int64_t kWidth = static_cast<int64_t>(hn::MaxLanes(D()));
  static constexpr int64_t kCount = kVirtualLanes / kWidth;
  V lane[kCount];

  HWY_INLINE explicit Lanes16(T start) {
    MODNET_UNROLL
    for (int64_t v = 0; v < kCount; ++v) lane[v] = hn::Set(D(), start);
  }
  HWY_INLINE void store(T* out) const {
    MODNET_UNROLL
    for (int64_t v = 0; v < kCount; ++v) hn::StoreU(lane[v], D(), out + v * kWidth);
  }
  /// Lanes added by the tree.
  HWY_INLINE T sum() const {
    T s[kVirtualLanes];
    store(s);
    for (int64_t half = 8; half > 0; half /= 2) {
      for (int64_t j = 0; j < half; ++j) s[j] += s[j + half];
    }
    return s[0];
  }
  /// The greatest lane by the same tree; the left one of equals, NaN never.
  HWY_INLINE T greatest() const {
    T s[kVirtualLanes];
    store(s);
    for (int64_t half = 8; half > 0; half /= 2) {
      for (int64_t j = 0; j < half; ++j) s[j] = s[j + half] > s[j] ? s[j + half] : s[j];
    }
    return s[0];
  }
};

/// Calls f(v, address of lane vector v's element) for every group of 16; a padded copy of the tail comes last.
template <typename T, class F>
HWY_INLINE void ForGroups(const T* x, int64_t n, T padding, F f) {
  using L = Lanes16<T>;
  int64_t i = 0;
  for (; i + kVirtualLanes <= n; i += kVirtualLanes) {
    MODNET_UNROLL
    for (int64_t v = 0; v < L::kCount; ++v) f(v, x + i + v * L::kWidth);
  }
  if (i == n) return;
  T tail[kVirtualLanes];
  for (int64_t j = 0; j < kVirtualLanes; ++j) tail[j] = i + j < n ? x[i + j] : padding;
  MODNET_UNROLL
  for (int64_t v = 0; v < L::kCount; ++v) f(v, tail + v * L::kWidth);
}

/// y[i] = f(x[i], i-th vector's first index) over groups of 16 with a padded tail; y may be x.
template <typename T, class F>
HWY_INLINE void MapGroups(const T* x, T* y, int64_t n, T padding, F f) {
  using L = Lanes16<T>;
  const typename L::D d;
  int64_t i = 0;
  for (; i + kVirtualLanes <= n; i += kVirtualLanes) {
    MODNET_UNROLL
    for (int64_t v = 0; v < L::kCount; ++v) {
      hn::StoreU(f(v, hn::LoadU(d, x + i + v * L::kWidth), i + v * L::kWidth), d, y + i + v * L::kWidth);
    }
  }
  if (i == n) return;
  T tail[kVirtualLanes];
  for (int64_t j = 0; j < kVirtualLanes; ++j) tail[j] = i + j < n ? x[i + j] : padding;
  MODNET_UNROLL
  for (int64_t v = 0; v < L::kCount; ++v) {
    hn::StoreU(f(v, hn::LoadU(d, tail + v * L::kWidth), i + v * L::kWidth), d, tail + v * L::kWidth);
  }
  for (int64_t j = 0; i + j < n; ++j) y[i + j] = tail[j];
}

template <typename T>
HWY_INLINE T RowSum(const T* x, int64_t n) {
  Lanes16<T> acc(T{0});
  ForGroups(x, n, T{0}, [&](int64_t v, const T* p) HWY_ATTR {
    acc.lane[v] = hn::Add(acc.lane[v], hn::LoadU(LaneTag<T>(), p));
  });
  return acc.sum();
}

template <typename T>
HWY_INLINE T RowMax(const T* x, int64_t n) {
  Lanes16<T> acc(-MathTraits<T>::kInf);
  ForGroups(x, n, -MathTraits<T>::kInf, [&](int64_t v, const T* p) HWY_ATTR {
    const hn::Vec<LaneTag<T>> value = hn::LoadU(LaneTag<T>(), p);
    acc.lane[v] = hn::IfThenElse(hn::Gt(value, acc.lane[v]), value, acc.lane[v]);
  });
  return acc.greatest();
}

/// y = exp(x - greatest); returns the sum of y. y may be x.
template <typename T>
HWY_INLINE T ExpMinus(const T* x, T* y, int64_t n, T greatest) {
  const LaneTag<T> d;
  using V = hn::Vec<LaneTag<T>>;
  Lanes16<T> acc(T{0});
  const V m = hn::Set(d, greatest);
  MapGroups(x, y, n, -MathTraits<T>::kInf, [&](int64_t v, V value, int64_t) HWY_ATTR {
    const V e = Exp(d, hn::Sub(value, m));
    acc.lane[v] = hn::Add(acc.lane[v], e);
    return e;
  });
  return acc.sum();
}

}  // namespace HWY_NAMESPACE
}  // namespace modnet
HWY_AFTER_NAMESPACE();

#endif
