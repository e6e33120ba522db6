#pragma once

#include "base/linalg.hpp"

#include <cstdint>

namespace metasieve {

enum class FitStatus : std::uint8_t { converged, step_limit, diverged };

/// R of the penalty 1/2 b'Rb, [p]: `ridge` everywhere, 1e-6 for the intercept (last).
[[nodiscard]] Vector ridge_diagonal(Index columns, double ridge);
/// Writes ridge_diagonal into `diagonal` [p].
void set_ridge_diagonal(Eigen::Ref<Vector> diagonal, double ridge);

/// log(1 + exp(-t f)) with t = 2y - 1, element by element, without overflow. f [n], y [n] -> [n].
[[nodiscard]] Vector logistic_loss(const Vector& f, const Vector& y);

/// (1/S) X' diag(s p (1-p)) X + R at coefficients with predictions p = sigmoid(X b). [p, p], both triangles.
[[nodiscard]] Eigen::MatrixXd logistic_hessian(const Matrix& x, const Vector& weights, const Vector& p,
                                               const Vector& ridge_diag);

} // namespace metasieve
