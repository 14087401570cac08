#include "libmod/compute/op.h"

#include <algorithm>
#include <cstring>

#include "libmod/compute/ops/ops.h"
#include "libmod/graph/graph.h"

namespace modnet {

int64_t ValueType::width() const {
  int64_t n = 1;
  for (const int64_t size : item) n *= size;
  return n;
}

int64_t ValueType::row_bytes() const { return width() * dtype_size(dtype); }

void for_rows(const ComputeContext& context, int64_t rows, int64_t row_bytes, const std::function<void(int64_t, int64_t)>& body) {
  if (rows == 0) return;
  const int64_t piece = std::max<int64_t>(1, (int64_t{64} << 10) / std::max<int64_t>(1, row_bytes));
  if (context.pool == nullptr || context.pool->width() == 1 || rows <= piece) return body(0, rows);
  const int64_t tasks = (rows + piece - 1) / piece;
  context.pool->parallel_for(tasks, [&](int64_t task, int) { body(task * piece, std::min(rows, (task + 1) * piece)); });
}

Result<std::vector<float>> tensor_to_f32(const ConstTensor& tensor) {
  const int64_t size = dtype_size(tensor.dtype);
  if (size == 0) return malformed("tensor has a dtype that this build cannot compute with", tensor.name);
  const size_t n = tensor.bytes.size() / static_cast<size_t>(size);
  std::vector<float> out(n);
  switch (tensor.dtype) {
    case DType::kF32:
      if (n > 0) std::memcpy(out.data(), tensor.bytes.data(), n * sizeof(float));
      return out;
    case DType::kF16:
    case DType::kBF16:
      for (size_t i = 0; i < n; ++i) {
        uint16_t bits = 0;
        std::memcpy(&bits, tensor.bytes.data() + i * sizeof bits, sizeof bits);
        out[i] = tensor.dtype == DType::kF16 ? f16_to_f32(bits) : bf16_to_f32(bits);
      }
      return out;
    case DType::kF64:
      for (size_t i = 0; i < n; ++i) {
        double value = 0;
        std::memcpy(&value, tensor.bytes.data() + i * sizeof value, sizeof value);
        out[i] = static_cast<float>(value);
      }
      return out;
    default:
      return malformed("expected floating-point numbers, got " + std::string(dtype_name(tensor.dtype)), tensor.name);
  }
}

Error LowerContext::wrong(std::string what) const {
  return malformed(op_text(node()) + ": " + std::move(what), node().name);
}

Status LowerContext::arity(size_t least, size_t most) const {
  size_t given = inputs();
  while (given > 0 && node().inputs[given - 1].empty()) --given;
  if (given >= least && given <= most && node().outputs.size() == 1) return ok();
  return wrong("expected " + std::to_string(least) + (most == least ? "" : " to " + std::to_string(most)) +
               " inputs and 1 output, got " + std::to_string(given) + " and " + std::to_string(node().outputs.size()));
}

Result<ValueType> LowerContext::f32(size_t input) const {
  MODNET_ASSIGN(ValueType type_of, type(input));
  if (type_of.dtype != DType::kF32) return wrong("expected f32 values, got " + std::string(dtype_name(type_of.dtype)));
  return type_of;
}

Result<std::vector<float>> LowerContext::floats(size_t input, std::vector<int64_t> shape) const {
  MODNET_ASSIGN(const ConstTensor from, tensor(input));
  const auto text = [](const std::vector<int64_t>& dims) {
    std::string out = "[";
    for (const int64_t dim : dims) out += (out.size() > 1 ? "," : "") + (dim < 0 ? "any" : std::to_string(dim));
    return out + "]";
  };
  bool fits = from.shape.size() == shape.size();
  for (size_t i = 0; fits && i < shape.size(); ++i) fits = shape[i] < 0 || shape[i] == from.shape[i];
  if (!fits) return wrong("tensor '" + from.name + "': expected shape " + text(shape) + ", got " + text(from.shape));
  return tensor_to_f32(from);
}

std::span<const OpRow> op_table() {
  static const std::vector<OpRow> kTable = [] {
    std::vector<OpRow> rows;
    for (const auto& part : {arithmetic_ops(), activation_ops(), linear_ops(), linear_int8_ops(), norm_ops(), sequence_ops()})
      rows.insert(rows.end(), part.begin(), part.end());
    std::sort(rows.begin(), rows.end(), [](const OpRow& a, const OpRow& b) {
      return a.domain != b.domain ? a.domain < b.domain : a.name < b.name;
    });
    return rows;
  }();
  return kTable;
}

const OpRow* find_op(std::string_view domain, std::string_view name) {
  for (const OpRow& row : op_table())
    if (row.domain == domain && row.name == name) return &row;
  return nullptr;
}

}  // namespace modnet
