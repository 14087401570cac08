// modnet.LinearU8S8: a linear layer with 8-bit weights, alone or fused as Gemm is: several layers of one input as one product (whose
// rows are turned into whole numbers once), an activation at its end. Arithmetic: libmod/compute/int8.h.
// Tested by tests/unit/compute/linear_int8_test.cc (fused and plain give the same bits).
#include <cmath>

#include "libmod/compute/elementwise.h"
#include "libmod/compute/int8.h"
#include "libmod/compute/ops/ops.h"
#include "libmod/compute/ops/product_step.h"
#include "libmod/graph/graph.h"

namespace modnet {
namespace {

class LinearInt8Step : public ProductStep<PackedInt8> {
 public:
  LinearInt8Step(int in, int out, RowKind rows, PackedInt8 weights, std::vector<float> factors, RowFunction activation)
      : ProductStep(in, out, rows, std::move(weights), activation), factors_(std::move(factors)) {}
  Status run(const Frame& frame) const override {
    const auto* in = frame.data<float>(in_);
    if (then_ == nullptr) {
      linear_int8(*frame.context, in, weights_.k(), frame.rows(rows_), layer(), frame.data<float>(out_), weights_.n());
    } else {
      const auto& then = static_cast<const LinearInt8Step&>(*then_);
      linear_int8_twice(*frame.context, in, weights_.k(), frame.rows(rows_), layer(), then.layer(), frame.data<float>(out_), frame.data<float>(then.out_),
                        then.weights_.n());
    }
    return ok();
  }

 private:
  [[nodiscard]] Int8Layer layer() const { return {weights_, factors_.empty() ? nullptr : factors_.data(), activation_}; }

  std::vector<float> factors_;
};

/// A tensor of finite numbers [n].
Result<std::vector<float>> finite_floats(const LowerContext& context, size_t input, int64_t n, std::string_view what) {
  MODNET_ASSIGN(std::vector<float> values, context.floats(input, {n}));
  for (const float value : values)
    if (!std::isfinite(value)) return context.wrong(std::string(what) + " hold a number that is not finite");
  return values;
}

/// Where a node's inputs stand. Layers follow one another as (weights, scales, bias or "").
struct Places {
  size_t factors = 0, first = 0, layers = 1;
};

Result<std::unique_ptr<Step>> lower_layers(LowerContext& context, const Places& places, RowFunction activation) {
  MODNET_ASSIGN(const ValueType type, context.f32(0));
  MODNET_ASSIGN(const int64_t k, product_depth(context, type));
  if (k > kInt8MostDepth) return context.wrong("rows of " + std::to_string(k) + " numbers; sums of 8-bit products are exact up to " + std::to_string(kInt8MostDepth));
  std::vector<int8_t> joined;  // several layers, one behind the other
  const int8_t* weights = nullptr;
  std::vector<float> scales, bias, factors;
  if (context.present(places.factors)) {
    MODNET_ASSIGN(factors, finite_floats(context, places.factors, k, "factors"));
  }
  for (size_t layer = 0; layer < places.layers; ++layer) {
    const size_t at = places.first + 3 * layer;
    MODNET_ASSIGN(const ConstTensor matrix, context.tensor(at));
    if (matrix.dtype != DType::kI8 || matrix.shape.size() != 2 || matrix.shape[1] != k)
      return context.wrong("weights '" + matrix.name + "': expected i8 of shape [any," + std::to_string(k) + "]");
    const int64_t n = matrix.shape[0];
    if (layer > 0 && n * static_cast<int64_t>(layer) != static_cast<int64_t>(scales.size())) return context.wrong("query, key and value have different shapes");
    weights = reinterpret_cast<const int8_t*>(matrix.bytes.data());
    if (places.layers > 1) joined.insert(joined.end(), weights, weights + matrix.bytes.size());
    MODNET_ASSIGN(const std::vector<float> channel, finite_floats(context, at + 1, n, "scales"));
    scales.insert(scales.end(), channel.begin(), channel.end());
    std::vector<float> add(static_cast<size_t>(n), 0.0F);
    if (context.present(at + 2)) {
      MODNET_ASSIGN(add, context.floats(at + 2, {n}));
    }
    bias.insert(bias.end(), add.begin(), add.end());
  }
  const auto n = static_cast<int64_t>(scales.size());
  PackedInt8 packed = PackedInt8::pack(places.layers > 1 ? joined.data() : weights, scales.data(), bias.data(), k, n, context.pool());
  const int out = context.declare({DType::kF32, {n}, type.rows});
  return std::unique_ptr<Step>(std::make_unique<LinearInt8Step>(context.value(0), out, type.rows, std::move(packed), std::move(factors), activation));
}

/// Inputs: x, weights, scales, bias or "", factors or "".
Result<std::unique_ptr<Step>> lower_linear_int8(LowerContext& context) {
  MODNET_TRY(context.arity(3, 5));
  MODNET_TRY(only_attributes(context.node(), {}));
  return lower_layers(context, {4, 1, 1}, nullptr);
}

/// Inputs: x, factors or "", then the layers. Attribute "activation" holds a UnaryOp's number, or -1.
Result<std::unique_ptr<Step>> lower_fused_int8(LowerContext& context) {
  MODNET_ASSIGN(const int64_t activation, attribute_int(context.node(), "activation", -1));
  return lower_layers(context, {1, 2, (context.inputs() - 2) / 3}, activation < 0 ? nullptr : row_function(static_cast<UnaryOp>(activation)));
}

}  // namespace

std::span<const OpRow> linear_int8_ops() {
  static const std::vector<OpRow> kRows = {
      {"modnet", "LinearU8S8", 1, "rows, in 8 bits as they come, times 8-bit weights with a scale a channel", lower_linear_int8},
      {"fused", "LinearU8S8", 1, "LinearU8S8 layers of one input with an activation", lower_fused_int8},
  };
  return kRows;
}

}  // namespace modnet
