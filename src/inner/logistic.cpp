#include "inner/logistic.hpp"

#include <Eigen/Cholesky>
#include <cmath>
#include <utility>

namespace metasieve {
namespace {

/// Coefficients, their logits and the objective there: the line search leaves to the next step what it found.
struct Point {
  Vector beta, f;
  double value;
};

Point evaluate(const Matrix& x, const Vector& y, const Vector& weights, double total, Vector beta,
               const Vector& ridge) {
  Vector f = x * beta;
  const double value = logistic_loss(f, y).dot(weights) / total + 0.5 * beta.dot(ridge.cwiseProduct(beta));
  return {std::move(beta), std::move(f), value};
}

} // namespace

Vector ridge_diagonal(Index columns, double ridge) {
  Vector diagonal = Vector::Constant(columns, ridge);
  diagonal(columns - 1) = 1e-6;
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

LogisticFit fit_logistic(const Matrix& x, const Vector& y, const Vector& weights, const Vector& start,
                         const Vector& ridge_diag, double tolerance) {
  constexpr int step_limit = 100, halving_limit = 40;
  const double total = weights.sum();
  if (!(total > 0.0)) return {start, FitStatus::diverged, 0};
  Point at = evaluate(x, y, weights, total, start, ridge_diag);
  for (int iteration = 0; iteration < step_limit; ++iteration) {
    const Vector p = sigmoid(at.f.array());
    const Vector residual = weights.cwiseProduct(p - y) / total;
    const Vector gradient = x.transpose() * residual + ridge_diag.cwiseProduct(at.beta);
    const double slope = gradient.cwiseAbs().maxCoeff();
    if (!std::isfinite(slope)) return {start, FitStatus::diverged, iteration};
    if (slope < tolerance) return {at.beta, FitStatus::converged, iteration};

    const Eigen::LLT<Eigen::MatrixXd> factor(logistic_hessian(x, weights, p, ridge_diag));
    if (factor.info() != Eigen::Success) return {start, FitStatus::diverged, iteration};
    const Vector direction = factor.solve(gradient);
    const double decrease = gradient.dot(direction);
    // Armijo, with slack for rounding: near the optimum the full step is right though the value cannot show
    // it.
    const double slack = 1e-14 * (1.0 + std::abs(at.value));
    const auto too_high = [&](const Point& candidate, double step) {
      return !(candidate.value <= at.value - 1e-4 * step * decrease + slack);
    };
    double step = 1.0;
    Point candidate = evaluate(x, y, weights, total, at.beta - direction, ridge_diag);
    for (int halving = 0; halving < halving_limit && too_high(candidate, step); ++halving) {
      step *= 0.5;
      candidate = evaluate(x, y, weights, total, at.beta - step * direction, ridge_diag);
    }
    at = std::move(candidate);
  }
  return {at.beta, FitStatus::step_limit, step_limit};
}

} // namespace metasieve
