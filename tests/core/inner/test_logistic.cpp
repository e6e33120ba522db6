#include "inner/design.hpp"
#include "numerics/logistic.hpp"
#include "numerics/newton.hpp"
#include "support/numerics.hpp"

#include <cmath>

namespace metasieve {
namespace {

using namespace test;

Matrix with_intercept(Matrix x) {
  x.col(x.cols() - 1).setOnes();
  return x;
}

/// By scalar loops, independent of the code under test.
double objective(const Matrix& x, const Vector& y, const Vector& s, const Vector& beta, double ridge) {
  double sum = 0, total = 0, penalty = 0;
  for (Index i = 0; i < x.rows(); ++i) {
    const double f = x.row(i).dot(beta);
    sum += s(i) * std::log1p(std::exp(y(i) > 0.5 ? -f : f));
    total += s(i);
  }
  for (Index j = 0; j < x.cols(); ++j) penalty += (j + 1 < x.cols() ? ridge : 1e-6) * beta(j) * beta(j) / 2;
  return sum / total + penalty;
}

TEST(LogisticFit, is_a_stationary_point_of_the_weighted_objective) {
  const Matrix x = with_intercept(normals(80, 5, 1));
  const Vector y = coin(80, 2).cast<double>(), s = normals(80, 3).cwiseAbs();

  const LogisticFit fit = fit_logistic(x, y, s, Vector::Zero(5), ridge_diagonal(5, 1e-2));

  EXPECT_EQ(fit.status, FitStatus::converged);
  const auto value = [&](const Vector& b) { return objective(x, y, s, b, 1e-2); };
  EXPECT_LT(central_difference(value, fit.beta).cwiseAbs().maxCoeff(), 1e-8);
}

TEST(LogisticFit, converges_from_afar_and_on_separable_data) {
  const Matrix x = with_intercept(normals(60, 3, 1));
  const Vector y = (x.col(0).array() > 0).cast<double>();

  const LogisticFit fit =
      fit_logistic(x, y, Vector::Ones(60), Vector::Constant(3, 50.0), ridge_diagonal(3, 1e-3));

  EXPECT_EQ(fit.status, FitStatus::converged);
  EXPECT_GT(fit.beta(0), 3.0);
}

TEST(LogisticFit, one_class_converges_to_a_finite_intercept) {
  const Matrix x = with_intercept(normals(30, 3, 1));

  const LogisticFit fit =
      fit_logistic(x, Vector::Ones(30), Vector::Ones(30), Vector::Zero(3), ridge_diagonal(3, 1e-3));

  EXPECT_EQ(fit.status, FitStatus::converged);
  EXPECT_GT(fit.beta(2), 3.0);
}

TEST(LogisticFit, reports_divergence_instead_of_throwing) {
  Matrix x = with_intercept(normals(10, 3, 1));
  x(3, 0) = std::nan("");

  const LogisticFit fit =
      fit_logistic(x, coin(10, 1).cast<double>(), Vector::Ones(10), Vector::Zero(3), ridge_diagonal(3, 1e-3));

  EXPECT_EQ(fit.status, FitStatus::diverged);
  EXPECT_EQ(fit_logistic(with_intercept(normals(10, 3, 1)), coin(10, 1).cast<double>(), Vector::Zero(10),
                         Vector::Zero(3), ridge_diagonal(3, 1e-3))
                .status,
            FitStatus::diverged);
}

TEST(Design, standardises_on_the_training_rows_and_zeroes_constant_columns) {
  Split train;
  train.x = normals(50, 3, 1).cast<float>();
  train.x.col(1).setConstant(7.0F);
  train.y = train.y_clean = coin(50, 2);
  train.group = coin(50, 3, 0.2);
  Split test = gather(train, {4, 9});

  const Standardizer s = fit_standardizer(train, true);
  const Matrix x = design_matrix(train, s);

  ASSERT_EQ(x.cols(), 5);
  EXPECT_LT(x.leftCols(4).colwise().mean().cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_NEAR(x.col(0).squaredNorm() / 50, 1.0, 1e-12);
  EXPECT_EQ(x.col(1), Vector::Zero(50));
  EXPECT_NEAR(x.col(3).squaredNorm() / 50, 1.0, 1e-12);
  EXPECT_EQ(x.col(4), Vector::Ones(50));
  EXPECT_EQ(design_matrix(test, s).row(1), x.row(9));
  EXPECT_EQ(design_matrix(train, s, {9}).row(0), x.row(9));
  EXPECT_EQ(design_matrix(train, fit_standardizer(train, false)).cols(), 4);
}

} // namespace
} // namespace metasieve
