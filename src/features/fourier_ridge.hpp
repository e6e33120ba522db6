#pragma once

#include "features/random_fourier.hpp"

#include <span>
#include <vector>

namespace metasieve {

/// Predictions by ridge regression in the random Fourier basis.
struct FourierRidge {
  Vector prediction; ///< [n]: of the rows that were fitted by the fit to the others of these, of other rows
                     ///< by the fit
  double ridge = 0;  ///< the one chosen
};

/// leave_one_out_ridge(fourier_features(basis, x), target, ridges) in single precision, and of the rows
/// `fitted` alone, ascending and distinct; the other rows are predicted by their fit. Sums over rows, and
/// what depends on the difference of large numbers, are in double precision. Works through blocks of rows, so
/// that it needs a few MB besides what it returns. x [n, d], target [n].
[[nodiscard]] FourierRidge fast_fourier_ridge(const FourierBasis& basis, const RowBlock& x,
                                              const Vector& target, const std::vector<Index>& fitted,
                                              std::span<const double> ridges);

/// Whether it is near the double form: with fewer rows than columns, a ridge leaves leverages near 1, and
/// predictions are the quotients of small differences.
[[nodiscard]] constexpr bool in_single_precision(Precision precision, Index fitted_rows) {
  return precision == Precision::float32 && fitted_rows > fourier_count + 64;
}

} // namespace metasieve
