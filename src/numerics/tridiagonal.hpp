#pragma once

#include "base/linalg.hpp"

namespace metasieve {

/// A symmetric matrix as Q T Q', Q orthogonal and T tridiagonal.
struct TridiagonalForm {
  Vector diagonal, below;     ///< of T: [q], [q-1]
  Eigen::MatrixXd reflectors; ///< [q, q]: column k is v_k, zero above its 1 in row k+1
  Vector scale;               ///< [q]: Q = H_0 H_1 ... with H_k = I - scale_k v_k v_k'
};

/// By Householder reflections; each entry of the matrix is read and written once for each of them. Lower
/// triangle of a [q, q], q >= 2.
[[nodiscard]] TridiagonalForm tridiagonalise(const Eigen::MatrixXd& a);

/// Q' b. [q].
[[nodiscard]] Vector rotated(const TridiagonalForm& form, Vector b);

/// Q in single precision. [q, q].
[[nodiscard]] Eigen::MatrixXf rotation(const TridiagonalForm& form);

/// T + ridge I = L D L', L unit lower bidiagonal, and c = L^-1 Q'b: with them, z'(T + ridge I)^-1 z and
/// z'(T + ridge I)^-1 Q'b take O(q) for a rotated row z.
struct ShiftedFactor {
  Vector multiplier;    ///< of L: row k has multiplier(k) left of the diagonal; multiplier(0) = 0
  Vector inverse_pivot; ///< 1 / D
  Vector target;        ///< c
};

/// diagonal [q], below [q-1] of T, rotated_target [q] = Q'b; T + ridge I positive definite.
[[nodiscard]] ShiftedFactor factorise(const Vector& diagonal, const Vector& below,
                                      const Vector& rotated_target, double ridge);

} // namespace metasieve
