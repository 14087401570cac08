// A fixed approximation of the inverse Hessian of a softmax regression, to precondition its solver with.
//
// The Hessian is Σᵢ (diag(pᵢ) − pᵢpᵢᵀ) ⊗ zᵢzᵢᵀ / n + penalty I. Replacing the mean of the products by the product of
// the means gives M ⊗ G + penalty I with M [classes, classes] and G [columns, columns]. In the eigenvectors of M it
// falls apart into one system (λ G + penalty I) a class. (The same idea as K-FAC, Martens and Grosse 2015.) Tested by
// tests/unit/train/kronecker_test.cc.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "formats/base/result.h"
#include "libmod/compute/matmul.h"

namespace modnet {

class KroneckerInverse {
 public:
  /// covariance: M [classes, classes], symmetric, positive semi-definite. gram: G = zᵀz/n [columns, columns]; only
  /// read. penalty > 0.
  /// More than 64 classes: only M's diagonal is used. penalty/λ is rounded to a power of 2 (4 beyond 1,024 columns), so
  /// that classes share factorisations: measured on embeddings, it costs no iteration.
  [[nodiscard]] static Result<KroneckerInverse> make(const ComputeContext& context, std::vector<double> covariance,
                                                     int64_t classes, const std::vector<double>& gram, int64_t columns,
                                                     double penalty);

  /// v ← approximate inverse · v, in place; v: [classes, columns], then the bias [classes]. The bias block is M⁺
  /// (pseudo-inverse).
  void apply(const ComputeContext& context, std::span<double> v) const;

 private:
  struct Group {
    std::vector<int64_t> members;  // which λ
    std::vector<double> factor;    // Cholesky of G + (penalty/λ) I
  };
  int64_t classes_ = 0;
  int64_t columns_ = 0;
  double penalty_ = 0;
  std::vector<double> lambda_;    // [classes]; 0 for a direction without curvature
  std::vector<double> rotation_;  // [classes, classes], eigenvectors as columns; empty: identity
  std::vector<Group> groups_;
};

/// Eigenvalues and eigenvectors (as columns) of a symmetric matrix [n, n] by cyclic Jacobi rotations (Golub and Van
/// Loan, section 8.5): a is overwritten by a nearly diagonal matrix, vectors: [n, n].
void jacobi_eigen(int64_t n, std::vector<double>& a, std::vector<double>& vectors);

}  // namespace modnet
