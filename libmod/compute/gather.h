// Embedding lookup: rows of one or more tables by id, summed, optionally normalised.
// Kernels: cpu/pool.cc; plain form: reference/pool.h. Tested by tests/unit/compute/pool_test.cc.
#pragma once

#include <cstdint>
#include <span>

#include "formats/base/result.h"
#include "libmod/compute/rows.h"

namespace modnet {

/// One lookup: row ids[r] of table [rows, columns]. ids: [n]. ids empty: row 0 for every r.
struct Lookup {
  ConstRows table;
  std::span<const int32_t> ids;
};

/// kInvalid, naming the first offender, when an id is negative or not below the table's rows.
[[nodiscard]] Status check_ids(std::span<const int32_t> ids, int64_t rows);

/// out[r] = lookups[0][r] + lookups[1][r] + … in that order, for r < out.rows. Every table has out.columns columns.
/// The ids must have passed check_ids.
void gather_sum(std::span<const Lookup> lookups, Rows out);

/// gather_sum, then layer_norm of each row in place (libmod/compute/rows.h).
void gather_layer_norm(std::span<const Lookup> lookups, const float* gamma, const float* beta, float eps, Rows out);

}  // namespace modnet
