// The 16 virtual lanes of every reduction: element i goes to lane i % 16, lanes are added by the tree 8, 4, 2, 1. A
// target with fewer hardware lanes holds the 16 in several vectors. Included once per target. Tested by
// tests/unit/compute/rows_test.cc.

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

/// One vector to its first lane: the upper half joins the lower one until one lane is left.
template <class D, class V, class Op>
HWY_INLINE hn::TFromD<D> ReduceVector(D d, V v, Op op) {
#if HWY_TARGET == HWY_SCALAR
  (void)d;
  (void)op;
  return hn::GetLane(v);
#else
  using T = hn::TFromD<D>;
  (void)d;
  if constexpr (hn::MaxLanes(D()) * sizeof(T) > 16) {
    const hn::Half<D> half;
    return ReduceVector(half, op(hn::LowerHalf(half, v), hn::UpperHalf(half, v)), op);
  } else if constexpr (sizeof(T) == 8) {
    return hn::GetLane(op(v, hn::Shuffle01(v)));
  } else {
    const V two = op(v, hn::Shuffle1032(v));
    return hn::GetLane(op(two, hn::Shuffle2301(two)));
  }
#endif
}

/// The 16 virtual lanes as vectors, and what a reduction does with them.
template <typename T>
struct Lanes16 {
  using D = LaneTag<T>;
  using V = hn::Vec<D>;
  static constexpr int64_t kWidth = static_cast<int64_t>(hn::MaxLanes(D()));
  static constexpr int64_t kCount = kVirtualLanes / kWidth;
  V lane[kCount];

  HWY_INLINE explicit Lanes16(T start = T{0}) {
    MODNET_UNROLL
    for (int64_t v = 0; v < kCount; ++v) lane[v] = hn::Set(D(), start);
  }
  /// Lanes added by the tree.
  HWY_INLINE T sum() const {
    return reduce([](auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
  }
  /// The greatest lane by the same tree; the left one of equals, NaN never.
  HWY_INLINE T greatest() const {
    return reduce([](auto a, auto b) HWY_ATTR { return GreaterOf(b, a); });
  }

 private:
  /// Lane j takes in lane j + 8, then + 4, + 2, + 1: whole vectors first, then halves of one.
  template <class Op>
  HWY_INLINE T reduce(Op op) const {
    V part[kCount];
    MODNET_UNROLL
    for (int64_t v = 0; v < kCount; ++v) part[v] = lane[v];
    for (int64_t half = kCount / 2; half > 0; half /= 2) {
      for (int64_t v = 0; v < half; ++v) part[v] = op(part[v], part[v + half]);
    }
    return ReduceVector(D(), part[0], op);
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
  ForGroups(x, n, T{0},
            [&](int64_t v, const T* p) HWY_ATTR { acc.lane[v] = hn::Add(acc.lane[v], hn::LoadU(LaneTag<T>(), p)); });
  return acc.sum();
}

template <typename T>
HWY_INLINE T RowMax(const T* x, int64_t n) {
  Lanes16<T> acc(-MathTraits<T>::kInf);
  ForGroups(x, n, -MathTraits<T>::kInf, [&](int64_t v, const T* p) HWY_ATTR {
    acc.lane[v] = GreaterOf(hn::LoadU(LaneTag<T>(), p), acc.lane[v]);
  });
  return acc.greatest();
}

/// y = exp(x - greatest); returns the sum of y. y may be x. Calls meanwhile(i) for every whole group of 16 elements from i: work on
/// other rows that the units have room for.
template <typename T, class F>
HWY_INLINE T ExpMinus(const T* x, T* y, int64_t n, T greatest, F meanwhile) {
  using L = Lanes16<T>;
  const LaneTag<T> d;
  using V = hn::Vec<LaneTag<T>>;
  L acc(T{0});
  const V m = hn::Set(d, greatest), least = hn::Set(d, -MathTraits<T>::kExpPlain);
  int64_t i = 0;
  for (; i + kVirtualLanes <= n; i += kVirtualLanes) {
    V value[L::kCount];
    MODNET_UNROLL
    for (int64_t v = 0; v < L::kCount; ++v) value[v] = hn::Sub(hn::LoadU(d, x + i + v * L::kWidth), m);
    auto plain = hn::Gt(value[0], least);
    MODNET_UNROLL
    for (int64_t v = 1; v < L::kCount; ++v) plain = hn::And(plain, hn::Gt(value[v], least));
    if (HWY_LIKELY(hn::AllTrue(d, plain))) {  // none is above 0
      MODNET_UNROLL
      for (int64_t v = 0; v < L::kCount; ++v) value[v] = Exp<Range::kPlain>(d, value[v]);
    } else {
      for (int64_t v = 0; v < L::kCount; ++v) value[v] = Exp(d, value[v]);
    }
    meanwhile(i);
    MODNET_UNROLL
    for (int64_t v = 0; v < L::kCount; ++v) {
      hn::StoreU(value[v], d, y + i + v * L::kWidth);
      acc.lane[v] = hn::Add(acc.lane[v], value[v]);
    }
  }
  if (i < n) {
    T tail[kVirtualLanes];
    for (int64_t j = 0; j < kVirtualLanes; ++j) tail[j] = i + j < n ? x[i + j] : -MathTraits<T>::kInf;
    for (int64_t v = 0; v < L::kCount; ++v) {
      const V e = Exp(d, hn::Sub(hn::LoadU(d, tail + v * L::kWidth), m));
      hn::StoreU(e, d, tail + v * L::kWidth);
      acc.lane[v] = hn::Add(acc.lane[v], e);
    }
    for (int64_t j = 0; i + j < n; ++j) y[i + j] = tail[j];
  }
  return acc.sum();
}

template <typename T>
HWY_INLINE T ExpMinus(const T* x, T* y, int64_t n, T greatest) {
  return ExpMinus(x, y, n, greatest, [](int64_t) HWY_ATTR {});
}

}  // namespace HWY_NAMESPACE
}  // namespace modnet
HWY_AFTER_NAMESPACE();

#endif
