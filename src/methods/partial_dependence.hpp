#pragma once

#include "base/linalg.hpp"
#include "policy/network.hpp"

namespace metasieve {

/// The first tasks of a source, on which the policies' response is measured.
inline constexpr Index response_tasks = 20;
/// Rows of each at most, and quantiles of each feature.
inline constexpr Index response_rows = 500, response_points = 11;

/// What a policy has learnt of each feature, [f, k] each: entry (j, g) with feature j set to grid(j, g).
struct PartialDependence {
  Matrix score; ///< mean of v
  Matrix keep;  ///< mean keep weight
};

/// The quantiles 0, 1/(points - 1), ..., 1 of each feature, each the value of a row (the lower of two):
/// features [n, f], n >= 1 -> [f, points], points >= 2. A 0/1 feature has 0s, then 1s.
[[nodiscard]] Matrix quantile_grid(const Matrix& features, Index points);

/// Partial dependence (Friedman 2001, doi:10.1214/aos/1013203451) of the policy's response: the mean, over
/// the rows of a sample of one task, of v and of the keep weight s when one feature of all rows is set to a
/// value and the others stay. v = (u - m)/d and s = sigmoid((v - q)/T) with m, d and q of the sample as it
/// is: with those of the changed rows the mean of v would be 0 and that of s `keep` at every value. features
/// [n, f], n >= 1; grid [f, k]. Where the sample's u are all equal, v = 0 and s = keep. Features that depend
/// on each other (loss, rank, margin) are asked at combinations that no task has: read trends, not values.
[[nodiscard]] PartialDependence partial_dependence(const Policy& policy, const Matrix& features,
                                                   const Matrix& grid,
                                                   Precision precision = Precision::float64);

} // namespace metasieve
