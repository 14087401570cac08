// The innermost matrix product: strips of rows past panels of columns, in the tiles of gemm_tiles-inl.h, and rows and panels packed for them.
#include "libmod/compute/cpu/gemm_kernel.h"

#include <algorithm>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "libmod/compute/cpu/gemm_kernel.cc"
#include "hwy/foreach_target.h"
// foreach_target.h comes first
#include "hwy/highway.h"
#include "libmod/compute/cpu/gemm_tiles-inl.h"
#include "libmod/compute/cpu/turn-inl.h"

HWY_BEFORE_NAMESPACE();
namespace modnet::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Whether one or two strips ask for the next panels. Intel's cores do so themselves, and are held up by being told: a twentieth at 16 rows on a
// Xeon with AMX, where a Zen 4 gains a seventh.
#if HWY_ARCH_X86
const bool kAsks = HWY_TARGET != HWY_AVX3 || __builtin_cpu_is("intel") == 0;
#else
constexpr bool kAsks = true;
#endif

// Strips of a block: as tall as they may be, and a rest, to which on AVX-512 the strip before it leaves some rows where it would have fewer than 4.
template <typename T>
struct Strips {
  static constexpr int64_t kLeast = HWY_TARGET == HWY_AVX3 ? 4 : 1;
  int64_t rows, count, last;
  explicit Strips(int64_t all)
      : rows(all), count((all + kStripRows<T> - 1) / kStripRows<T>), last(count < 2 ? 0 : std::min((count - 1) * kStripRows<T>, rows - kLeast)) {}
  int64_t first(int64_t strip) const { return strip < count - 1 ? strip * kStripRows<T> : strip == count ? rows : last; }
};

// A panel that is partly used, at the right edge: worked in a full one beside it.
template <typename T>
void edge_tile(const Block<T>& block, int64_t rows, int64_t used, const T* a, const T* b, T* c, const T* bias) {
  alignas(64) T full[kMaxStripRows * kPanel<T>] = {};
  alignas(64) T full_bias[kPanel<T>] = {};
  for (int64_t j = 0; j < used && bias != nullptr; ++j) full_bias[j] = bias[j];
  for (int64_t i = 0; i < rows && block.chain == Chain::kContinue; ++i) {
    for (int64_t j = 0; j < used; ++j) full[i * kPanel<T> + j] = c[i * block.ldc + j];
  }
  tile_for<T>(rows, 1, block.depth, 0)(a, block.a_stride, b, 0, {}, block.depth, full, kPanel<T>, block.chain, bias == nullptr ? nullptr : full_bias);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < used; ++j) c[i * block.ldc + j] = full[i * kPanel<T> + j];
  }
}

// Columns that are worked by all strips before the activation comes: they are still in a near cache then.
template <typename T>
constexpr int64_t kStretch = 8 * kPanel<T>;

// What a strip asks for of the next panels, which lie `ahead`. On AVX2 the first strips share that, since a panel from memory asked for at once holds
// up the loads (of 16 rows a tenth); what the last one asked for would come too late. Elsewhere the first strip asks for all.
template <typename T>
HWY_INLINE Asked asked_by(int64_t strip, int64_t count, int64_t ahead, int64_t depth) {
  const int64_t share = !kSideBySide<T> ? 1 : count >= 8 ? 8 : count >= 5 ? 4 : count >= 3 ? 2 : 1;
  if (ahead == 0 || strip >= share) return {};
  const int64_t pace = 8 / share, lines = share == 1 ? depth : depth / 8 * pace;
  return {ahead + strip * lines * kPanel<T>, lines, static_cast<uint32_t>(pace)};
}

template <typename T>
HWY_INLINE void multiply(const Block<T>& block) {
  if (block.rows == 0) return;
  const Strips<T> strips(block.rows);
  const auto rows_of = [&](int64_t strip) { return strips.first(strip + 1) - strips.first(strip); };
  // Strips go past a group of panels, as many as the lowest takes at a time: a tile of few rows and few panels cannot hide the latency.
  const int64_t most = panels_for(static_cast<int>(rows_of(strips.count - 1)));
  int64_t active = 0;  // columns whose activation is done
  for (int64_t column = 0, p = 0; column < block.columns;) {
    const int64_t whole = (block.columns - column) / kPanel<T>;
    int64_t panels = most;
    while (panels > 1 && panels > whole) panels /= 2;
    const T* b = block.b + p * block.panel_stride;
    const T* bias = block.bias == nullptr ? nullptr : block.bias + column;
    // Behind the last panel there may be no memory, and asking for that takes longer than asking for what is there: 72 ns a line.
    const int64_t ahead = whole < 2 * panels || (strips.count <= 2 && !kAsks) ? 0 : panels * block.panel_stride;
    for (int64_t strip = 0; strip < strips.count; ++strip) {
      const int64_t first = strips.first(strip), rows = rows_of(strip);
      if (block.diagonal + first + rows <= column) continue;
      const T* a = block.a + first * (kSideBySide<T> ? block.depth : block.a_stride);
      T* c = block.c + first * block.ldc + column;
      if (whole == 0) {
        edge_tile(block, rows, block.columns - column, a, b, c, bias);
        continue;
      }
      const int64_t step = std::min<int64_t>(panels, panels_for(static_cast<int>(rows)));
      const Asked asked = asked_by<T>(strip, strips.count, ahead, block.depth);
      for (int64_t q = 0; q < panels; q += step) {
        tile_for<T>(rows, step, block.depth, asked.pace)(a, block.a_stride, b + q * block.panel_stride, block.panel_stride, asked, block.depth,
                                                         c + q * kPanel<T>, block.ldc, block.chain, bias == nullptr ? nullptr : bias + q * kPanel<T>);
      }
    }
    p += panels;
    column += panels * kPanel<T>;
    if (block.act == nullptr || (column < block.columns && column - active < kStretch<T>)) continue;
    const int64_t end = column < block.columns ? column : block.columns;
    for (int64_t i = 0; i < block.rows; ++i) block.act(block.c + i * block.ldc + active, end - active);
    active = end;
  }
}

// Row after row.
template <typename T>
void pack_in_rows(const Operand<T>& from, Sign sign, int64_t count, int64_t depth, T* out) {
  if (from.column_step == 1) {
    for (int64_t i = 0; i < count; ++i) {
      const T* row = from.data + i * from.row_step;
      T* to = out + i * kStride<T>;
      if (sign == Sign::kPlus) {
        std::memcpy(to, row, static_cast<size_t>(depth) * sizeof(T));
      } else {
        for (int64_t p = 0; p < depth; ++p) to[p] = -row[p];
      }
    }
    return;
  }
  // squares of a line by a line: every line is read and written once, so no stride makes them fight for a cache set
  constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
  for (int64_t p0 = 0; p0 < depth; p0 += kLine) {
    const int64_t values = std::min(kLine, depth - p0);
    for (int64_t i0 = 0; i0 < count; i0 += kLine) {
      const int64_t rows = std::min(kLine, count - i0);
      const T* corner = from.data + i0 * from.row_step + p0 * from.column_step;
      T* to = out + i0 * kStride<T> + p0;
      if (from.row_step == 1 && rows == kLine && sign == Sign::kPlus) {
        for (int64_t p = 0; p < values; ++p) {
          for (int64_t i = 0; i < kLine; ++i) to[i * kStride<T> + p] = corner[i + p * from.column_step];
        }
        continue;
      }
      for (int64_t p = 0; p < values; ++p) {
        for (int64_t i = 0; i < rows; ++i) {
          const T value = corner[i * from.row_step + p * from.column_step];
          to[i * kStride<T> + p] = sign == Sign::kPlus ? value : -value;
        }
      }
    }
  }
}

#if HWY_TARGET == HWY_AVX2
// Strip after strip, the rows of each side by side. Rows from far away are asked for a strip ahead: without that, packing took 6 % of a product of
// 2,064 x 384 x 384, for which a's rows and c fill more than a second-level cache.
void pack_side_by_side(const Operand<float>& from, Sign sign, int64_t count, int64_t depth, float* out) {
  constexpr int64_t kLine = 16;
  const Strips<float> strips(count);
  const float factor = sign == Sign::kPlus ? 1.0F : -1.0F;
  const bool in_lines = from.column_step == 1 && sign == Sign::kPlus;
  for (int64_t i = 0; in_lines && i < std::min<int64_t>(count, kStripRows<float>); ++i) {
    for (int64_t p = 0; p < depth; p += kLine) __builtin_prefetch(from.data + i * from.row_step + p);
  }
  for (int64_t strip = 0; strip < strips.count; ++strip) {
    const int64_t first = strips.first(strip), rows = strips.first(strip + 1) - first;
    const float* corner = from.data + first * from.row_step;
    float* to = out + first * depth;
    int64_t p = 0;
    if (in_lines) {
      const float* row[8];
      for (int64_t i = 0; i < 8; ++i) row[i] = corner + std::min(i, rows - 1) * from.row_step;
      const int64_t next = strip + 1 < strips.count ? rows * from.row_step : 0;
      for (; p + 8 <= depth; p += 8) {
        for (int i = 0; p % kLine == 0 && i < kStripRows<float>; ++i) __builtin_prefetch(row[i] + next);
        modnet::HWY_NAMESPACE::TurnEight(row, to + p * rows, rows);
        for (const float*& one : row) one += 8;
      }
    }
    for (; p < depth; ++p) {
      for (int64_t i = 0; i < rows; ++i) to[p * rows + i] = factor * corner[i * from.row_step + p * from.column_step];
    }
  }
}
#endif

void pack_f32(const Operand<float>& from, Sign sign, int64_t count, int64_t depth, float* out) {
#if HWY_TARGET == HWY_AVX2
  pack_side_by_side(from, sign, count, depth, out);
#else
  pack_in_rows(from, sign, count, depth, out);
#endif
}
void pack_f64(const Operand<double>& from, Sign sign, int64_t count, int64_t depth, double* out) { pack_in_rows(from, sign, count, depth, out); }

void turn_panel_f32(const float* from, int64_t column_step, int64_t depth, float* out) {
  int64_t p = 0;
#if MODNET_TURNS_EIGHT
  const float* column[2][8];
  for (int64_t j = 0; j < kPanel<float>; ++j) column[j / 8][j % 8] = from + j * column_step;
  for (; p + 8 <= depth; p += 8) {
    for (int half = 0; half < 2; ++half) {
      modnet::HWY_NAMESPACE::TurnEight(column[half], out + p * kPanel<float> + half * 8, kPanel<float>);
      for (const float*& one : column[half]) one += 8;
    }
  }
#endif
  for (; p < depth; ++p) {
    for (int64_t j = 0; j < kPanel<float>; ++j) out[p * kPanel<float> + j] = from[p + j * column_step];
  }
}

// Rows need not be packed unless all of them share one set of the first-level cache.
template <typename T>
bool readable(const Operand<T>& from, Sign sign) {
  constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
  return !kSideBySide<T> && sign == Sign::kPlus && from.column_step == 1 && from.row_step >= 0 && from.row_step / kLine % 64 != 0;
}
bool readable_f32(const Operand<float>& from, Sign sign) { return readable(from, sign); }
bool readable_f64(const Operand<double>& from, Sign sign) { return readable(from, sign); }

void multiply_f32(const Block<float>& block) { multiply(block); }
void multiply_f64(const Block<double>& block) { multiply(block); }
int64_t tallest_f32() { return kStripRows<float>; }
int64_t tallest_f64() { return kStripRows<double>; }

}  // namespace modnet::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace modnet::cpu {
namespace {
HWY_EXPORT(multiply_f32);
HWY_EXPORT(multiply_f64);
HWY_EXPORT(readable_f32);
HWY_EXPORT(readable_f64);
HWY_EXPORT(pack_f32);
HWY_EXPORT(pack_f64);
HWY_EXPORT(turn_panel_f32);
HWY_EXPORT(tallest_f32);
HWY_EXPORT(tallest_f64);
}  // namespace

bool rows_readable(const Operand<float>& from, Sign sign) { return HWY_DYNAMIC_DISPATCH(readable_f32)(from, sign); }
bool rows_readable(const Operand<double>& from, Sign sign) { return HWY_DYNAMIC_DISPATCH(readable_f64)(from, sign); }
void pack_rows(const Operand<float>& from, Sign sign, int64_t rows, int64_t depth, float* out) {
  HWY_DYNAMIC_DISPATCH(pack_f32)(from, sign, rows, depth, out);
}
void pack_rows(const Operand<double>& from, Sign sign, int64_t rows, int64_t depth, double* out) {
  HWY_DYNAMIC_DISPATCH(pack_f64)(from, sign, rows, depth, out);
}
void turn_panel(const float* from, int64_t column_step, int64_t depth, float* out) {
  HWY_DYNAMIC_DISPATCH(turn_panel_f32)(from, column_step, depth, out);
}

void multiply_block(const Block<float>& block) { HWY_DYNAMIC_DISPATCH(multiply_f32)(block); }
void multiply_block(const Block<double>& block) { HWY_DYNAMIC_DISPATCH(multiply_f64)(block); }
template <>
int64_t strip_rows<float>() { return HWY_DYNAMIC_DISPATCH(tallest_f32)(); }
template <>
int64_t strip_rows<double>() { return HWY_DYNAMIC_DISPATCH(tallest_f64)(); }

}  // namespace modnet::cpu
#endif  // HWY_ONCE
