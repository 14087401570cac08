// What the 8-bit products are made of: rows turned into whole numbers, and register tiles for two layouts of weights. A tile of R
// rows by one panel keeps its sums in registers over all of k, and turns them into f32 at the end.
// Pairs: int8_pairs.cc (Highway, every instruction set). Quads: int8_quads.cc (AVX512-VNNI, AMX). Blocking: int8.cc.
// Tested through tests/unit/compute/int8_test.cc; the quads' indexing also there, on emulated instructions.
#pragma once

#include <cstdint>

#include "libmod/compute/int8.h"

namespace modnet::cpu {

/// Rows by one panel of columns. All of a row of `c` is written, a whole panel of columns.
struct Int8Tile {
  const std::byte* a = nullptr;  // rows of whole numbers, 0 to 255: 16 bits each for pairs, 8 for quads
  int64_t a_stride = 0;          // bytes from row to row
  const std::byte* b = nullptr;  // one panel
  int64_t depth = 0;             // values of k, padding included
  const float* row_scales = nullptr;
  const int32_t* row_zeros = nullptr;  // the number that stands for 0 in each row
  const int32_t* sums = nullptr;       // of the panel's columns
  const float* scales = nullptr;
  const float* bias = nullptr;
  float* c = nullptr;
  int64_t ldc = 0;
};
using Int8TileFunction = void (*)(const Int8Tile& tile);

inline constexpr int64_t kMostInt8Rows = 32, kMostInt8Panel = 32;
/// Tiles of 1 to `rows` rows.
struct Int8Kernel {
  int64_t panel = 0;  // columns
  int64_t rows = 0;
  Int8TileFunction tiles[kMostInt8Rows] = {};
  int64_t rows_twice = 36;    // that run through two layers together
  int64_t rows_read = 0;      // behind the last one of a tile, at most; what they hold does not matter
  void (*begin)() = nullptr;  // called by a thread before its tiles and after them; or null
  void (*end)() = nullptr;
};
/// A panel of pairs: for every two values of k, kPairPanel columns of two numbers. Of the instruction set in use.
inline constexpr int64_t kPairPanel = 16;
[[nodiscard]] const Int8Kernel& pairs_kernel();
/// A panel of quads: for every four values of k, kQuadPanel columns of four bytes. Only where this CPU has AVX512-VNNI may its tiles be called.
inline constexpr int64_t kQuadPanel = 32;
[[nodiscard]] const Int8Kernel& quads_kernel();
/// Reads the same panels, for a depth that is a multiple of kTileDepth. Only where target.h says int8_tiles().
inline constexpr int64_t kTileDepth = 64;
[[nodiscard]] const Int8Kernel& tiles_kernel();

/// A row's whole numbers, its scale and its zero as int8.h defines them; numbers from k to `depth` become 0.
template <typename Whole>
struct Int8Row {
  const float* x = nullptr;
  const float* factors = nullptr;
  int64_t k = 0, depth = 0;
  Whole* out = nullptr;
  float* scale = nullptr;
  int32_t* zero = nullptr;
};
void quantise_row(const Int8Row<uint8_t>& row);
void quantise_row(const Int8Row<int16_t>& row);

}  // namespace modnet::cpu
