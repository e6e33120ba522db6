#include "numerics/damped_newton.hpp"

#include "numerics/cholesky.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace metasieve {
namespace {

/// -(H + damping I)^-1 gradient; nothing where that matrix is not positive definite.
std::optional<Vector> damped_step(const Derivatives& at, double damping, Cholesky& cholesky) {
  const Index p = at.gradient.size();
  cholesky.resize(p);
  for (Index j = 0; j < p; ++j)
    for (Index i = j; i < p; ++i)
      cholesky.matrix()[j * cholesky.stride() + i] = at.hessian(i, j) + (i == j ? damping : 0.0);
  if (!cholesky.factorise()) return std::nullopt;
  return -Eigen::Map<const Vector>(cholesky.solve(at.gradient.data()), p);
}

} // namespace

Minimum minimise_damped(const std::function<double(const Vector&)>& value,
                        const std::function<Derivatives()>& derivatives, const Vector& start,
                        double tolerance, int step_limit) {
  constexpr double least_damping = 1e-9, most_damping = 1e9, least_ratio = 1e-3;
  Cholesky cholesky;
  Minimum best{start, FitStatus::step_limit, 0};
  double lowest = value(start), damping = 1e-3, growth = 2.0;
  Derivatives at = derivatives();
  for (; best.iterations < step_limit; ++best.iterations) {
    if (at.gradient.cwiseAbs().maxCoeff() < tolerance) {
      best.status = FitStatus::converged;
      return best;
    }
    for (;; damping *= growth, growth *= 2.0) {
      if (damping > most_damping) return best;
      const std::optional<Vector> step = damped_step(at, damping, cholesky);
      if (!step) continue;
      const double next = value(best.point + *step);
      const double predicted = 0.5 * (damping * step->squaredNorm() - at.gradient.dot(*step));
      // Near the minimum the value cannot show the decrease that the gradient does.
      const double slack = 1e-15 * (1.0 + std::abs(lowest));
      const double ratio = (lowest - next + slack) / (predicted + slack);
      if (!(ratio > least_ratio)) continue;
      best.point += *step;
      lowest = next;
      damping = std::max(damping * std::clamp(1.0 - std::pow(2.0 * ratio - 1.0, 3), 0.1, 2.0), least_damping);
      growth = 2.0;
      break;
    }
    at = derivatives();
  }
  return best;
}

} // namespace metasieve
