#include "numerics/tridiagonal.hpp"

#include "base/random.hpp"

#include <Eigen/Cholesky>
#include <gtest/gtest.h>

namespace metasieve {
namespace {

Eigen::MatrixXd random_matrix(Index rows, Index columns) {
  return Stream(Seed{2}, Draw::covariates, TaskId{7}).normals(rows, columns);
}

Eigen::MatrixXd tridiagonal_matrix(const TridiagonalForm& form) {
  Eigen::MatrixXd t = form.diagonal.asDiagonal();
  t.diagonal(1) = t.diagonal(-1) = form.below;
  return t;
}

/// Q by one reflection after the other.
Eigen::MatrixXd slow_rotation(const TridiagonalForm& form) {
  const Index size = form.diagonal.size();
  Eigen::MatrixXd q = Eigen::MatrixXd::Identity(size, size);
  for (Index k = 0; k + 1 < size; ++k) {
    const Vector v = form.reflectors.col(k);
    q -= form.scale(k) * (q * v) * v.transpose();
  }
  return q;
}

void expect_form_of(const Eigen::MatrixXd& a) {
  const TridiagonalForm form = tridiagonalise(a.triangularView<Eigen::Lower>());

  const Index size = a.rows();
  const double scale = std::max(a.cwiseAbs().maxCoeff(), 1e-300);
  const Eigen::MatrixXd q = slow_rotation(form);
  const Vector b = random_matrix(size, 1);
  EXPECT_LT((q * tridiagonal_matrix(form) * q.transpose() - a).cwiseAbs().maxCoeff(), 1e-12 * scale) << size;
  EXPECT_LT((q * q.transpose() - Eigen::MatrixXd::Identity(size, size)).cwiseAbs().maxCoeff(), 1e-13) << size;
  EXPECT_LT((rotated(form, b) - q.transpose() * b).cwiseAbs().maxCoeff(), 1e-12) << size;
  EXPECT_LT((rotation(form).cast<double>() - q).cwiseAbs().maxCoeff(), 2e-6) << size;
}

TEST(Tridiagonal, is_similar_to_the_matrix) {
  for (const Index size : {2, 3, 4, 5, 7, 8, 9, 16, 17, 33, 34, 65, 100, 270}) {
    const Eigen::MatrixXd a = random_matrix(size, size);
    expect_form_of(a + a.transpose());
  }
}

TEST(Tridiagonal, of_low_rank_zero_diagonal_and_tridiagonal_matrices) {
  const Eigen::MatrixXd factor = random_matrix(40, 3);
  expect_form_of(factor * factor.transpose());
  expect_form_of(Eigen::MatrixXd::Zero(20, 20));
  expect_form_of(Vector::LinSpaced(21, -1.0, 3.0).asDiagonal());
  Eigen::MatrixXd t = Vector::LinSpaced(21, -1.0, 3.0).asDiagonal();
  t.diagonal(-1).setConstant(0.5);
  t.diagonal(1).setConstant(0.5);
  expect_form_of(t);
  expect_form_of(1e12 * (t + Eigen::MatrixXd::Ones(21, 21)));
}

TEST(ShiftedFactor, gives_the_inverse_of_the_shifted_matrix) {
  const Eigen::MatrixXd half = random_matrix(12, 12), a = half * half.transpose();
  const TridiagonalForm form = tridiagonalise(a);
  const Vector b = random_matrix(12, 1), z = random_matrix(12, 2).col(1);
  const Eigen::MatrixXd shifted = tridiagonal_matrix(form) + 0.3 * Eigen::MatrixXd::Identity(12, 12);

  const ShiftedFactor factor = factorise(form.diagonal, form.below, b, 0.3);

  double u = 0, square = 0, product = 0;
  for (Index k = 0; k < 12; ++k) {
    u = z(k) - factor.multiplier(k) * u;
    square += factor.inverse_pivot(k) * u * u;
    product += factor.inverse_pivot(k) * factor.target(k) * u;
  }
  EXPECT_NEAR(square, z.dot(shifted.ldlt().solve(z)), 1e-9);
  EXPECT_NEAR(product, z.dot(shifted.ldlt().solve(b)), 1e-9);
}

} // namespace
} // namespace metasieve
