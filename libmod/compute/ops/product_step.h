// What steps share that multiply rows by packed weights: where the rows are, and what a profile is told.
#pragma once

#include <string>

#include "libmod/compute/op.h"

namespace modnet {

/// `Weights` has k() and n(); each row of k numbers becomes one of n.
template <typename Weights>
class ProductStep : public Step {
 public:
  ProductStep(int in, int out, RowKind rows, Weights weights, RowFunction activation)
      : in_(in), out_(out), rows_(rows), weights_(std::move(weights)), activation_(activation) {}
  std::string sizes() const override { return " " + std::to_string(weights_.k()) + "×" + std::to_string(weights_.n()); }
  double operations(const Frame& frame) const override {
    return 2.0 * static_cast<double>(frame.rows(rows_)) * static_cast<double>(weights_.k() * weights_.n());
  }

 protected:
  int in_, out_;
  RowKind rows_;
  Weights weights_;
  RowFunction activation_;
};

/// The length of the one dimension of an input's rows, which a product runs over; kMalformed for rows of another shape.
[[nodiscard]] inline Result<int64_t> product_depth(const LowerContext& context, const ValueType& type) {
  if (type.item.size() != 1) return context.wrong("expected rows of one dimension; flatten first");
  return type.item[0];
}

}  // namespace modnet
