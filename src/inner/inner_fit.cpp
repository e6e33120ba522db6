#include "inner/inner_fit.hpp"

#include "inner/unrolled.hpp"

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

} // namespace metasieve
