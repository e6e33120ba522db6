#include "features/random_fourier.hpp"

#include "numerics/tridiagonal.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <vector>

namespace metasieve {
namespace {

constexpr Index pair_count = 500;

/// The nearest integer, for |x| < 2^51, without a call: adding 1.5 * 2^52 leaves no bits for a fraction.
double nearest_integer(double x) {
  constexpr double shift = 0x1.8p52;
  return (x + shift) - shift;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

} // namespace

double fast_cos(double x) {
  // x = k pi + r with |r| <= pi/2; pi in three parts, of which k times the first two is exact (Cody and
  // Waite).
  constexpr double pi_high = 0x1.921fb544p+1, pi_middle = 0x1.0b4611a6p-33, pi_low = 0x1.3198a2e037073p-68;
  const double k = nearest_integer(x * std::numbers::inv_pi);
  const double r = ((x - k * pi_high) - k * pi_middle) - k * pi_low;
  const double odd = k - 2.0 * nearest_integer(0.5 * k); // -1, 0 or 1
  // The Taylor series to r^20; the next term is below 2e-17 at pi/2.
  const double s = r * r;
  double sum = 1.0 / 2432902008176640000.0;
  sum = sum * s - 1.0 / 6402373705728000.0;
  sum = sum * s + 1.0 / 20922789888000.0;
  sum = sum * s - 1.0 / 87178291200.0;
  sum = sum * s + 1.0 / 479001600.0;
  sum = sum * s - 1.0 / 3628800.0;
  sum = sum * s + 1.0 / 40320.0;
  sum = sum * s - 1.0 / 720.0;
  sum = sum * s + 1.0 / 24.0;
  sum = sum * s - 0.5;
  sum = sum * s + 1.0;
  return (1.0 - 2.0 * odd * odd) * sum;
}

double kernel_width(const RowBlock& x, const Stream& pairs) {
  const Index n = x.rows();
  if (n < 2) return 1.0;
  std::vector<double> distance;
  for (Index k = 0; k < pair_count; ++k) {
    const Index a = pairs.below(2 * k, n), other = pairs.below(2 * k + 1, n - 1);
    const Index b = other < a ? other : other + 1;
    distance.push_back((x.row(a) - x.row(b)).norm());
  }
  double sum = 0.0;
  for (const double value : distance) sum += value;
  const double middle = median(std::move(distance));
  const double typical = middle > 0.0 ? middle : sum / static_cast<double>(pair_count);
  return typical > 0.0 ? 0.6 * typical : 1.0;
}

FourierBasis draw_fourier_basis(const RowBlock& x, Seed seed, TaskId id) {
  const double width = kernel_width(x, Stream(seed, Draw::rff_pairs, id));
  const Stream weights(seed, Draw::rff_weights, id), phases(seed, Draw::rff_phases, id);
  FourierBasis basis{weights.normals(x.cols(), fourier_count) / width, Eigen::RowVectorXd(fourier_count)};
  for (Index k = 0; k < fourier_count; ++k) basis.phase(k) = phases.uniform(k, 0.0, 2.0 * std::numbers::pi);
  return basis;
}

Eigen::MatrixXd fourier_features(const FourierBasis& basis, const RowBlock& x) {
  const Index n = x.rows(), d = x.cols();
  const double scale = std::sqrt(2.0 / static_cast<double>(fourier_count));
  Eigen::MatrixXd features(n, fourier_count + d + 1);
  features.leftCols(fourier_count).noalias() = x * basis.frequency;
  for (Index k = 0; k < fourier_count; ++k) {
    double* const column = features.col(k).data();
    const double phase = basis.phase(k);
    for (Index i = 0; i < n; ++i) column[i] = scale * fast_cos(column[i] + phase);
  }
  features.middleCols(fourier_count, d) = 0.3 * x;
  features.col(fourier_count + d).setConstant(0.3);
  return features;
}

FourierRidge fourier_ridge(const FourierBasis& basis, const RowBlock& x, const Vector& target,
                           const std::vector<Index>& fitted, std::span<const double> ridges) {
  std::vector<Index> others;
  for (Index i = 0; i < x.rows(); ++i)
    if (!std::ranges::binary_search(fitted, i)) others.push_back(i);
  const Eigen::MatrixXd features = fourier_features(basis, x(fitted, Eigen::all));
  const Vector fitted_target = target(fitted);
  const LeaveOneOut fit = leave_one_out_ridge(features, fitted_target, ridges);
  FourierRidge out{Vector(x.rows()), fit.ridge};
  out.prediction(fitted) = fit.prediction;
  if (others.empty()) return out;

  Eigen::MatrixXd gram = Eigen::MatrixXd::Zero(features.cols(), features.cols());
  gram.selfadjointView<Eigen::Lower>().rankUpdate(features.transpose());
  gram.diagonal().array() += fit.ridge;
  const Vector coefficients =
      gram.selfadjointView<Eigen::Lower>().llt().solve(features.transpose() * fitted_target);
  out.prediction(others) = fourier_features(basis, x(others, Eigen::all)) * coefficients;
  return out;
}

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
