// Functions of one number, element by element. Kernels: libmod/compute/elementwise.h.
// Tested by tests/unit/compute/ops_test.cc.
#include <array>

#include "libmod/compute/elementwise.h"
#include "libmod/compute/ops/activation.h"
#include "libmod/compute/ops/ops.h"
#include "libmod/graph/graph.h"

namespace modnet {
namespace {

class UnaryStep : public Step {
 public:
  UnaryStep(UnaryOp op, int in, int out, const ValueType& type) : op_(op), in_(in), out_(out), width_(type.width()), rows_(type.rows) {}
  Status run(const Frame& frame) const override {
    const float* x = frame.data<float>(in_);
    float* y = frame.data<float>(out_);
    for_rows(*frame.context, frame.rows(rows_), width_ * 4, [&](int64_t begin, int64_t end) {
      unary(op_, x + begin * width_, y + begin * width_, (end - begin) * width_);
    });
    return ok();
  }

 private:
  UnaryOp op_;
  int in_, out_;
  int64_t width_;
  RowKind rows_;
};

Result<std::unique_ptr<Step>> lower_unary(LowerContext& context) {
  MODNET_TRY(context.arity(1, 1));
  MODNET_ASSIGN(const ValueType type, context.f32(0));
  MODNET_ASSIGN(const std::optional<UnaryOp> op, activation_of(context.node()));
  if (!op) return context.wrong("is not an activation");
  const int out = context.declare(type);
  return std::unique_ptr<Step>(std::make_unique<UnaryStep>(*op, context.value(0), out, type));
}

struct Named {
  std::string_view domain, name;
  UnaryOp op;
};
constexpr Named kNamed[] = {
    {"", "Abs", UnaryOp::kAbs},         {"", "Cos", UnaryOp::kCos},   {"", "Erf", UnaryOp::kErf},
    {"", "Exp", UnaryOp::kExp},         {"", "Log", UnaryOp::kLog},   {"", "Neg", UnaryOp::kNeg},
    {"", "Relu", UnaryOp::kRelu},       {"", "Sigmoid", UnaryOp::kSigmoid}, {"", "Sin", UnaryOp::kSin},
    {"", "Sqrt", UnaryOp::kSqrt},       {"", "Tanh", UnaryOp::kTanh}, {"modnet", "Silu", UnaryOp::kSilu},
};

}  // namespace

Result<std::optional<UnaryOp>> activation_of(const Node& node) {
  if (node.domain.empty() && node.op == "Gelu") {
    constexpr std::array<std::string_view, 1> kKnown = {"approximate"};
    MODNET_TRY(only_attributes(node, kKnown));
    const Result<std::string> form = attribute_text(node, "approximate", "none");
    if (!form.ok()) return form.error();
    if (*form == "none") return std::optional<UnaryOp>(UnaryOp::kGelu);
    if (*form == "tanh") return std::optional<UnaryOp>(UnaryOp::kGeluTanh);
    return malformed("Gelu: attribute 'approximate': expected none or tanh, got '" + *form + "'", node.name);
  }
  for (const Named& row : kNamed)
    if (row.domain == node.domain && row.name == node.op) {
      MODNET_TRY(only_attributes(node, {}));
      return std::optional<UnaryOp>(row.op);
    }
  return std::optional<UnaryOp>();
}

std::span<const OpRow> activation_ops() {
  static const std::vector<OpRow> kRows = [] {
    std::vector<OpRow> rows = {{"", "Gelu", 1, "Gaussian error linear unit, exact or tanh form", lower_unary}};
    for (const Named& row : kNamed) rows.push_back({row.domain, row.name, 1, "element by element", lower_unary});
    return rows;
  }();
  return kRows;
}

}  // namespace modnet
