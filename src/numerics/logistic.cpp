#include "numerics/logistic.hpp"

#include <algorithm>

namespace metasieve {

void set_ridge_diagonal(Eigen::Ref<Vector> diagonal, double ridge) {
  diagonal.setConstant(ridge);
  diagonal(diagonal.size() - 1) = 1e-6;
}

Vector ridge_diagonal(Index columns, double ridge) {
  Vector diagonal(columns);
  set_ridge_diagonal(diagonal, ridge);
  return diagonal;
}

Vector logistic_loss(const Vector& f, const Vector& y) {
  const Eigen::ArrayXd margin = (2.0 * y.array() - 1.0) * f.array();
  return (1.0 + (-margin.abs()).exp()).log() + (-margin).max(0.0);
}

Eigen::MatrixXd logistic_hessian(const Matrix& x, const Vector& weights, const Vector& p,
                                 const Vector& ridge_diag) {
  const Vector curvature = (weights.array() * p.array() * (1.0 - p.array()) / weights.sum()).sqrt();
  const Matrix scaled = curvature.asDiagonal() * x;
  Eigen::MatrixXd hessian = scaled.transpose() * scaled;
  hessian.diagonal() += ridge_diag;
  return hessian;
}

} // namespace metasieve
