#pragma once

#include "numerics/logistic.hpp"

namespace metasieve {

struct LogisticFit {
  Vector beta; ///< [p]
  FitStatus status = FitStatus::converged;
  int iterations = 0;
};

/// argmin_b (1/S) sum_i s_i loss_i(b) + 1/2 b'Rb, S = sum s, by damped Newton from `start` until the largest
/// gradient component is below `tolerance`. x [n, p], y [n] in {0, 1}, weights [n] >= 0 with S > 0, start
/// [p], ridge_diag [p].
[[nodiscard]] LogisticFit fit_logistic(const Matrix& x, const Vector& y, const Vector& weights,
                                       const Vector& start, const Vector& ridge_diag,
                                       double tolerance = 1e-9);

} // namespace metasieve
