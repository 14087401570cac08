// The row kernels as obvious loops with the same 16 virtual lanes: what every instruction set must equal bit for bit.
// Tested by tests/unit/compute/rows_test.cc.
#pragma once

#include <cstdint>
#include <span>

#include "formats/module/records.h"
#include "libmod/compute/rows.h"

namespace modnet::reference {

/// Contracts as in libmod/compute/rows.h and pool.h.
void softmax(ConstRows x, Rows out);
void softmax(RowsOf<const double> x, RowsOf<double> out);
void log_softmax(ConstRows x, Rows out);
void log_softmax(RowsOf<const double> x, RowsOf<double> out);
void layer_norm(ConstRows x, const float* gamma, const float* beta, float eps, Rows out);
void rms_norm(ConstRows x, const float* gamma, float eps, Rows out);
void l2_normalize(ConstRows x, float eps, Rows out);
[[nodiscard]] float sum(const float* x, int64_t n);
[[nodiscard]] double sum(const double* x, int64_t n);
[[nodiscard]] float dot(const float* a, const float* b, int64_t n);
[[nodiscard]] double dot(const double* a, const double* b, int64_t n);
void pool_rows(Pooling pooling, ConstRows x, std::span<const int64_t> offsets, const uint8_t* mask, Rows out);

}  // namespace modnet::reference
