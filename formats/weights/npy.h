// NumPy's .npy files (versions 1, 2 and 3) → one plain array. The header is a Python literal: it is parsed by a small
// strict parser, never evaluated. Tested by tests/unit/weights/npy_test.cc, tests/fuzz/npy_fuzz.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/base/dtype.h"
#include "formats/base/reader.h"
#include "formats/base/result.h"

namespace modnet {

/// C order, rank ≤ kMaxRank, zero dims allowed, a scalar has no dims.
struct NpyArray {
  DType dtype = DType::kInvalid;
  std::vector<int64_t> shape;
  Bytes data;                        // numbers: views the file, little-endian, not necessarily aligned; empty for strings
  std::vector<std::string> strings;  // dtype kUtf8 ('<U12', '|S12'): the items as UTF-8, padding removed

  /// The product of the dims.
  [[nodiscard]] int64_t count() const;
};

/// Source: numpy.lib.format. `file` must outlive the result. kMalformed: bad magic, header or version, sizes that do not
/// match exactly, strings that are not Unicode. kInvalid (with what to do): Fortran order with two dims or more,
/// big-endian data, Python objects, structured and complex dtypes.
[[nodiscard]] Result<NpyArray> read_npy(Bytes file);

}  // namespace modnet
