#pragma once

#include "base/linalg.hpp"

namespace metasieve {

/// Adam (Kingma and Ba 2015) with its usual constants 0.9, 0.999, 1e-8.
struct Adam {
  Vector first_moment;  ///< [p]
  Vector second_moment; ///< [p]
  std::int64_t step = 0;

  explicit Adam(Index size) : first_moment(Vector::Zero(size)), second_moment(Vector::Zero(size)) {}

  /// The parameters [p] after one step along -gradient [p].
  [[nodiscard]] Vector update(const Vector& theta, const Vector& gradient, double learning_rate);
};

/// `gradient` scaled down to the norm `limit` if it is longer; limit = 0: unchanged.
[[nodiscard]] Vector clipped(const Vector& gradient, double limit);

} // namespace metasieve
