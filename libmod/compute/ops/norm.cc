// Normalisations over the last dimension. Kernels: libmod/compute/rows.h.
// Tested by tests/unit/compute/ops_test.cc.
#include <array>

#include "libmod/compute/ops/ops.h"
#include "libmod/compute/rows.h"
#include "libmod/graph/graph.h"

namespace modnet {
namespace {

/// Rows of the last dimension: an item [a, b, n] has a·b of them.
struct LastDim {
  int64_t width = 0, groups = 1;
  RowKind rows = RowKind::kItems;
  explicit LastDim(const ValueType& type) : width(type.item.empty() ? 1 : type.item.back()), rows(type.rows) {
    groups = width == 0 ? 0 : type.width() / width;
  }
  template <typename T>
  [[nodiscard]] RowsOf<T> part(T* data, int64_t begin, int64_t end) const {
    return {data + begin * groups * width, (end - begin) * groups, width, width};
  }
};

Status last_axis(const LowerContext& context, const ValueType& type) {
  MODNET_ASSIGN(const int64_t axis, attribute_int(context.node(), "axis", -1));
  const auto rank = static_cast<int64_t>(type.item.size()) + (type.rows == RowKind::kTokens ? 2 : 1);
  if (axis == -1 || axis == rank - 1) return ok();
  return context.wrong("attribute 'axis': expected -1 (the last), got " + std::to_string(axis));
}

class LayerNormStep : public Step {
 public:
  LayerNormStep(int in, int residual, int out, const ValueType& type, std::vector<float> gamma, std::vector<float> beta, float epsilon)
      : in_(in), residual_(residual), out_(out), dim_(type), gamma_(std::move(gamma)), beta_(std::move(beta)), epsilon_(epsilon) {}
  Status run(const Frame& frame) const override {
    const float* beta = beta_.empty() ? nullptr : beta_.data();
    for_rows(*frame.context, frame.rows(dim_.rows), dim_.width * dim_.groups * 4, [&](int64_t begin, int64_t end) {
      const Rows out = dim_.part(frame.data<float>(out_), begin, end);
      const ConstRows x = dim_.part<const float>(frame.data<float>(in_), begin, end);
      if (residual_ < 0) return layer_norm(x, gamma_.data(), beta, epsilon_, out);
      add_layer_norm(x, dim_.part<const float>(frame.data<float>(residual_), begin, end), gamma_.data(), beta, epsilon_, out);
    });
    return ok();
  }

 private:
  int in_, residual_, out_;  // residual -1: none
  LastDim dim_;
  std::vector<float> gamma_, beta_;
  float epsilon_;
};

/// Inputs of LayerNormalization: x, scale, bias. Of fused.AddLayerNorm: x, residual, scale, bias.
Result<std::unique_ptr<Step>> lower_layer_norm_at(LowerContext& context, size_t scale) {
  constexpr std::array<std::string_view, 2> kKnown = {"axis", "epsilon"};
  MODNET_TRY(context.arity(scale + 1, scale + 2));
  MODNET_TRY(only_attributes(context.node(), kKnown));
  MODNET_ASSIGN(const ValueType type, context.f32(0));
  MODNET_TRY(last_axis(context, type));
  if (type.item.empty() || type.item.back() == 0) return context.wrong("has nothing to normalise over");
  MODNET_ASSIGN(const double epsilon, attribute_real(context.node(), "epsilon", 1e-5));
  MODNET_ASSIGN(std::vector<float> gamma, context.floats(scale, {type.item.back()}));
  std::vector<float> beta;
  if (context.present(scale + 1)) {
    MODNET_ASSIGN(beta, context.floats(scale + 1, {type.item.back()}));
  }
  const int residual = scale == 2 ? context.value(1) : -1;
  const int out = context.declare(type);
  return std::unique_ptr<Step>(std::make_unique<LayerNormStep>(context.value(0), residual, out, type, std::move(gamma), std::move(beta), static_cast<float>(epsilon)));
}
Result<std::unique_ptr<Step>> lower_layer_norm(LowerContext& context) { return lower_layer_norm_at(context, 1); }
Result<std::unique_ptr<Step>> lower_add_layer_norm(LowerContext& context) {
  MODNET_ASSIGN(const ValueType x, context.f32(0));
  MODNET_ASSIGN(const ValueType residual, context.f32(1));
  if (x.item != residual.item || x.rows != residual.rows) return context.wrong("the operands have different shapes");
  return lower_layer_norm_at(context, 2);
}

using RowsKernel = void (*)(ConstRows, Rows);
class RowsStep : public Step {
 public:
  RowsStep(RowsKernel kernel, int in, int out, const ValueType& type) : kernel_(kernel), in_(in), out_(out), dim_(type) {}
  Status run(const Frame& frame) const override {
    for_rows(*frame.context, frame.rows(dim_.rows), dim_.width * dim_.groups * 4, [&](int64_t begin, int64_t end) {
      kernel_(dim_.part<const float>(frame.data<float>(in_), begin, end), dim_.part(frame.data<float>(out_), begin, end));
    });
    return ok();
  }

 private:
  RowsKernel kernel_;
  int in_, out_;
  LastDim dim_;
};

template <RowsKernel kKernel>
Result<std::unique_ptr<Step>> lower_rows(LowerContext& context) {
  constexpr std::array<std::string_view, 1> kKnown = {"axis"};
  MODNET_TRY(context.arity(1, 1));
  MODNET_TRY(only_attributes(context.node(), kKnown));
  MODNET_ASSIGN(const ValueType type, context.f32(0));
  MODNET_TRY(last_axis(context, type));
  const int out = context.declare(type);
  return std::unique_ptr<Step>(std::make_unique<RowsStep>(kKernel, context.value(0), out, type));
}

void l2_default(ConstRows x, Rows out) { l2_normalize(x, kL2Epsilon, out); }
void softmax_rows(ConstRows x, Rows out) { softmax(x, out); }
void log_softmax_rows(ConstRows x, Rows out) { log_softmax(x, out); }

}  // namespace

std::span<const OpRow> norm_ops() {
  static const std::vector<OpRow> kRows = {
      {"", "LayerNormalization", 1, "over the last dimension", lower_layer_norm},
      {"", "Softmax", 1, "over the last dimension", lower_rows<softmax_rows>},
      {"", "LogSoftmax", 1, "over the last dimension", lower_rows<log_softmax_rows>},
      {"modnet", "L2Normalize", 1, "x / max(|x|, 1e-12) over the last dimension", lower_rows<l2_default>},
      {"fused", "AddLayerNorm", 1, "Add, then LayerNormalization", lower_add_layer_norm},
  };
  return kRows;
}

}  // namespace modnet
