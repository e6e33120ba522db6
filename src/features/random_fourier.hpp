#pragma once

#include "base/linalg.hpp"
#include "base/random.hpp"

#include <array>
#include <span>
#include <vector>

namespace metasieve {

inline constexpr Index fourier_count = 256;
inline constexpr std::array<double, 4> fourier_ridges{0.01, 0.1, 1.0, 10.0};

/// Rows of a row-major matrix, some of its columns: without a copy.
using RowBlock = Eigen::Ref<const Matrix, 0, Eigen::OuterStride<>>;

/// cos(x), absolute error below 1e-12 for |x| < 1e4, for loops that the compiler vectorises.
[[nodiscard]] double fast_cos(double x);

/// Frequencies of an approximate Gaussian kernel of width s (Rahimi and Recht 2007).
struct FourierBasis {
  Eigen::MatrixXd frequency; ///< [d, 256], N(0, s^-2)
  Eigen::RowVectorXd phase;  ///< [256], uniform in [0, 2 pi)
};

/// 0.6 times the median distance of 500 random pairs of distinct rows; the mean in place of a median of 0; 1
/// if that is 0 too or there are fewer than two rows. x [n, d].
[[nodiscard]] double kernel_width(const RowBlock& x, const Stream& pairs);

/// Drawn through Draw::rff_pairs, rff_weights and rff_phases. x [n, d], standardised.
[[nodiscard]] FourierBasis draw_fourier_basis(const RowBlock& x, Seed seed, TaskId id);

/// [sqrt(2/256) cos(x W + b), 0.3 (x, 1)]: x [n, d] -> [n, 256 + d + 1].
[[nodiscard]] Eigen::MatrixXd fourier_features(const FourierBasis& basis, const RowBlock& x);

/// Predictions by ridge regression in the random Fourier basis.
struct FourierRidge {
  Vector prediction; ///< [n]: of a fitted row by the fit to the others of these, of another row by the fit
  double ridge = 0;  ///< the one chosen
};

/// leave_one_out_ridge of the rows `fitted`, ascending and distinct; the other rows are predicted by the fit.
/// x [n, d], standardised and without the group; target [n].
[[nodiscard]] FourierRidge fourier_ridge(const FourierBasis& basis, const RowBlock& x, const Vector& target,
                                         const std::vector<Index>& fitted, std::span<const double> ridges);

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
