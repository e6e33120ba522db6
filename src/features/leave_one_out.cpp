#include "features/leave_one_out.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cstddef>
#include <vector>

namespace metasieve {
namespace {

constexpr Index block_rows = 256;

/// basis'basis = Q T Q' with T tridiagonal. With Z = basis Q, a row's leverage z'(T + ridge I)^-1 z then
/// takes O(q) for each ridge, and T costs much less than eigenvalues.
struct Tridiagonal {
  Eigen::MatrixXd q;
  Vector diagonal, below;
};

Tridiagonal tridiagonalise(const Eigen::MatrixXd& basis) {
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(basis.cols(), basis.cols());
  gram.selfadjointView<Eigen::Lower>().rankUpdate(basis.transpose());
  const Eigen::Tridiagonalization<Eigen::MatrixXd> form(gram);
  return {form.matrixQ(), form.diagonal(), form.subDiagonal()};
}

/// T + ridge I = L D L', L unit lower bidiagonal, and c = L^-1 Z't.
struct Factor {
  Vector multiplier;    ///< of L: row k has multiplier(k) left of the diagonal; multiplier(0) = 0
  Vector inverse_pivot; ///< 1 / D
  Vector target;        ///< c
};

Factor factorise(const Tridiagonal& form, const Vector& rotated_target, double ridge) {
  const Index size = form.diagonal.size();
  Factor factor{Vector::Zero(size), Vector(size), rotated_target};
  factor.inverse_pivot(0) = 1.0 / (form.diagonal(0) + ridge);
  for (Index k = 1; k < size; ++k) {
    const double below = form.below(k - 1);
    factor.multiplier(k) = below * factor.inverse_pivot(k - 1);
    factor.inverse_pivot(k) = 1.0 / (form.diagonal(k) + ridge - factor.multiplier(k) * below);
    factor.target(k) -= factor.multiplier(k) * factor.target(k - 1);
  }
  return factor;
}

/// Leave-one-out predictions of a block of rows. z [rows, q], target [rows].
Vector predict(const Eigen::MatrixXd& z, const Vector& target, const Factor& factor) {
  Eigen::ArrayXd u = Eigen::ArrayXd::Zero(z.rows()), leverage = u, fitted = u;
  for (Index k = 0; k < z.cols(); ++k) {
    u = z.col(k).array() - factor.multiplier(k) * u;
    leverage += factor.inverse_pivot(k) * u.square();
    fitted += factor.inverse_pivot(k) * factor.target(k) * u;
  }
  // A positive ridge keeps 1 - h above 0; the floor is for rounding.
  return target.array() - (target.array() - fitted) / (1.0 - leverage).max(1e-10);
}

} // namespace

LeaveOneOut leave_one_out_ridge(const Eigen::MatrixXd& basis, const Vector& target,
                                std::span<const double> ridges) {
  const Index n = basis.rows();
  const Tridiagonal form = tridiagonalise(basis);
  const Vector projected = basis.transpose() * target;
  const Vector rotated_target = form.q.transpose() * projected;
  std::vector<Factor> factors;
  for (const double ridge : ridges) factors.push_back(factorise(form, rotated_target, ridge));

  Eigen::MatrixXd predictions(n, static_cast<Index>(ridges.size()));
  for (Index begin = 0; begin < n; begin += block_rows) {
    const Index rows = std::min(block_rows, n - begin);
    const Eigen::MatrixXd z = basis.middleRows(begin, rows) * form.q;
    const Vector block_target = target.segment(begin, rows);
    for (std::size_t r = 0; r < factors.size(); ++r)
      predictions.col(static_cast<Index>(r)).segment(begin, rows) = predict(z, block_target, factors[r]);
  }

  Index best = 0;
  const Vector error = (predictions.colwise() - target).colwise().squaredNorm();
  error.minCoeff(&best);
  return {predictions.col(best), ridges[static_cast<std::size_t>(best)],
          error(best) / static_cast<double>(std::max<Index>(n, 1))};
}

} // namespace metasieve
