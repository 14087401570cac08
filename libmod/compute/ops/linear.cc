// Gemm on rows, alone or fused: several Gemms of one input as one product (query, key and value), an activation at its end.
// Kernel: libmod/compute/matmul.h. Tested by tests/unit/compute/ops_test.cc and plan_test.cc (fused and plain give the same bits).
#include <array>

#include "libmod/compute/elementwise.h"
#include "libmod/compute/matmul.h"
#include "libmod/compute/ops/activation.h"
#include "libmod/compute/ops/ops.h"
#include "libmod/compute/ops/product_step.h"
#include "libmod/graph/graph.h"

namespace modnet {
namespace {

class LinearStep : public ProductStep<PackedMatrix> {
 public:
  LinearStep(int in, int out, RowKind rows, PackedMatrix weights, std::vector<float> bias, RowFunction activation)
      : ProductStep(in, out, rows, std::move(weights), activation), bias_(std::move(bias)) {}
  Status run(const Frame& frame) const override {
    const auto* in = frame.data<float>(in_);
    if (then_ == nullptr) {
      matmul_packed(*frame.context, in, weights_.k(), frame.rows(rows_), weights_, bias(), activation_, frame.data<float>(out_), weights_.n());
    } else {
      const auto& then = static_cast<const LinearStep&>(*then_);
      matmul_packed_twice(*frame.context, in, weights_.k(), frame.rows(rows_), layer(), then.layer(), frame.data<float>(out_), frame.data<float>(then.out_),
                          then.weights_.n());
    }
    return ok();
  }

 private:
  [[nodiscard]] const float* bias() const { return bias_.empty() ? nullptr : bias_.data(); }
  [[nodiscard]] LinearLayer layer() const { return {weights_, bias(), activation_}; }

  std::vector<float> bias_;
};

/// The attributes of Gemm that are left at what a linear layer means; returns transB.
Result<Trans> gemm_form(const LowerContext& context) {
  const Node& node = context.node();
  MODNET_ASSIGN(const double alpha, attribute_real(node, "alpha", 1.0));
  MODNET_ASSIGN(const double beta, attribute_real(node, "beta", 1.0));
  MODNET_ASSIGN(const int64_t trans_a, attribute_int(node, "transA", 0));
  MODNET_ASSIGN(const int64_t trans_b, attribute_int(node, "transB", 0));
  if (alpha != 1.0 || beta != 1.0 || trans_a != 0 || trans_b < 0 || trans_b > 1)
    return context.wrong("only alpha = beta = 1 and transA = 0 are supported");
  return trans_b == 1 ? Trans::kYes : Trans::kNo;
}

/// Inputs: x, then (weights, bias or "") for each part; the parts' outputs stand side by side.
Result<std::unique_ptr<Step>> lower_parts(LowerContext& context, RowFunction activation) {
  MODNET_ASSIGN(const Trans trans, gemm_form(context));
  MODNET_ASSIGN(const ValueType type, context.f32(0));
  MODNET_ASSIGN(const int64_t k, product_depth(context, type));
  std::vector<WeightPart> parts;
  std::vector<std::vector<float>> converted;  // parts that are not f32 where they lie
  std::vector<float> bias;
  int64_t n = 0;
  bool any_bias = false;
  for (size_t i = 1; i < context.inputs(); i += 2) {
    MODNET_ASSIGN(const ConstTensor matrix, context.tensor(i));
    if (matrix.shape.size() != 2) return context.wrong("weights '" + matrix.name + "' are not a matrix");
    const int64_t outputs = matrix.shape[trans == Trans::kYes ? 0 : 1];
    const bool in_place = matrix.dtype == DType::kF32 && matrix.shape[trans == Trans::kYes ? 1 : 0] == k && reinterpret_cast<uintptr_t>(matrix.bytes.data()) % alignof(float) == 0;
    if (!in_place) {
      MODNET_ASSIGN(std::vector<float> values, context.floats(i, trans == Trans::kYes ? std::vector<int64_t>{-1, k} : std::vector<int64_t>{k, -1}));
      converted.push_back(std::move(values));
    }
    parts.push_back({in_place ? reinterpret_cast<const float*>(matrix.bytes.data()) : converted.back().data(), trans == Trans::kYes ? k : outputs, outputs});
    if (context.inputs() > 3 && trans == Trans::kNo) return context.wrong("parts are joined with transB = 1 only");
    if (i > 1 && outputs != n / static_cast<int64_t>((i - 1) / 2)) return context.wrong("query, key and value have different shapes");
    bias.resize(static_cast<size_t>(n + outputs), 0.0f);
    if (context.present(i + 1)) {
      MODNET_ASSIGN(const std::vector<float> values, context.floats(i + 1, {outputs}));
      std::copy(values.begin(), values.end(), bias.begin() + n);
      any_bias = true;
    }
    n += outputs;
  }
  if (!any_bias) bias.clear();
  PackedMatrix packed = PackedMatrix::pack(parts, trans, k, context.pool());
  const int out = context.declare({DType::kF32, {n}, type.rows});
  return std::unique_ptr<Step>(std::make_unique<LinearStep>(context.value(0), out, type.rows, std::move(packed), std::move(bias), activation));
}

Result<std::unique_ptr<Step>> lower_gemm(LowerContext& context) {
  constexpr std::array<std::string_view, 4> kKnown = {"alpha", "beta", "transA", "transB"};
  MODNET_TRY(context.arity(2, 3));
  MODNET_TRY(only_attributes(context.node(), kKnown));
  return lower_parts(context, nullptr);
}

/// fused.Linear: attribute "activation" holds a UnaryOp's number, or -1.
Result<std::unique_ptr<Step>> lower_fused(LowerContext& context) {
  MODNET_ASSIGN(const int64_t activation, attribute_int(context.node(), "activation", -1));
  return lower_parts(context, activation < 0 ? nullptr : row_function(static_cast<UnaryOp>(activation)));
}

}  // namespace

std::span<const OpRow> linear_ops() {
  static const std::vector<OpRow> kRows = {
      {"", "Gemm", 1, "rows times a weight matrix, plus bias", lower_gemm},
      {"fused", "Linear", 1, "Gemm parts of one input with an activation", lower_fused},
  };
  return kRows;
}

}  // namespace modnet
