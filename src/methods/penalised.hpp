#pragma once

#include "fairness/outer_loss.hpp"
#include "numerics/logistic.hpp"
#include "numerics/newton.hpp"

namespace metasieve {

struct PenalisedOptions {
  Gap gap = Gap::eo;
  double weight = 1.0; ///< of the gap, >= 0
  double ridge = 1e-3; ///< as in the inner problem
};

/// Logistic regression with the smooth gap of the outer loss as a penalty (as regularisation by a
/// relaxed parity of decisions: Bechavod and Ligett 2017, arXiv:1707.00044):
/// argmin_b mean_i loss_i(b) + 1/2 b'Rb + weight * gap(X b, y, group). With the noisy training labels it is
/// the in-training peer of a selection; with the clean ones, a ceiling for it. The gap is not convex: this is
/// the local minimum that is reached from the plain fit while the weight is doubled up to `weight` by stages
/// that do not depend on it, each to a largest gradient component below 1e-8. x [n, p], intercept last; y,
/// group [n]. weight 0 and Gap::none: fit_logistic. No rows: beta = 0, diverged. `iterations`: of all stages.
[[nodiscard]] LogisticFit fit_penalised(const Matrix& x, const Labels& y, const Labels& group,
                                        const PenalisedOptions& options);

} // namespace metasieve
