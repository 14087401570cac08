// Kernels of libmod/compute/attention.h. One head of one sequence at a time: its keys are transposed into panels of 16
// and its values copied side by side, then blocks of query rows run through scores, softmax and weighted sum while both
// stay in cache. Tested by tests/unit/compute/attention_test.cc.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "libmod/compute/cpu/attention.cc"
#include "hwy/foreach_target.h"
// after foreach_target.h
#include "hwy/highway.h"
#include "libmod/compute/cpu/rows-inl.h"
#include "libmod/compute/cpu/turn-inl.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "libmod/compute/aligned.h"
#include "libmod/compute/attention.h"
#include "libmod/compute/threads.h"

#ifndef MODNET_ATTENTION_ONCE_
#define MODNET_ATTENTION_ONCE_
namespace modnet {
namespace {

constexpr int64_t kPanel = 16;     // keys a panel
constexpr int64_t kBlockRows = 8;  // query rows a block

constexpr int64_t padded(int64_t n) { return (n + kPanel - 1) / kPanel * kPanel; }

/// One head of one sequence; all pointers are at that head and at the sequence's first row.
struct HeadTask {
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  int64_t ldq = 0, ldk = 0, ldv = 0;
  int64_t length = 0;
  int64_t head_dim = 0;
  bool last = false;  // of the heads that lie one behind the other
  float scale = 0;
  AttentionMask mask = AttentionMask::kNone;
  const float* bias = nullptr;  // entry key - query, may be null
  const uint8_t* key_mask = nullptr;
  float* workspace = nullptr;  // panels of keys, values, scores of one block
  float* out = nullptr;
  int64_t ldo = 0;
};

}  // namespace
}  // namespace modnet
#endif

HWY_BEFORE_NAMESPACE();
namespace modnet {
namespace HWY_NAMESPACE {

using Tag = LaneTag<float>;
using Vec = hn::Vec<Tag>;
inline constexpr int64_t kWidth = Lanes16<float>::kWidth;
inline constexpr int64_t kPanelVecs = kPanel / kWidth;

/// scores[r, 0 … 16 kPanels) = scale * (q[r] · keys), each a chain over head_dim in order.
template <int kRows, int kPanels>
HWY_INLINE void ScoreTile(const float* q, int64_t ldq, const float* panels, int64_t head_dim, float scale,
                          float* scores, int64_t lds) {
  const Tag d;
  constexpr int kVecs = kPanels * static_cast<int>(kPanelVecs);
  Vec acc[kRows][kVecs];
  MODNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    MODNET_UNROLL
    for (int v = 0; v < kVecs; ++v) acc[r][v] = hn::Zero(d);
  }
  for (int64_t i = 0; i < head_dim; ++i) {
    Vec key[kVecs];
    MODNET_UNROLL
    for (int v = 0; v < kVecs; ++v) {
      const int64_t panel = v / kPanelVecs, lane = v % kPanelVecs * kWidth;
      key[v] = hn::Load(d, panels + panel * head_dim * kPanel + i * kPanel + lane);
    }
    MODNET_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const Vec value = hn::Set(d, q[r * ldq + i]);
      MODNET_UNROLL
      for (int v = 0; v < kVecs; ++v) acc[r][v] = Fma(d, value, key[v], acc[r][v]);
    }
  }
  const Vec factor = hn::Set(d, scale);
  MODNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    MODNET_UNROLL
    for (int v = 0; v < kVecs; ++v) hn::Store(hn::Mul(acc[r][v], factor), d, scores + r * lds + v * kWidth);
  }
}

/// sums[r, 0 … kVecs * width) = sum over keys of weights[r, key] * values[key], a chain over the keys in order.
template <int kRows, int kVecs>
HWY_INLINE void WeightedTile(const float* weights, int64_t ldw, const float* values, int64_t ldv, int64_t keys,
                             float* sums, int64_t lds) {
  const Tag d;
  Vec acc[kRows][kVecs];
  MODNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    MODNET_UNROLL
    for (int v = 0; v < kVecs; ++v) acc[r][v] = hn::Zero(d);
  }
  for (int64_t j = 0; j < keys; ++j) {
    Vec value[kVecs];
    MODNET_UNROLL
    for (int v = 0; v < kVecs; ++v) value[v] = hn::Load(d, values + j * ldv + v * kWidth);
    MODNET_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const Vec weight = hn::Set(d, weights[r * ldw + j]);
      MODNET_UNROLL
      for (int v = 0; v < kVecs; ++v) acc[r][v] = Fma(d, weight, value[v], acc[r][v]);
    }
  }
  MODNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    MODNET_UNROLL
    for (int v = 0; v < kVecs; ++v) hn::Store(acc[r][v], d, sums + r * lds + v * kWidth);
  }
}

/// Rows and panels that the registers hold: 8 x 2 with 16 hardware lanes, 6 x 1 with 8, 4 x 1 otherwise.
inline constexpr int kTileRows = kWidth >= 16 ? 8 : kWidth == 8 ? 6 : 4;
inline constexpr int kTilePanels = kWidth >= 16 ? 2 : 1;

template <int kRows>
HWY_INLINE void ScoreRows(const HeadTask& t, const float* q, const float* keys, int64_t panels, float* scores,
                          int64_t lds) {
  int64_t p = 0;
  for (; p + kTilePanels <= panels; p += kTilePanels) {
    ScoreTile<kRows, kTilePanels>(q, t.ldq, keys + p * t.head_dim * kPanel, t.head_dim, t.scale, scores + p * kPanel,
                                  lds);
  }
  for (; p < panels; ++p) {
    ScoreTile<kRows, 1>(q, t.ldq, keys + p * t.head_dim * kPanel, t.head_dim, t.scale, scores + p * kPanel, lds);
  }
}

template <int kRows>
HWY_INLINE void WeightedRows(const float* weights, int64_t ldw, const float* values, int64_t width, int64_t keys,
                             float* sums) {
  int64_t c = 0;
  for (; c + 2 * kWidth <= width; c += 2 * kWidth) {
    WeightedTile<kRows, 2>(weights, ldw, values + c, width, keys, sums + c, width);
  }
  for (; c < width; c += kWidth) WeightedTile<kRows, 1>(weights, ldw, values + c, width, keys, sums + c, width);
}

/// Copies n numbers and fills up to 'width' with zeros.
HWY_INLINE void CopyPadded(const float* from, int64_t n, float* to, int64_t width) {
  const Tag d;
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) hn::Store(hn::LoadU(d, from + i), d, to + i);
  for (; i < n; ++i) to[i] = from[i];
  for (; i < width; ++i) to[i] = 0.0f;
}

void PackHead(const HeadTask& t, float* keys, float* values) {
  const int64_t width = padded(t.head_dim);
  for (int64_t first = 0; first < t.length; first += kPanel) {
    float* panel = keys + first * t.head_dim;
    const float* row[kPanel];  // past the end: the last key again, hidden by the softmax
    for (int64_t j = 0; j < kPanel; ++j) row[j] = t.k + std::min(first + j, t.length - 1) * t.ldk;
    int64_t i = 0;
#if MODNET_TURNS_EIGHT
    for (; i + 8 <= t.head_dim; i += 8) {
      for (int64_t j = 0; j < kPanel; j += 8) {
        const float* eight[8];
        for (int64_t r = 0; r < 8; ++r) eight[r] = row[j + r] + i;
        TurnEight(eight, panel + i * kPanel + j, kPanel);
      }
    }
#endif
    for (; i < t.head_dim; ++i) {
      for (int64_t j = 0; j < kPanel; ++j) panel[i * kPanel + j] = row[j][i];
    }
  }
  for (int64_t j = 0; j < t.length; ++j) {  // a hidden key's weight is 0, but its value may not be a number
    const bool hidden = t.key_mask != nullptr && t.key_mask[j] == 0;
    CopyPadded(t.v + j * t.ldv, hidden ? 0 : t.head_dim, values + j * width, width);
  }
}

/// Scores of one query row as its exponentials take them, the bias added; returns how many keys it sees.
int64_t PrepareScores(const HeadTask& t, int64_t query, int64_t keys, float* row) {
  constexpr float kMinusInf = -std::numeric_limits<float>::infinity();
  const Tag d;
  if (t.bias != nullptr) {
    const float* bias = t.bias - query;
    int64_t j = 0;
    for (; j + kWidth <= keys; j += kWidth)
      hn::StoreU(hn::Add(hn::Load(d, row + j), hn::LoadU(d, bias + j)), d, row + j);
    for (; j < keys; ++j) row[j] += bias[j];
  }
  int64_t seen = keys;
  for (int64_t j = 0; t.key_mask != nullptr && j < keys; ++j)
    if (t.key_mask[j] == 0) row[j] = kMinusInf, --seen;
  return seen;
}

/// kRows rows of `keys` scores side by side, so that one waits for nothing of the other's, to exp(score - greatest), whose sums go to `total`. Rows
/// have room for whole panels; what stands behind the keys is neither looked at nor of use afterwards.
template <int kRows>
HWY_INLINE void Exponentials(float* const (&row)[kRows], int64_t keys, float (&total)[kRows]) {
  using L = Lanes16<float>;
  using M = MathTraits<float>;
  const Tag d;
  const Vec minus_inf = hn::Set(d, -M::kInf), least = hn::Set(d, -M::kExpPlain);
  const int64_t whole = keys / kVirtualLanes * kVirtualLanes;
  using Mask = hn::Mask<Tag>;
  Mask there[L::kCount];  // in the last panel
  MODNET_UNROLL
  for (int64_t v = 0; v < L::kCount; ++v) there[v] = hn::FirstN(d, static_cast<size_t>(std::clamp<int64_t>(keys - whole - v * kWidth, 0, kWidth)));
  L most[kRows], sums[kRows];
  MODNET_UNROLL
  for (int r = 0; r < kRows; ++r) most[r] = L(-M::kInf), sums[r] = L(0.0f);
  for (int64_t i = 0; i < whole; i += kVirtualLanes) {
    MODNET_UNROLL
    for (int r = 0; r < kRows; ++r) {
      MODNET_UNROLL
      for (int64_t v = 0; v < L::kCount; ++v) most[r].lane[v] = GreaterOf(hn::Load(d, row[r] + i + v * kWidth), most[r].lane[v]);
    }
  }
  Vec greatest[kRows];
  MODNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    MODNET_UNROLL
    for (int64_t v = 0; v < L::kCount && whole < keys; ++v)
      most[r].lane[v] = GreaterOf(hn::IfThenElse(there[v], hn::Load(d, row[r] + whole + v * kWidth), minus_inf), most[r].lane[v]);
    greatest[r] = hn::Set(d, most[r].greatest());
  }
  // A panel from i; `mask`, where given, says which of its numbers are there: the others count as 0, and become 0.
  const auto panel = [&](int64_t i, const Mask* mask) HWY_ATTR {
    Vec value[kRows][L::kCount];
    Mask plain = hn::FirstN(d, static_cast<size_t>(kWidth));
    MODNET_UNROLL
    for (int r = 0; r < kRows; ++r) {
      MODNET_UNROLL
      for (int64_t v = 0; v < L::kCount; ++v) {
        value[r][v] = hn::Sub(hn::Load(d, row[r] + i + v * kWidth), greatest[r]);
        if (mask != nullptr) value[r][v] = hn::IfThenElseZero(mask[v], value[r][v]);
        plain = hn::And(plain, hn::Gt(value[r][v], least));
      }
    }
    if (HWY_LIKELY(hn::AllTrue(d, plain))) {  // none is above 0
      MODNET_UNROLL
      for (int r = 0; r < kRows; ++r) {
        MODNET_UNROLL
        for (int64_t v = 0; v < L::kCount; ++v) value[r][v] = Exp<Range::kPlain>(d, value[r][v]);
      }
    } else {
      for (int r = 0; r < kRows; ++r)
        for (int64_t v = 0; v < L::kCount; ++v) value[r][v] = Exp(d, value[r][v]);
    }
    MODNET_UNROLL
    for (int r = 0; r < kRows; ++r) {
      MODNET_UNROLL
      for (int64_t v = 0; v < L::kCount; ++v) {
        if (mask != nullptr) value[r][v] = hn::IfThenElseZero(mask[v], value[r][v]);
        hn::Store(value[r][v], d, row[r] + i + v * kWidth);
        sums[r].lane[v] = hn::Add(sums[r].lane[v], value[r][v]);
      }
    }
  };
  for (int64_t i = 0; i < whole; i += kVirtualLanes) panel(i, nullptr);
  if (whole < keys) panel(whole, there);
  MODNET_UNROLL
  for (int r = 0; r < kRows; ++r) total[r] = sums[r].sum();
}

template <int kRows>
void AttendRows(const HeadTask& t, int64_t first, const float* keys, const float* values, float* scores,
                           float* sums) {
  const Tag d;
  const bool causal = t.mask == AttentionMask::kCausal;
  const int64_t width = padded(t.head_dim);
  const int64_t seen = causal ? first + kRows : t.length;  // keys that any of these rows sees
  const int64_t row_size = padded(seen);
  const int64_t lds = padded(t.length) + kPanel;  // off the powers of two: rows must not share cache sets
  ScoreRows<kRows>(t, t.q + first * t.ldq, keys, row_size / kPanel, scores, lds);
  float total[kRows] = {};
  if (causal || t.key_mask != nullptr) {
    for (int r = 0; r < kRows; ++r) {
      float* const row[1] = {scores + r * lds};
      const int64_t rows_keys = causal ? first + r + 1 : t.length;
      float one[1] = {};
      if (PrepareScores(t, first + r, rows_keys, row[0]) > 0) {
        Exponentials<1>(row, rows_keys, one);
      } else {  // weights of 0, the sum, too
        std::fill_n(row[0], rows_keys, 0.0f);
      }
      total[r] = one[0];
    }
  } else {
    for (int r = 0; t.bias != nullptr && r < kRows; ++r) PrepareScores(t, first + r, t.length, scores + r * lds);
    MODNET_UNROLL
    for (int r = 0; r + 2 <= kRows; r += 2) {
      float* const row[2] = {scores + r * lds, scores + (r + 1) * lds};
      float two[2];
      Exponentials<2>(row, t.length, two);
      total[r] = two[0];
      total[r + 1] = two[1];
    }
    if constexpr (kRows % 2 == 1) {
      float* const row[1] = {scores + (kRows - 1) * lds};
      float one[1];
      Exponentials<1>(row, t.length, one);
      total[kRows - 1] = one[0];
    }
  }
  if (causal) {  // row by row, so that a later key's value cannot reach an earlier row even as 0 * Inf
    for (int r = 0; r < kRows; ++r)
      WeightedRows<1>(scores + r * lds, lds, values, width, first + r + 1, sums + r * width);
  } else {
    WeightedRows<kRows>(scores, lds, values, width, seen, sums);
  }
  MODNET_UNROLL
  for (int r = 0; r < kRows; ++r) {
    float* out = t.out + (first + r) * t.ldo;
    float* sum = sums + r * width;
    if (total[r] == 0.0f) {
      for (int64_t i = 0; i < t.head_dim; ++i) out[i] = 0.0f;
      continue;
    }
    const Vec divisor = hn::Set(d, total[r]);
    int64_t i = 0;
    for (; i + kWidth <= t.head_dim; i += kWidth) hn::StoreU(Canonical(d, hn::Div(hn::Load(d, sum + i), divisor)), d, out + i);
    if (i == t.head_dim) continue;
    hn::Store(Canonical(d, hn::Div(hn::Load(d, sum + i), divisor)), d, sum + i);
    for (; i < t.head_dim; ++i) out[i] = sum[i];
  }
}

using RowsFunction = void (*)(const HeadTask& t, int64_t first, const float* keys, const float* values, float* scores, float* sums);
template <int... kRows>
RowsFunction RowsOf(int64_t rows, std::integer_sequence<int, kRows...>) {
  constexpr RowsFunction kFunctions[] = {&AttendRows<kRows + 1>...};
  return kFunctions[rows - 1];
}

/// Asks for what the next head reads: lines that lie a row apart, which no processor asks for by itself.
HWY_INLINE void AskForNext(const HeadTask& t) {
  constexpr int64_t kLine = kCacheLine / static_cast<int64_t>(sizeof(float));
  for (int64_t j = 0; j < t.length; ++j) {
    for (int64_t i = t.head_dim; i < 2 * t.head_dim; i += kLine) {
      __builtin_prefetch(t.k + j * t.ldk + i, 0, 2);
      __builtin_prefetch(t.v + j * t.ldv + i, 0, 2);
      __builtin_prefetch(t.q + j * t.ldq + i, 0, 2);
    }
  }
}

void AttendHead(const HeadTask& t) {
  const int64_t width = padded(t.head_dim), length = padded(t.length);
  float* keys = t.workspace;
  float* values = keys + length * t.head_dim;
  float* scores = values + length * width;
  float* sums = scores + kBlockRows * (length + kPanel);
  PackHead(t, keys, values);
  if (!t.last) AskForNext(t);
  const int64_t strips = (t.length + kTileRows - 1) / kTileRows;  // whose heights differ by one at most
  for (int64_t s = 0; s < strips; ++s) {
    const int64_t first = t.length * s / strips, rows = t.length * (s + 1) / strips - first;
    RowsOf(rows, std::make_integer_sequence<int, kTileRows>())(t, first, keys, values, scores, sums);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace modnet
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace modnet {
namespace {
HWY_EXPORT(AttendHead);

}  // namespace

int64_t attention_bytes(const AttentionShape& shape, int64_t length) {
  const int64_t rows = padded(length), width = padded(shape.head_dim);
  return (rows * shape.head_dim + rows * width + kBlockRows * (rows + kPanel) + kBlockRows * width) * static_cast<int64_t>(sizeof(float));
}

void attention(ThreadPool& pool, const AttentionInput& input, float* out, int64_t ldo) {
  const AttentionShape& shape = input.shape;
  const int64_t sequences = static_cast<int64_t>(input.offsets.size()) - 1;
  if (sequences < 1) return;
  int64_t longest = 0;
  for (int64_t s = 0; s < sequences; ++s) {
    longest = std::max(longest, input.offsets[static_cast<size_t>(s) + 1] - input.offsets[static_cast<size_t>(s)]);
  }
  if (longest == 0) return;
  run_tasks(&pool, sequences * shape.heads, attention_bytes(shape, longest), [&](int64_t task, int, void* scratch) {
    const int64_t s = task / shape.heads, h = task % shape.heads;
    const int64_t first = input.offsets[static_cast<size_t>(s)];
    HeadTask t;
    t.length = input.offsets[static_cast<size_t>(s) + 1] - first;
    if (t.length == 0) return;
    t.q = input.q + first * input.ldq + h * shape.head_dim;
    t.k = input.k + first * input.ldk + h * shape.head_dim;
    t.v = input.v + first * input.ldv + h * shape.head_dim;
    t.ldq = input.ldq, t.ldk = input.ldk, t.ldv = input.ldv;
    t.head_dim = shape.head_dim;
    t.last = h + 1 == shape.heads;
    t.scale = shape.scale;
    t.mask = shape.mask;
    if (input.bias != nullptr) t.bias = input.bias + h * (2 * input.bias_length - 1) + input.bias_length - 1;
    if (input.key_mask != nullptr) t.key_mask = input.key_mask + first;
    t.workspace = static_cast<float*>(scratch);
    t.out = out + first * ldo + h * shape.head_dim;
    t.ldo = ldo;
    HWY_DYNAMIC_DISPATCH(AttendHead)(t);
  });
}

}  // namespace modnet
#endif
