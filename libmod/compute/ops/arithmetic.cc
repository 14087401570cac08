// Add, Sub, Mul, Div with ONNX broadcasting against one row or one number; Cast; Flatten; Identity.
// Tested by tests/unit/compute/ops_test.cc.
#include <array>
#include <cstring>

#include "libmod/compute/elementwise.h"
#include "libmod/compute/ops/ops.h"
#include "libmod/graph/graph.h"

namespace modnet {
namespace {

class BinaryStep : public Step {
 public:
  BinaryStep(BinaryOp op, int a, int b, int out, const ValueType& type) : op_(op), a_(a), b_(b), out_(out), width_(type.width()), rows_(type.rows) {}
  Status run(const Frame& frame) const override {
    const float *a = frame.data<float>(a_), *b = frame.data<float>(b_);
    float* y = frame.data<float>(out_);
    for_rows(*frame.context, frame.rows(rows_), width_ * 4, [&](int64_t begin, int64_t end) {
      binary(op_, a + begin * width_, b + begin * width_, y + begin * width_, (end - begin) * width_);
    });
    return ok();
  }

 private:
  BinaryOp op_;
  int a_, b_, out_;
  int64_t width_;
  RowKind rows_;
};

/// The other operand is a tensor of one number or of one row.
class BinaryConstStep : public Step {
 public:
  BinaryConstStep(BinaryOp op, int in, int out, const ValueType& type, std::vector<float> other)
      : op_(op), in_(in), out_(out), width_(type.width()), rows_(type.rows), other_(std::move(other)) {}
  Status run(const Frame& frame) const override {
    const float* x = frame.data<float>(in_);
    float* y = frame.data<float>(out_);
    const bool scalar = other_.size() == 1;
    for_rows(*frame.context, frame.rows(rows_), width_ * 4, [&](int64_t begin, int64_t end) {
      const int64_t at = begin * width_;
      if (scalar) binary_scalar(op_, x + at, other_[0], y + at, (end - begin) * width_);
      else binary_row(op_, x + at, width_, other_.data(), y + at, width_, end - begin, width_);
    });
    return ok();
  }

 private:
  BinaryOp op_;
  int in_, out_;
  int64_t width_;
  RowKind rows_;
  std::vector<float> other_;
};

template <BinaryOp kOp>
Result<std::unique_ptr<Step>> lower_binary(LowerContext& context) {
  MODNET_TRY(context.arity(2, 2));
  MODNET_TRY(only_attributes(context.node(), {}));
  if (context.is_tensor(0)) return context.wrong("the first operand is a tensor; expected a value");
  MODNET_ASSIGN(const ValueType type, context.f32(0));
  if (!context.is_tensor(1)) {
    MODNET_ASSIGN(const ValueType other, context.f32(1));
    if (other.item != type.item || other.rows != type.rows) return context.wrong("the operands have different shapes");
    const int out = context.declare(type);
    return std::unique_ptr<Step>(std::make_unique<BinaryStep>(kOp, context.value(0), context.value(1), out, type));
  }
  MODNET_ASSIGN(const ConstTensor tensor, context.tensor(1));
  MODNET_ASSIGN(std::vector<float> other, tensor_to_f32(tensor));
  std::vector<int64_t> shape = tensor.shape;
  if (shape.size() == type.item.size() + 1 && shape[0] == 1) shape.erase(shape.begin());
  const bool row = shape == type.item;
  if (other.size() != 1 && !row) return context.wrong("tensor '" + tensor.name + "' is neither one number nor one row of " + std::to_string(type.width()));
  const int out = context.declare(type);
  return std::unique_ptr<Step>(std::make_unique<BinaryConstStep>(kOp, context.value(0), out, type, std::move(other)));
}

/// ONNX TensorProto.DataType numbers that Cast can read and make here.
constexpr int64_t kOnnxFloat = 1;

template <typename T>
class CastStep : public Step {
 public:
  CastStep(int in, int out, const ValueType& type) : in_(in), out_(out), width_(type.width()), rows_(type.rows) {}
  Status run(const Frame& frame) const override {
    const T* x = frame.data<T>(in_);
    float* y = frame.data<float>(out_);
    for_rows(*frame.context, frame.rows(rows_), width_ * 4, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin * width_; i < end * width_; ++i) y[i] = static_cast<float>(x[i]);
    });
    return ok();
  }

 private:
  int in_, out_;
  int64_t width_;
  RowKind rows_;
};

Result<std::unique_ptr<Step>> lower_cast(LowerContext& context) {
  constexpr std::array<std::string_view, 1> kKnown = {"to"};
  MODNET_TRY(context.arity(1, 1));
  MODNET_TRY(only_attributes(context.node(), kKnown));
  MODNET_ASSIGN(const int64_t to, attribute_int(context.node(), "to", 0));
  if (to != kOnnxFloat) return context.wrong("attribute 'to': expected 1 (f32), got " + std::to_string(to));
  MODNET_ASSIGN(const ValueType from, context.type(0));
  ValueType type = from;
  type.dtype = DType::kF32;
  if (from.dtype == DType::kF32) {
    context.alias(0, type);
    return std::unique_ptr<Step>();
  }
  const int in = context.value(0), out = context.declare(type);
  switch (from.dtype) {
    case DType::kU8: return std::unique_ptr<Step>(std::make_unique<CastStep<uint8_t>>(in, out, type));
    case DType::kI32: return std::unique_ptr<Step>(std::make_unique<CastStep<int32_t>>(in, out, type));
    case DType::kI64: return std::unique_ptr<Step>(std::make_unique<CastStep<int64_t>>(in, out, type));
    case DType::kF64: return std::unique_ptr<Step>(std::make_unique<CastStep<double>>(in, out, type));
    default: return context.wrong("cannot cast from " + std::string(dtype_name(from.dtype)));
  }
}

Result<std::unique_ptr<Step>> lower_flatten(LowerContext& context) {
  constexpr std::array<std::string_view, 1> kKnown = {"axis"};
  MODNET_TRY(context.arity(1, 1));
  MODNET_TRY(only_attributes(context.node(), kKnown));
  MODNET_ASSIGN(const int64_t axis, attribute_int(context.node(), "axis", 1));
  if (axis != 1) return context.wrong("attribute 'axis': expected 1, got " + std::to_string(axis));
  MODNET_ASSIGN(ValueType type, context.type(0));
  if (type.rows != RowKind::kItems) return context.wrong("a ragged sequence cannot be flattened; pool it first");
  type.item = {type.width()};
  context.alias(0, type);
  return std::unique_ptr<Step>();
}

Result<std::unique_ptr<Step>> lower_identity(LowerContext& context) {
  MODNET_TRY(context.arity(1, 1));
  MODNET_TRY(only_attributes(context.node(), {}));
  MODNET_ASSIGN(const ValueType type, context.type(0));
  context.alias(0, type);
  return std::unique_ptr<Step>();
}

}  // namespace

std::span<const OpRow> arithmetic_ops() {
  static const std::vector<OpRow> kRows = {
      {"", "Add", 1, "sum of two values, or with a tensor of one number or one row", lower_binary<BinaryOp::kAdd>},
      {"", "Sub", 1, "difference", lower_binary<BinaryOp::kSub>},
      {"", "Mul", 1, "product", lower_binary<BinaryOp::kMul>},
      {"", "Div", 1, "quotient", lower_binary<BinaryOp::kDiv>},
      {"", "Cast", 1, "to f32", lower_cast},
      {"", "Flatten", 1, "one row an item", lower_flatten},
      {"", "Identity", 1, "the value itself", lower_identity},
  };
  return kRows;
}

}  // namespace modnet
