// How a product is cut. The output is cut into tasks of some 48 rows by a range of panels; within a task, k is cut
// into depths, and a's block of rows is packed once a depth and stays in the
// second-level cache while the panels go by. Cutting k continues each element's chain from c, so no cut changes a bit.
#include "libmod/compute/cpu/gemm.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "libmod/compute/cpu/row_blocks.h"

namespace modnet::cpu {
namespace {

// Rows of a that run past the panels together, in whole strips: with kDepth they take some 150 KB, within a second-level cache beside the panels. And
// those that a thread takes at once where they are all that it has.
constexpr int64_t kRowsABlock = 48, kRowsAtOnce = 70;
// Tasks a thread, so that one which is held up does less. Few rows, which read the panels once, are one: the next panels are then the next in memory.
constexpr int64_t kTasksAThread = 4;
// Products below this many multiply-adds are not worth waking anybody.
constexpr int64_t kAlone = 100'000;
// Rows that run through two products together: with 1,536 numbers between them they take less than 400 KB. And those a thread from which on they do:
// fewer are shared out by columns.
constexpr int64_t kBlockRowsTwice = 36, kRowsTwice = 24;
// Depths of b that are packed at a time when b comes unpacked.
constexpr int64_t kDepthsAPack = 4;

// The cut of the output into tasks. A group's columns are a multiple of `unit` panels, what tiles of few rows take at a time, but for the last.
struct Cut {
  int64_t row_blocks = 1;
  int64_t column_groups = 1;
  int64_t unit = 1;
};

// Blocks of about `rows` rows in whole strips, as many for each thread; of a strip each where there are not so many.
template <typename T>
int64_t blocks_of(int64_t m, int64_t rows, int64_t threads) {
  const int64_t strip = strip_rows<T>();
  if (m <= threads * kRowsAtOnce) return std::min(threads, ceil_div(m, strip));
  return ceil_div(ceil_div(m, ceil_div(rows, strip) * strip), threads) * threads;
}

template <typename T>
Cut cut_output(int64_t m, int64_t n, int threads) {
  const int64_t panels = ceil_div(n, kPanel<T>);
  Cut cut;
  if (m > kRowsABlock) cut.row_blocks = blocks_of<T>(m, kRowsABlock, threads);
  if (threads <= 1) return cut;
  const int64_t groups = cut.row_blocks == 1 ? threads : ceil_div(threads * kTasksAThread, cut.row_blocks);
  for (cut.unit = 4; cut.unit > 1 && panels / cut.unit < groups;) cut.unit /= 2;
  cut.column_groups = std::min(ceil_div(panels, cut.unit), groups);
  return cut;
}

// Blocks of whole strips; where several threads have only a few, or one block each, of as many rows each, to 4: a strip more would make one's work
// a tenth longer, and that of a text of 128 tokens 3 %.
template <typename T>
RowBlocks cut_rows(int64_t m, int64_t count, int64_t threads) {
  constexpr int64_t kFewStrips = 4, kPart = 4;
  const int64_t strip = strip_rows<T>();
  return {m, threads > 1 && (count == threads || ceil_div(m, strip) < kFewStrips * count) ? std::min(kPart, strip) : strip, count};
}

// One task: all of k for one rectangle of c. `packed` is room for a depth of its rows; they lie there already where `there` says so.
template <typename T>
void run_task(const Product<T>& product, const T* panels, int64_t k_begin, int64_t k_end, int64_t row_begin,
              int64_t row_end, int64_t panel_begin, int64_t panel_end, T* packed, bool there = false) {
  const int64_t column = panel_begin * kPanel<T>;
  const int64_t depth_all = k_end - k_begin;
  Block<T> block;
  block.rows = row_end - row_begin;
  block.panel_stride = depth_all * kPanel<T>;
  block.columns = std::min(panel_end * kPanel<T>, product.n) - column;
  block.c = product.c + row_begin * product.ldc + column;
  block.ldc = product.ldc;
  if (product.region == Region::kLower) {
    block.diagonal = row_begin - column;
    block.columns = std::min(block.columns, row_end - column);
    if (block.columns <= 0) return;
  }
  const bool in_place = rows_readable(product.a, product.sign);
  int64_t done = 0;
  do {
    block.depth = std::min(kDepth<T>, depth_all - done);
    block.chain = k_begin + done == 0 ? product.chain : Chain::kContinue;
    block.b = panels + panel_begin * block.panel_stride + done * kPanel<T>;
    const bool last = k_begin + done + block.depth == product.k;
    block.bias = last && product.bias != nullptr ? product.bias + column : nullptr;
    block.act = last ? product.act : nullptr;
    Operand<T> rows = product.a;
    rows.data += row_begin * rows.row_step + (k_begin + done) * rows.column_step;
    if (in_place) {
      block.a = rows.data;
      block.a_stride = rows.row_step;
    } else {
      if (!there) pack_rows(rows, product.sign, block.rows, block.depth, packed);
      block.a = packed;
    }
    multiply_block(block);
    done += block.depth;
  } while (done < depth_all);
}

// c for k in [k_begin, k_end), whose panels are packed.
template <typename T>
void run_depths(ThreadPool* pool, const Product<T>& product, const T* panels, int64_t k_begin, int64_t k_end) {
  const int threads = pool == nullptr ? 1 : pool->width();
  const Cut cut = cut_output<T>(product.m, product.n, threads);
  const RowBlocks blocks = cut_rows<T>(product.m, cut.row_blocks, threads);
  const int64_t all_panels = ceil_div(product.n, kPanel<T>);
  const int64_t bytes = blocks.most_rows() * kStride<T> * static_cast<int64_t>(sizeof(T));
  // The block that each worker packed last, where all of k is one depth: packing it for every group of columns took 3 to 9 % of a text of 128 tokens.
  // Neighbours in the order of tasks take different blocks, so that a worker mostly meets its own again.
  std::vector<int64_t> packed(k_end - k_begin <= kDepth<T> ? static_cast<size_t>(pool == nullptr ? 1 : pool->size()) : 0, -1);
  run_tasks(pool, cut.row_blocks * cut.column_groups, bytes, [&](int64_t task, int worker, void* scratch) {
    const int64_t row = task % cut.row_blocks;
    const int64_t group = task / cut.row_blocks;
    const int64_t row_begin = blocks.first(row);
    const int64_t row_end = blocks.first(row + 1);
    const int64_t units = ceil_div(all_panels, cut.unit);
    const int64_t panel_begin = units * group / cut.column_groups * cut.unit;
    const int64_t panel_end = std::min(units * (group + 1) / cut.column_groups * cut.unit, all_panels);
    if (row_begin == row_end || panel_begin == panel_end) return;
    const bool there = !packed.empty() && std::exchange(packed[static_cast<size_t>(worker)], row) == row;
    run_task(product, panels, k_begin, k_end, row_begin, row_end, panel_begin, panel_end, static_cast<T*>(scratch), there);
  });
}

template <typename T>
void multiply_any(ThreadPool* pool, const Product<T>& product) {
  if (product.m <= 0 || product.n <= 0) return;
  if (product.m * product.n * product.k < kAlone) pool = nullptr;
  if (product.panels != nullptr || product.k == 0) {
    run_depths(pool, product, product.panels, 0, product.k);
    return;
  }
  const int64_t most = std::min(product.k, kDepth<T> * kDepthsAPack);
  const int64_t all_panels = ceil_div(product.n, kPanel<T>);
  const AlignedBlock<T> panels = aligned_block<T>(all_panels * kPanel<T> * most);
  for (int64_t first = 0; first < product.k; first += most) {
    const int64_t depth = std::min(most, product.k - first);
    run_tasks(pool, all_panels, [&](int64_t panel, int) { pack_panels(product.b, product.n, first, depth, panel, panel + 1, panels.get()); });
    run_depths<T>(pool, product, panels.get(), first, first + depth);
  }
}

}  // namespace

template <typename T>
void pack_panels(const Operand<T>& b, int64_t n, int64_t first, int64_t depth, int64_t panel_begin, int64_t panel_end,
                 T* out) {
  constexpr int64_t kLine = 64 / static_cast<int64_t>(sizeof(T));
  for (int64_t panel = panel_begin; panel < panel_end; ++panel) {
    const int64_t column = panel * kPanel<T>;
    const int64_t used = std::min(kPanel<T>, n - column);
    const T* from = b.data + first * b.row_step + column * b.column_step;
    T* to = out + panel * depth * kPanel<T>;
    if (used < kPanel<T>) std::memset(to, 0, static_cast<size_t>(depth * kPanel<T>) * sizeof(T));
    if (b.column_step == 1) {
      for (int64_t p = 0; p < depth; ++p) {
        std::memcpy(to + p * kPanel<T>, from + p * b.row_step, static_cast<size_t>(used) * sizeof(T));
      }
      continue;
    }
    if constexpr (sizeof(T) == sizeof(float)) {
      if (used == kPanel<T> && b.row_step == 1) {
        turn_panel(from, b.column_step, depth, to);
        continue;
      }
    }
    for (int64_t p0 = 0; p0 < depth; p0 += kLine) {
      const int64_t p1 = std::min(p0 + kLine, depth);
      for (int64_t j = 0; j < used; ++j) {
        for (int64_t p = p0; p < p1; ++p) to[p * kPanel<T> + j] = from[p * b.row_step + j * b.column_step];
      }
    }
  }
}

template void pack_panels<float>(const Operand<float>&, int64_t, int64_t, int64_t, int64_t, int64_t, float*);
template void pack_panels<double>(const Operand<double>&, int64_t, int64_t, int64_t, int64_t, int64_t, double*);

void pack_columns(ThreadPool* pool, const Operand<float>& b, int64_t k, int64_t n, int64_t column, bool last, float* out) {
  constexpr int64_t kWide = kPanel<float>;
  if (column % kWide == 0 && (last || n % kWide == 0)) {
    float* to = out + column * k;
    run_tasks(pool, ceil_div(n, kWide), [&](int64_t panel, int) { pack_panels(b, n, 0, k, panel, panel + 1, to); });
    return;
  }
  for (int64_t j = column; j < column + n; ++j) {  // parts that share a panel: column by column
    float* to = out + j / kWide * kWide * k + j % kWide;
    for (int64_t p = 0; p < k; ++p) to[p * kWide] = b.data[p * b.row_step + (j - column) * b.column_step];
  }
  for (int64_t j = column + n; last && j % kWide != 0; ++j) {
    for (int64_t p = 0; p < k; ++p) out[j / kWide * kWide * k + p * kWide + j % kWide] = 0.0F;
  }
}

void multiply(ThreadPool* pool, const Product<float>& product) { multiply_any(pool, product); }
void multiply(ThreadPool* pool, const Product<double>& product) { multiply_any(pool, product); }

void multiply_twice(ThreadPool* pool, const Product<float>& first, const Product<float>& second) {
  const int64_t threads = pool == nullptr ? 1 : pool->width(), m = first.m;
  if (m < threads * kRowsTwice) {
    multiply(pool, first);
    multiply(pool, second);
    return;
  }
  const RowBlocks blocks = cut_rows<float>(m, blocks_of<float>(m, kBlockRowsTwice, threads), threads);
  const int64_t most_rows = blocks.most_rows();
  const int64_t width = ceil_div(first.n, kPanel<float>) * kPanel<float> + kPanel<float>;  // off the powers of two: rows must not share cache sets
  run_tasks(pool, blocks.count(), most_rows * (kStride<float> + width) * static_cast<int64_t>(sizeof(float)), [&](int64_t block, int, void* scratch) {
    const int64_t begin = blocks.first(block), rows = blocks.first(block + 1) - begin;
    if (rows == 0) return;
    auto* packed = static_cast<float*>(scratch);
    Product<float> in = first, out = second;
    in.a.data += begin * in.a.row_step;
    in.c = packed + most_rows * kStride<float>;
    in.ldc = width;
    out.a = {in.c, width, 1};
    out.c += begin * out.ldc;
    run_task(in, in.panels, 0, in.k, 0, rows, 0, ceil_div(in.n, kPanel<float>), packed);
    run_task(out, out.panels, 0, out.k, 0, rows, 0, ceil_div(out.n, kPanel<float>), packed);
  });
}

}  // namespace modnet::cpu
