#include "features/leave_one_out.hpp"

#include "numerics/tridiagonal.hpp"

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

Tridiagonal tridiagonal_gram(const Eigen::MatrixXd& basis) {
  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(basis.cols(), basis.cols());
  gram.selfadjointView<Eigen::Lower>().rankUpdate(basis.transpose());
  const Eigen::Tridiagonalization<Eigen::MatrixXd> form(gram);
  return {form.matrixQ(), form.diagonal(), form.subDiagonal()};
}

/// Leave-one-out predictions of a block of rows. z [rows, q], target [rows].
Vector predict(const Eigen::MatrixXd& z, const Vector& target, const ShiftedFactor& factor) {
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
  const Tridiagonal form = tridiagonal_gram(basis);
  const Vector projected = basis.transpose() * target;
  const Vector rotated_target = form.q.transpose() * projected;
  std::vector<ShiftedFactor> factors;
  for (const double ridge : ridges)
    factors.push_back(factorise(form.diagonal, form.below, rotated_target, ridge));

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
