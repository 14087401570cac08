// What one operation is to the runtime: a row of op_table() with its checks and its lowering to a step. Checks happen once,
// when a plan is made; a step only computes.
// A new operation: ops/x.cc with its rows, one line in op_table.cc, kernels where they are needed, one unit test.
// Tested by tests/unit/compute/plan_test.cc and ops_test.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/base/result.h"
#include "formats/module/records.h"
#include "libmod/compute/matmul.h"
#include "libmod/compute/rows.h"
#include "libmod/graph/flat.h"

namespace modnet {

/// Does a value have one row an item (embeddings, images), or one row a token of a ragged sequence?
enum class RowKind : uint8_t { kItems, kTokens };

/// What is known of a value when a plan is made: rows are known only when it runs.
struct ValueType {
  DType dtype = DType::kInvalid;
  std::vector<int64_t> item;  // shape of one row; empty = one number
  RowKind rows = RowKind::kItems;
  [[nodiscard]] int64_t width() const;      // numbers in a row
  [[nodiscard]] int64_t row_bytes() const;  // width × size of the dtype
};

/// One run of a plan: where every value lies and how many rows there are.
struct Frame {
  const ComputeContext* context = nullptr;
  int64_t items = 0, tokens = 0;
  std::span<const int64_t> offsets;  // [items + 1] into token rows; empty when there are no tokens
  std::span<std::byte* const> values;

  [[nodiscard]] int64_t rows(RowKind kind) const { return kind == RowKind::kItems ? items : tokens; }
  template <typename T>
  [[nodiscard]] T* data(int value) const { return reinterpret_cast<T*>(values[static_cast<size_t>(value)]); }
};

/// Calls body(begin, end) over [0, rows) in pieces that fit a core's cache, on all threads. Row-wise work only.
void for_rows(const ComputeContext& context, int64_t rows, int64_t row_bytes, const std::function<void(int64_t, int64_t)>& body);

class Step {
 public:
  virtual ~Step() = default;
  /// Fails only on data (a token id that the table does not have).
  [[nodiscard]] virtual Status run(const Frame& frame) const = 0;
  /// Takes over the step after it where the two can be worked a few rows at a time; only `next` reads what this one gives, and nobody afterwards.
  /// False, with `next` as it was, where they cannot.
  [[nodiscard]] virtual bool take(std::unique_ptr<Step>&) { return false; }
  /// For a profile: the sizes that set the step's time, as they follow its name (" 384×1536"), and the multiplications and additions of its products.
  [[nodiscard]] virtual std::string sizes() const { return {}; }
  [[nodiscard]] virtual double operations(const Frame&) const { return 0; }
};

/// What a lowering sees of its node and what it declares.
class LowerContext {
 public:
  virtual ~LowerContext() = default;
  [[nodiscard]] virtual const Node& node() const = 0;
  [[nodiscard]] size_t inputs() const { return node().inputs.size(); }
  [[nodiscard]] bool present(size_t input) const { return input < inputs() && !node().inputs[input].empty(); }
  [[nodiscard]] virtual bool is_tensor(size_t input) const = 0;
  /// Type of a value input; kMalformed when it is a tensor or absent.
  [[nodiscard]] virtual Result<ValueType> type(size_t input) const = 0;
  /// A tensor input; kMalformed when it is a value.
  [[nodiscard]] virtual Result<ConstTensor> tensor(size_t input) const = 0;
  /// The number by which steps find an input's data.
  [[nodiscard]] virtual int value(size_t input) const = 0;
  /// Declares the (only) output and returns its number.
  [[nodiscard]] virtual int declare(ValueType type) = 0;
  /// Declares the output to be an input's data under another shape: no step is needed.
  virtual void alias(size_t input, ValueType type) = 0;

  /// For work that a lowering does once; may be null.
  [[nodiscard]] virtual ThreadPool* pool() const = 0;

  // Conveniences on top.
  /// A tensor input as f32 (f16, bf16 and f64 are converted), with exactly this shape; -1 in `shape` takes any size.
  [[nodiscard]] Result<std::vector<float>> floats(size_t input, std::vector<int64_t> shape) const;
  /// Type of input i, which must be f32.
  [[nodiscard]] Result<ValueType> f32(size_t input) const;
  [[nodiscard]] Error wrong(std::string what) const;  // kMalformed that names the operation and the node
  [[nodiscard]] Status arity(size_t least, size_t most) const;
};

/// The step that runs a node; null when the output is an alias.
using Lowering = Result<std::unique_ptr<Step>> (*)(LowerContext&);

struct OpRow {
  std::string_view domain, name;
  uint32_t version = 1;  // the newest that this build knows; it runs all from 1 on
  std::string_view summary;
  Lowering lower = nullptr;
};

/// Every operation this build can run, sorted by domain and name. The domain "fused" is made by plans only.
[[nodiscard]] std::span<const OpRow> op_table();
/// Null when this build cannot run it.
[[nodiscard]] const OpRow* find_op(std::string_view domain, std::string_view name);

/// Numbers of any float dtype as f32.
[[nodiscard]] Result<std::vector<float>> tensor_to_f32(const ConstTensor& tensor);

}  // namespace modnet
