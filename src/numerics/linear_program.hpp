#pragma once

#include "base/linalg.hpp"

namespace metasieve {

/// Least cost'x subject to rows x <= limit, x >= 0.
struct LinearProgram {
  Matrix rows;  ///< [m, n]
  Vector limit; ///< [m]; where it is negative, the last column of `rows` is the same negative number
  Vector cost;  ///< [n]
};

/// A solution [n] by the simplex method with Bland's rule, dense: for small programs. Where a limit is
/// negative, a large enough last variable must meet all constraints. An unbounded program ends where it is
/// found to be.
[[nodiscard]] Vector minimise(const LinearProgram& program);

} // namespace metasieve
