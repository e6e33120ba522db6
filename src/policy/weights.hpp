#pragma once

#include "base/linalg.hpp"

namespace metasieve {

/// Keep weights and what their pullback needs.
struct WeightsTrace {
  Vector weights;      ///< s [n], in (0, 1), mean `keep`
  Vector standardised; ///< v [n]
  double scale = 1;    ///< sd(u); 0 where u is constant (then s = keep everywhere and the gradient is 0)
  double temperature = 1;
};

/// u [n] -> s_i = sigmoid((v_i - q)/T), v = (u - mean u)/sd(u), q such that mean s = keep. The scale of u is
/// free. 0 < keep < 1, temperature > 0.
[[nodiscard]] WeightsTrace keep_weights(const Vector& u, double keep, double temperature);

/// d_weights [n] -> d_u [n], through the budget (implicit derivative of q) and the standardisation; 0 where
/// no weight can move: all are 0 or 1 to the last bit.
[[nodiscard]] Vector pullback(const WeightsTrace& trace, const Vector& d_weights);

} // namespace metasieve
