#pragma once

#include "numerics/bfgs.hpp"

#include <functional>

namespace metasieve {

/// First and second derivatives of a function at one point.
struct Derivatives {
  Vector gradient;         ///< [p]
  Eigen::MatrixXd hessian; ///< [p, p], of which the lower triangle is read; need not be definite
};

/// A local minimum of a smooth function that need not be convex, below `start` [p]: Newton steps with a
/// multiple of the identity added to the Hessian (Levenberg 1944, doi:10.1090/qam/10666), which follows how
/// well it predicts the decrease (Nielsen 1999, IMM-REP-1999-05), until the largest gradient component is
/// below `tolerance`. `derivatives` is called at the point of the last call of `value`. `step_limit` also
/// where rounding leaves no lower value. Never above the value at `start`, which must be finite.
/// Deterministic.
[[nodiscard]] Minimum minimise_damped(const std::function<double(const Vector&)>& value,
                                      const std::function<Derivatives()>& derivatives, const Vector& start,
                                      double tolerance, int step_limit = 100);

} // namespace metasieve
