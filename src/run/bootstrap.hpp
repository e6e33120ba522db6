#pragma once

#include "base/linalg.hpp"
#include "base/random.hpp"

#include <limits>
#include <vector>

namespace metasieve {

/// A mean with its 95 % interval; NaN where nothing is defined, the interval also where one value alone is.
struct Estimate {
  double mean = std::numeric_limits<double>::quiet_NaN();
  double low = std::numeric_limits<double>::quiet_NaN();
  double high = std::numeric_limits<double>::quiet_NaN();
  Index count = 0; ///< values that are defined
};

/// Of each column of values [splits, k]: the mean and the percentile bootstrap interval over the rows (Efron
/// and Tibshirani 1993, 1000 resamples), NaN left out. Resample b of so many rows is the same for every
/// column and call of a seed, so what is compared is compared on the same resamples.
[[nodiscard]] std::vector<Estimate> bootstrap(const Matrix& values, Seed seed);

} // namespace metasieve
