// What steps share that multiply rows by packed weights: where the rows are, and what a profile is told.
#pragma once

#include <memory>
#include <string>

#include "libmod/compute/op.h"

namespace modnet {

/// `Weights` has k() and n(); each row of k numbers becomes one of n, and one of another n where it took over such a step.
template <typename Weights>
class ProductStep : public Step {
 public:
  ProductStep(int in, int out, RowKind rows, Weights weights, RowFunction activation)
      : in_(in), out_(out), rows_(rows), weights_(std::move(weights)), activation_(activation) {}
  bool take(std::unique_ptr<Step>& next) override {
    auto* product = dynamic_cast<ProductStep*>(next.get());
    if (product == nullptr || then_ != nullptr || product->in_ != out_) return false;
    (void)next.release();
    then_.reset(product);
    return true;
  }
  std::string sizes() const override {
    return " " + std::to_string(weights_.k()) + "×" + std::to_string(weights_.n()) + (then_ == nullptr ? "" : "×" + std::to_string(then_->weights_.n()));
  }
  double operations(const Frame& frame) const override {
    const double own = 2.0 * static_cast<double>(frame.rows(rows_)) * static_cast<double>(weights_.k() * weights_.n());
    return own + (then_ == nullptr ? 0.0 : then_->operations(frame));
  }

 protected:
  int in_, out_;
  RowKind rows_;
  Weights weights_;
  RowFunction activation_;
  std::unique_ptr<ProductStep> then_;  // reads out_, which is room for what lies between then
};

/// The length of the one dimension of an input's rows, which a product runs over; kMalformed for rows of another shape.
[[nodiscard]] inline Result<int64_t> product_depth(const LowerContext& context, const ValueType& type) {
  if (type.item.size() != 1) return context.wrong("expected rows of one dimension; flatten first");
  return type.item[0];
}

}  // namespace modnet
