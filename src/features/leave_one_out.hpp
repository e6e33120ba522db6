#pragma once

#include "base/linalg.hpp"

#include <span>

namespace metasieve {

struct LeaveOneOut {
  Vector prediction;             ///< [n]: of each row by the fit to all other rows
  double ridge = 0;              ///< the one chosen
  double mean_squared_error = 0; ///< of `prediction`
};

/// Exact leave-one-out predictions of argmin_b |target - basis b|^2 + ridge |b|^2, for the ridge of least
/// mean squared leave-one-out error (the first of equals): t - (t - fhat) / (1 - h), h the diagonal of the
/// hat matrix (Golub, Heath and Wahba 1979, doi:10.1080/00401706.1979.10489751). basis [n, q] with q >= 2,
/// target [n], ridges positive and not empty.
[[nodiscard]] LeaveOneOut leave_one_out_ridge(const Eigen::MatrixXd& basis, const Vector& target,
                                              std::span<const double> ridges);

} // namespace metasieve
