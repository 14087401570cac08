// Pooling of ragged sequences to one row each. Sums run in row order per column, so a result depends on its sequence
// alone. Kernels: cpu/pool.cc; plain form: reference/pool.h. Tested by tests/unit/compute/pool_test.cc.
#pragma once

#include <cstdint>
#include <span>

#include "formats/module/records.h"
#include "libmod/compute/rows.h"

namespace modnet {

/// Pools the rows of each sequence of x [total, n] into one row of out [sequences, n]; out must not overlap x.
/// offsets: [sequences + 1], ascending from 0. mask: optional [total], rows with 0 are left out; null: all rows count.
///   kMean: sum of the rows / max(count, 1e-9) as sentence-transformers does; no rows: zeros.
///   kCls:  the first row, masked or not; an empty sequence: zeros.
///   kMax:  the greatest value of each column, NaN if one is NaN; no rows: zeros.
/// Pooling::kNone and kInvalid are the caller's mistake and leave 'out' as it is.
void pool_rows(Pooling pooling, ConstRows x, std::span<const int64_t> offsets, const uint8_t* mask, Rows out);

}  // namespace modnet
