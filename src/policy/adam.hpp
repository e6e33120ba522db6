#pragma once

#include "base/linalg.hpp"

namespace metasieve {

/// Adam (Kingma and Ba 2015) with its usual constants 0.9, 0.999, 1e-8, and its state.
struct Adam {
  Vector first_moment;   ///< [p]
  Vector second_moment;  ///< [p]
  std::int64_t step = 0; ///< updates so far

  Adam() = default; ///< of no parameters
  explicit Adam(Index size) : first_moment(Vector::Zero(size)), second_moment(Vector::Zero(size)) {}

  /// Moves the parameters [p] one step along -gradient [p]; allocates nothing.
  void move(Vector& theta, const Vector& gradient, double learning_rate);
  /// The parameters [p] after one step along -gradient [p].
  [[nodiscard]] Vector update(const Vector& theta, const Vector& gradient, double learning_rate);
};

/// What `gradient` is to be multiplied with so that it is no longer than `limit`; limit = 0: 1.
[[nodiscard]] double clip_factor(const Vector& gradient, double limit);

/// `gradient` scaled down to the norm `limit` if it is longer; limit = 0: unchanged.
[[nodiscard]] Vector clipped(const Vector& gradient, double limit);

} // namespace metasieve
