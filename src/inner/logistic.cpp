#include "inner/logistic.hpp"

#include <cmath>

namespace metasieve {
namespace {

double objective(const Matrix& x, const Vector& y, const Vector& weights, const Vector& beta,
                 const Vector& ridge) {
  const Vector f = x * beta;
  return logistic_loss(f, y).dot(weights) / weights.sum() + 0.5 * beta.dot(ridge.cwiseProduct(beta));
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
  LogisticFit fit{start, FitStatus::step_limit, 0};
  const double total = weights.sum();
  if (!(total > 0.0)) return {start, FitStatus::diverged, 0};
  double value = objective(x, y, weights, fit.beta, ridge_diag);
  for (; fit.iterations < step_limit; ++fit.iterations) {
    const Vector p = sigmoid((x * fit.beta).array());
    const Vector residual = weights.cwiseProduct(p - y) / total;
    const Vector gradient = x.transpose() * residual + ridge_diag.cwiseProduct(fit.beta);
    const double slope = gradient.cwiseAbs().maxCoeff();
    if (!std::isfinite(slope)) return {start, FitStatus::diverged, fit.iterations};
    if (slope < tolerance) return {fit.beta, FitStatus::converged, fit.iterations};

    const Eigen::LLT<Eigen::MatrixXd> factor(logistic_hessian(x, weights, p, ridge_diag));
    if (factor.info() != Eigen::Success) return {start, FitStatus::diverged, fit.iterations};
    const Vector direction = factor.solve(gradient);
    const double decrease = gradient.dot(direction);
    // Armijo, with slack for rounding: near the optimum the full step is right though the value cannot show
    // it.
    const double slack = 1e-14 * (1.0 + std::abs(value));
    double step = 1.0;
    for (int halving = 0; halving < halving_limit; ++halving, step *= 0.5) {
      const Vector candidate = fit.beta - step * direction;
      const double candidate_value = objective(x, y, weights, candidate, ridge_diag);
      if (candidate_value <= value - 1e-4 * step * decrease + slack) {
        fit.beta = candidate;
        value = candidate_value;
        break;
      }
    }
  }
  return fit;
}

} // namespace metasieve
