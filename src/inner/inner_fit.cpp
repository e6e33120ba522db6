#include "inner/inner_fit.hpp"

#include "numerics/newton.hpp"

#include <Eigen/Cholesky>

#include <cmath>

namespace metasieve {
namespace {

/// Implicit function theorem on F(beta, s) = (1/S) X'(s (p - y)) + R beta = 0, with (1/S) X'(s (p - y)) = -R
/// beta.
Vector implicit_pullback(const InnerProblem& problem, const Vector& weights, const Vector& beta,
                         const Vector& ridge, const Vector& d_beta) {
  const Vector p = sigmoid((problem.x * beta).array());
  const Eigen::LLT<Eigen::MatrixXd> hessian(logistic_hessian(problem.x, weights, p, ridge));
  const Vector adjoint = hessian.solve(d_beta);
  const Vector along = problem.x * adjoint;
  const double penalty = ridge.cwiseProduct(beta).dot(adjoint);
  return -((p - problem.y).array() * along.array() + penalty) / weights.sum();
}

} // namespace

InnerFit fit(const InnerProblem& problem, const Vector& weights, const InnerOptions& options) {
  const Vector ridge = ridge_diagonal(problem.x.cols(), options.ridge);
  if (const auto* unrolled = std::get_if<Unrolled>(&options.method))
    return descend(problem, weights, ridge, *unrolled);
  LogisticFit newton = fit_logistic(problem.x, problem.y, weights, problem.probe, ridge);
  return {std::move(newton.beta), newton.status, {}, {}};
}

Vector pullback(const InnerProblem& problem, const Vector& weights, const InnerFit& fit,
                const InnerOptions& options, const Vector& d_beta) {
  const Vector ridge = ridge_diagonal(problem.x.cols(), options.ridge);
  if (const auto* unrolled = std::get_if<Unrolled>(&options.method))
    return reverse_sweep(problem, weights, ridge, *unrolled, fit, d_beta);
  return implicit_pullback(problem, weights, fit.beta, ridge, d_beta);
}

namespace {

Eigen::MatrixXd preconditioner(const Matrix& x) {
  const Index columns = x.cols();
  Eigen::MatrixXd gram = x.transpose() * x / static_cast<double>(x.rows());
  gram.diagonal().array() += 1e-3;
  return gram.llt().solve(Eigen::MatrixXd::Identity(columns, columns));
}

Vector preconditioned(const InnerFit& fit, const Vector& direction) {
  return fit.preconditioner.size() == 0 ? direction : Vector(fit.preconditioner * direction);
}

} // namespace

InnerFit descend(const InnerProblem& problem, const Vector& weights, const Vector& ridge,
                 const Unrolled& options) {
  InnerFit out;
  if (options.precondition) out.preconditioner = preconditioner(problem.x);
  out.beta = options.start == Start::probe ? problem.probe : Vector::Zero(problem.x.cols());
  const double total = weights.sum();
  for (Index k = 0; k < options.steps; ++k) {
    out.iterates.push_back(out.beta);
    const Vector p = sigmoid((problem.x * out.beta).array());
    const Vector gradient =
        problem.x.transpose() * (weights.cwiseProduct(p - problem.y) / total) + ridge.cwiseProduct(out.beta);
    out.beta -= options.step_size * preconditioned(out, gradient);
  }
  // A fixed number of steps is the model itself, not a failure to converge.
  out.status = out.beta.allFinite() ? FitStatus::converged : FitStatus::diverged;
  return out;
}

Vector reverse_sweep(const InnerProblem& problem, const Vector& weights, const Vector& ridge,
                     const Unrolled& options, const InnerFit& fit, const Vector& d_beta) {
  const double total = weights.sum();
  Vector d_weights = Vector::Zero(weights.size());
  Vector adjoint = d_beta; // d outer / d beta_{k+1}
  for (std::size_t k = fit.iterates.size(); k-- > 0;) {
    const Vector& beta = fit.iterates[k];
    const Vector p = sigmoid((problem.x * beta).array());
    const Vector d_gradient = -options.step_size * preconditioned(fit, adjoint);
    const Vector along = problem.x * d_gradient; // x_i' d_gradient
    const Eigen::ArrayXd share = (p - problem.y).array() * along.array();
    d_weights.array() += (share - (weights.array() * share).sum() / total) / total;
    if (options.first_order) continue;
    const Vector curvature = weights.array() * p.array() * (1.0 - p.array()) * along.array() / total;
    adjoint += problem.x.transpose() * curvature + ridge.cwiseProduct(d_gradient);
  }
  return d_weights;
}

} // namespace metasieve
