#pragma once

#include "base/linalg.hpp"

namespace metasieve {

/// (v - mean) / sd with the population standard deviation; zeros where sd is below 1e-12 max(1, |mean|).
/// [n] -> [n].
[[nodiscard]] Vector z_scored(const Vector& values);

/// Place in ascending order, ties in order of index, divided by n - 1: in [0, 1]; 0 for a single value.
/// [n] -> [n].
[[nodiscard]] Vector rank_fraction(const Vector& values);

} // namespace metasieve
