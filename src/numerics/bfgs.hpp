#pragma once

#include "base/linalg.hpp"
#include "numerics/logistic.hpp"

#include <functional>

namespace metasieve {

/// A smooth function at one point.
struct Objective {
  double value = 0;
  Vector gradient; ///< [p]
};

struct Minimum {
  Vector point; ///< [p]
  FitStatus status = FitStatus::converged;
  int iterations = 0;
};

/// A local minimum of `f` below `start` [p], by BFGS with the line search of Lewis and Overton (2013,
/// doi:10.1007/s10107-012-0514-2) for the weak Wolfe conditions, until the largest gradient component is
/// below `tolerance`. `inverse_hessian` [p, p], positive definite, is the first guess. Dense: p is the
/// columns of a design, far fewer than its rows, so p^2 is less than one evaluation. `step_limit` also where
/// rounding leaves no lower value, `diverged` (and the best point) where f is not finite at `start`.
/// Deterministic.
[[nodiscard]] Minimum minimise(const std::function<Objective(const Vector&)>& f, const Vector& start,
                               Eigen::MatrixXd inverse_hessian, double tolerance, int step_limit = 500);

} // namespace metasieve
