#include "features/random_fourier.hpp"

#include "base/random.hpp"

#include <Eigen/Cholesky>
#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace metasieve {
namespace {

Eigen::MatrixXd random_basis(Index rows, Index columns) {
  const Stream normal(Seed{2}, Draw::covariates, TaskId{7});
  return Eigen::MatrixXd::NullaryExpr(rows, columns,
                                      [&](Index i, Index j) { return normal.normal(i * columns + j); });
}

Vector random_signs(Index rows) {
  const Stream uniform(Seed{2}, Draw::flips, TaskId{7});
  return Vector::NullaryExpr(rows, [&](Index i) { return uniform.uniform(i) < 0.4 ? -1.0 : 1.0; });
}

/// By a fit for each row, to all others.
Vector refits(const Eigen::MatrixXd& basis, const Vector& target, double ridge) {
  Vector prediction(basis.rows());
  for (Index i = 0; i < basis.rows(); ++i) {
    std::vector<Index> others;
    for (Index j = 0; j < basis.rows(); ++j)
      if (j != i) others.push_back(j);
    const Eigen::MatrixXd x = basis(others, Eigen::all);
    Eigen::MatrixXd normal_matrix = x.transpose() * x;
    normal_matrix.diagonal().array() += ridge;
    const Vector right = x.transpose() * target(others);
    prediction(i) = basis.row(i).dot(normal_matrix.ldlt().solve(right));
  }
  return prediction;
}

TEST(LeaveOneOutRidge, equals_refits_with_more_rows_than_columns_and_with_fewer) {
  for (const Index rows : {2, 11, 300})
    for (const double ridge : {0.01, 1.0, 10.0}) {
      const Eigen::MatrixXd basis = random_basis(rows, 30);
      const Vector target = random_signs(rows), expected = refits(basis, target, ridge);

      const LeaveOneOut fast = leave_one_out_ridge(basis, target, std::array{ridge});

      EXPECT_LT((fast.prediction - expected).cwiseAbs().maxCoeff(), 1e-9) << rows << " " << ridge;
      EXPECT_NEAR(fast.mean_squared_error, (expected - target).squaredNorm() / static_cast<double>(rows),
                  1e-8);
    }
}

TEST(LeaveOneOutRidge, chooses_the_ridge_of_least_error) {
  const std::array<double, 4> ridges{0.01, 0.1, 1.0, 10.0};
  for (const Index rows : {12, 60, 150}) {
    const Eigen::MatrixXd basis = random_basis(rows, 20);
    const Vector target = random_signs(rows);
    std::size_t best = 0;
    std::vector<double> error;
    for (const double ridge : ridges) error.push_back((refits(basis, target, ridge) - target).squaredNorm());
    for (std::size_t r = 0; r < error.size(); ++r)
      if (error[r] < error[best]) best = r;

    EXPECT_EQ(leave_one_out_ridge(basis, target, ridges).ridge, ridges[best]);
  }
}

TEST(LeaveOneOutRidge, duplicate_rows_and_zero_columns_are_finite) {
  Eigen::MatrixXd basis = random_basis(50, 8);
  for (Index i = 0; i < 50; ++i) basis.row(i) = basis.row(i % 2);
  basis.rightCols(3).setZero();
  const Vector target = random_signs(50);

  const LeaveOneOut fast = leave_one_out_ridge(basis, target, std::array{0.01});

  EXPECT_LT((fast.prediction - refits(basis, target, 0.01)).cwiseAbs().maxCoeff(), 1e-9);
}

TEST(LeaveOneOutRidge, a_row_that_only_it_can_explain_is_predicted_as_zero) {
  Eigen::MatrixXd basis = Eigen::MatrixXd::Zero(2, 2);
  basis(0, 0) = 1e6; // leverage 1 - 1e-14
  basis(1, 1) = 1.0;

  const LeaveOneOut fast = leave_one_out_ridge(basis, Vector::Ones(2), std::array{0.01});

  EXPECT_TRUE(fast.prediction.allFinite());
  EXPECT_NEAR(fast.prediction(1), 0.0, 1e-12);
}

} // namespace
} // namespace metasieve
