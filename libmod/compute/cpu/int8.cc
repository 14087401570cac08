// Packing, blocking and threads around the 8-bit tiles. The output is cut into tasks of rows by panels; a task turns its rows into
// whole numbers once and runs them past its panels while they stay in the second-level cache.
#include "libmod/compute/int8.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "libmod/compute/cpu/int8_kernel.h"
#include "libmod/compute/cpu/row_blocks.h"
#include "libmod/compute/target.h"
#include "libmod/compute/threads.h"

namespace modnet {
namespace {

using cpu::ceil_div;
using cpu::Int8Kernel;
using cpu::Int8Tile;
using cpu::RowBlocks;

// Bytes of whole numbers that a task keeps, and rows at most: enough to pay for reading the panels.
constexpr int64_t kBlockBytes = int64_t{128} << 10;
constexpr int64_t kMostBlockRows = 96;
// Rows a thread from which on they run through two layers together.
constexpr int64_t kRowsTwice = 24;
// Columns after which the activation runs, while the block's output is still in the cache.
constexpr int64_t kActColumns = 128;
// Lines of the next panel that a tile's start asks for at most.
constexpr int64_t kMostLinesAsked = 48;
// Products below this many multiply-adds are not worth waking anybody.
constexpr int64_t kAlone = 400'000;

int64_t rounded_up(int64_t n, int64_t step) { return ceil_div(n, step) * step; }
int64_t whole_size(Int8Layout layout) { return layout == Int8Layout::kQuads ? 1 : 2; }
int64_t panel_of(Int8Layout layout) { return layout == Int8Layout::kQuads ? cpu::kQuadPanel : cpu::kPairPanel; }

/// A layer with its rows and its output.
struct Layer : Int8Layer {
  const float* a;
  int64_t lda;
  float* c;
  int64_t ldc;
};

const Int8Kernel& kernel_for(const PackedInt8& b) {
  if (b.layout() == Int8Layout::kPairs) return cpu::pairs_kernel();
  return int8_tiles() && b.depth() % cpu::kTileDepth == 0 ? cpu::tiles_kernel() : cpu::quads_kernel();
}

/// A block of rows as whole numbers, in one worker's scratch space.
struct WholeRows {
  std::byte* values = nullptr;
  int64_t stride = 0;  // bytes; never a multiple of 4096, so that the rows of a tile do not fight for a cache set
  float* scales = nullptr;
  int32_t* zeros = nullptr;
  static int64_t stride_of(const PackedInt8& b) {
    const int64_t bytes = rounded_up(std::max<int64_t>(1, b.depth() * whole_size(b.layout())), 64);
    return bytes % 1024 == 0 ? bytes + 64 : bytes;
  }
  static int64_t bytes_of(const PackedInt8& b, int64_t rows) { return rows * (stride_of(b) + 8); }
  WholeRows(const PackedInt8& b, int64_t rows, void* memory)
      : values(static_cast<std::byte*>(memory)), stride(stride_of(b)), scales(reinterpret_cast<float*>(values + rows * stride)),
        zeros(reinterpret_cast<int32_t*>(scales + rows)) {}
};

void quantise_block(const Layer& layer, int64_t first, int64_t rows, const WholeRows& out) {
  for (int64_t i = 0; i < rows; ++i) {
    const float* x = layer.a + (first + i) * layer.lda;
    std::byte* to = out.values + i * out.stride;
    if (layer.b.layout() == Int8Layout::kQuads) {
      cpu::quantise_row(cpu::Int8Row<uint8_t>{x, layer.factors, layer.b.k(), layer.b.depth(), reinterpret_cast<uint8_t*>(to), out.scales + i, out.zeros + i});
    } else {
      cpu::quantise_row(cpu::Int8Row<int16_t>{x, layer.factors, layer.b.k(), layer.b.depth(), reinterpret_cast<int16_t*>(to), out.scales + i, out.zeros + i});
    }
  }
}

/// One panel of columns for a block of rows, in strips of nearly equal height. Little is left to do between two tiles: the processor reads
/// ahead over the end of one into the next. Each strip asks for its share of the next panel, unless so few share it that they would wait.
void run_panel(const Layer& layer, const Int8Kernel& kernel, int64_t first, int64_t rows, int64_t panel, const WholeRows& whole) {
  const int64_t column = panel * kernel.panel, used = std::min(kernel.panel, layer.b.n() - column);
  const int64_t strips = ceil_div(rows, kernel.rows), lower = rows / strips, higher = rows - strips * lower;  // strips of lower + 1 rows
  alignas(64) float edge[cpu::kMostInt8Rows * cpu::kMostInt8Panel];
  const int64_t lines = layer.b.panel_bytes() / kCacheLine, share = ceil_div(lines, strips);
  const bool asking = column + kernel.panel < layer.b.n() && share <= kMostLinesAsked;
  int64_t line = asking ? 0 : lines;  // of the next panel, the first that is not asked for yet
  const bool inside = used == kernel.panel;
  float* c = layer.c + first * layer.ldc + column;
  Int8Tile tile;
  tile.a = whole.values;
  tile.a_stride = whole.stride;
  tile.b = layer.b.panels() + panel * layer.b.panel_bytes();
  tile.depth = layer.b.depth();
  tile.row_scales = whole.scales;
  tile.row_zeros = whole.zeros;
  tile.sums = layer.b.sums() + column;
  tile.scales = layer.b.scales() + column;
  tile.bias = layer.b.bias() + column;
  tile.c = inside ? c : edge;
  tile.ldc = inside ? layer.ldc : kernel.panel;
  for (int64_t strip = 0; strip < strips; ++strip) {
    const int64_t height = strip < higher ? lower + 1 : lower;
    for (const int64_t stop = std::min(lines, line + share); line < stop; ++line) __builtin_prefetch(tile.b + layer.b.panel_bytes() + line * kCacheLine, 0, 2);
    kernel.tiles[height - 1](tile);
    tile.a += height * whole.stride;
    tile.row_scales += height;
    tile.row_zeros += height;
    if (inside) {
      tile.c += height * layer.ldc;
    } else {
      for (int64_t i = 0; i < height; ++i, c += layer.ldc) std::memcpy(c, edge + i * kernel.panel, static_cast<size_t>(used) * sizeof(float));
    }
  }
}

void run_task(const Layer& layer, const Int8Kernel& kernel, int64_t first, int64_t rows, int64_t panel_begin, int64_t panel_end, const WholeRows& whole) {
  quantise_block(layer, first, rows, whole);
  if (kernel.begin != nullptr) kernel.begin();
  const int64_t step = std::max<int64_t>(1, kActColumns / kernel.panel);
  for (int64_t begin = panel_begin; begin < panel_end; begin += step) {
    const int64_t end = std::min(begin + step, panel_end);
    for (int64_t panel = begin; panel < end; ++panel) run_panel(layer, kernel, first, rows, panel, whole);
    const int64_t column = begin * kernel.panel, columns = std::min(end * kernel.panel, layer.b.n()) - column;
    for (int64_t i = 0; i < rows && layer.act != nullptr; ++i) layer.act(layer.c + (first + i) * layer.ldc + column, columns);
  }
  if (kernel.end != nullptr) kernel.end();
}

}  // namespace

PackedInt8 PackedInt8::pack(const int8_t* weights, const float* scales, const float* bias, int64_t k, int64_t n, ThreadPool* pool) {
  return pack_as(int8_dot_products() ? Int8Layout::kQuads : Int8Layout::kPairs, weights, scales, bias, k, n, pool);
}

PackedInt8 PackedInt8::pack_as(Int8Layout layout, const int8_t* weights, const float* scales, const float* bias, int64_t k, int64_t n, ThreadPool* pool) {
  PackedInt8 out;
  const int64_t panel = panel_of(layout), group = layout == Int8Layout::kQuads ? 4 : 2, padded = rounded_up(n, panel);
  out.layout_ = layout;
  out.k_ = k;
  out.n_ = n;
  out.depth_ = rounded_up(k, layout == Int8Layout::kQuads && int8_tiles() ? cpu::kTileDepth : group);
  out.panel_bytes_ = out.depth_ * panel * whole_size(layout);
  out.bytes_ = padded / panel * out.panel_bytes_;
  out.data_ = lasting_block<std::byte>(out.bytes_);
  out.scales_.assign(static_cast<size_t>(padded), 0.0F);
  out.bias_ = out.scales_;
  out.sums_.assign(static_cast<size_t>(padded), 0);
  std::copy_n(scales, n, out.scales_.begin());
  if (bias != nullptr) std::copy_n(bias, n, out.bias_.begin());
  const bool gaps = padded != n || out.depth_ != k;
  run_tasks(pool, padded / panel, [&](int64_t number, int) {
    std::byte* const first = out.data_.get() + number * out.panel_bytes_;
    if (gaps) std::memset(first, 0, static_cast<size_t>(out.panel_bytes_));
    for (int64_t j = number * panel; j < std::min(n, (number + 1) * panel); ++j) {
      const int8_t* row = weights + j * k;
      out.sums_[static_cast<size_t>(j)] = std::accumulate(row, row + k, int32_t{0});
      std::byte* to = first + j % panel * group * whole_size(layout);
      for (int64_t p = 0; p < k; p += group, to += panel * group * whole_size(layout)) {
        const int64_t some = std::min(group, k - p);
        if (layout == Int8Layout::kPairs) {
          for (int64_t i = 0; i < some; ++i) reinterpret_cast<int16_t*>(to)[i] = row[p + i];
        } else if (some == group) {
          std::memcpy(to, row + p, 4);
        } else {
          std::memcpy(to, row + p, static_cast<size_t>(some));
        }
      }
    }
  });
  return out;
}

void linear_int8(const ComputeContext& context, const float* a, int64_t lda, int64_t m, const Int8Layer& given, float* c, int64_t ldc) {
  const PackedInt8& b = given.b;
  if (m <= 0 || b.n() <= 0) return;
  const Layer layer{given, a, lda, c, ldc};
  const Int8Kernel& kernel = kernel_for(b);
  ThreadPool* pool = m * b.n() * b.k() < kAlone ? nullptr : context.pool;
  const int64_t threads = pool == nullptr ? 1 : pool->width(), panels = ceil_div(b.n(), kernel.panel);
  const int64_t fit = std::clamp(kBlockBytes / WholeRows::stride_of(b) / kernel.rows * kernel.rows, kernel.rows, kMostBlockRows);
  int64_t blocks = ceil_div(m, fit);
  if (blocks > 1) blocks = std::min(rounded_up(blocks, threads), ceil_div(m, kernel.rows));
  // Few rows are shared out by columns too: each task then makes whole numbers of them for itself, a small part of its work.
  const int64_t groups = blocks >= threads ? 1 : std::min(panels, ceil_div(threads, blocks));
  const RowBlocks cut(m, kernel.rows, blocks);
  const int64_t most_rows = cut.most_rows() + kernel.rows_read;
  run_tasks(pool, blocks * groups, WholeRows::bytes_of(b, most_rows), [&](int64_t task, int, void* memory) {
    const int64_t block = task / groups, group = task % groups;
    const int64_t first = cut.first(block), last = cut.first(block + 1);
    const int64_t panel_begin = panels * group / groups, panel_end = panels * (group + 1) / groups;
    if (first == last || panel_begin == panel_end) return;
    run_task(layer, kernel, first, last - first, panel_begin, panel_end, WholeRows(b, most_rows, memory));
  });
}

void linear_int8_twice(const ComputeContext& context, const float* a, int64_t lda, int64_t m, const Int8Layer& first, const Int8Layer& second,
                       float* between, float* c, int64_t ldc) {
  const int64_t threads = context.pool == nullptr ? 1 : context.pool->width(), between_size = first.b.n();
  if (m < threads * kRowsTwice || between_size == 0 || second.b.n() == 0) {
    linear_int8(context, a, lda, m, first, between, between_size);
    linear_int8(context, between, between_size, m, second, c, ldc);
    return;
  }
  const Int8Kernel &first_kernel = kernel_for(first.b), &second_kernel = kernel_for(second.b);
  const RowBlocks blocks(m, std::max(first_kernel.rows, second_kernel.rows), rounded_up(ceil_div(m, std::max(first_kernel.rows_twice, second_kernel.rows_twice)), threads));
  const int64_t most_rows = blocks.most_rows() + std::max(first_kernel.rows_read, second_kernel.rows_read);
  const int64_t width = rounded_up(between_size, 16) + 16;  // off the powers of two: rows must not share cache sets
  const int64_t first_bytes = rounded_up(WholeRows::bytes_of(first.b, most_rows), kCacheLine), second_bytes = rounded_up(WholeRows::bytes_of(second.b, most_rows), kCacheLine);
  run_tasks(context.pool, blocks.count(), first_bytes + second_bytes + most_rows * width * static_cast<int64_t>(sizeof(float)), [&](int64_t block, int, void* memory) {
    const int64_t begin = blocks.first(block), rows = blocks.first(block + 1) - begin;
    if (rows == 0) return;
    auto* bytes = static_cast<std::byte*>(memory);
    auto* middle = reinterpret_cast<float*>(bytes + first_bytes + second_bytes);
    const Layer in{first, a + begin * lda, lda, middle, width}, out{second, middle, width, c + begin * ldc, ldc};
    run_task(in, first_kernel, 0, rows, 0, ceil_div(between_size, first_kernel.panel), WholeRows(first.b, most_rows, bytes));
    run_task(out, second_kernel, 0, rows, 0, ceil_div(second.b.n(), second_kernel.panel), WholeRows(second.b, most_rows, bytes + first_bytes));
  });
}

void quantise_weights(const float* weights, int64_t k, int64_t n, int8_t* out, float* scales) {
  for (int64_t j = 0; j < n; ++j) {
    const float* w = weights + j * k;
    float most = 0.0F;
    for (int64_t p = 0; p < k; ++p) most = std::max(most, std::abs(w[p]));
    scales[j] = most < kInt8LeastRange ? 0.0F : most / 127.0F;
    // The quotient lies within 127 (1 + 2^-22): rounding it gives 127 at most.
    for (int64_t p = 0; p < k; ++p) out[j * k + p] = scales[j] == 0.0F ? int8_t{0} : static_cast<int8_t>(std::nearbyint(w[p] / scales[j]));
  }
}

}  // namespace modnet
