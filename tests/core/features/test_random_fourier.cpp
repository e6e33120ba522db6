#include "features/random_fourier.hpp"

#include "inner/design.hpp"
#include "support/random_tasks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numbers>

namespace metasieve {
namespace {

using test::random_task;

Matrix standardised(const Split& train) {
  return design_matrix(train, fit_standardizer(train, false)).leftCols(train.columns());
}

TEST(FastCos, is_accurate_to_ten_thousand) {
  double worst = 0;
  for (Index i = 0; i < 400000; ++i) {
    const double x = -1e4 + 0.05 * static_cast<double>(i) + 1e-4 * static_cast<double>(i % 500);
    worst = std::max(worst, std::abs(fast_cos(x) - std::cos(x)));
  }
  for (int k = -6000; k <= 6000; ++k)
    for (const double offset : {-1e-9, 0.0, 1e-9}) {
      const double x = k * std::numbers::pi / 2 + offset;
      worst = std::max(worst, std::abs(fast_cos(x) - std::cos(x)));
    }

  EXPECT_LT(worst, 1e-12);
  EXPECT_EQ(fast_cos(0.0), 1.0);
}

TEST(KernelWidth, is_near_that_of_all_pairs) {
  const Matrix x = standardised(random_task(300, 6));
  std::vector<double> distance;
  for (Index i = 0; i < 300; ++i)
    for (Index j = 0; j < i; ++j) distance.push_back((x.row(i) - x.row(j)).norm());
  std::nth_element(distance.begin(), distance.begin() + 22425, distance.end());

  const double width = kernel_width(x, Stream(Seed{1}, Draw::rff_pairs, TaskId{1}));

  // The median of 500 of these distances has a standard error of 0.04.
  EXPECT_NEAR(width, 0.6 * distance[22425], 0.15);
}

TEST(KernelWidth, falls_back_to_the_mean_and_to_one) {
  const Stream pairs(Seed{1}, Draw::rff_pairs, TaskId{1});
  Matrix mostly_equal = Matrix::Zero(20, 2);
  mostly_equal(3, 0) = 10.0; // a tenth of the pairs has distance 10

  EXPECT_NEAR(kernel_width(mostly_equal, pairs), 0.6 * 1.0, 0.6 * 0.7);
  EXPECT_GT(kernel_width(mostly_equal, pairs), 0.0);
  EXPECT_EQ(kernel_width(Matrix::Zero(20, 2), pairs), 1.0);
  EXPECT_EQ(kernel_width(Matrix::Ones(1, 2), pairs), 1.0);
}

TEST(FourierBasis, has_the_moments_of_its_distribution) {
  const Matrix x = standardised(random_task(200, 20));
  const double width = kernel_width(x, Stream(Seed{4}, Draw::rff_pairs, TaskId{6}));

  const FourierBasis basis = draw_fourier_basis(x, Seed{4}, TaskId{6});

  const double count = static_cast<double>(basis.frequency.size());
  EXPECT_NEAR((basis.frequency.array() * width).mean(), 0.0, 5 / std::sqrt(count));
  EXPECT_NEAR((basis.frequency.array() * width).square().mean(), 1.0, 5 * std::sqrt(2 / count));
  EXPECT_NEAR(basis.phase.mean(), std::numbers::pi, 5 * 2 * std::numbers::pi / std::sqrt(12.0 * 256));
  EXPECT_GE(basis.phase.minCoeff(), 0.0);
  EXPECT_LT(basis.phase.maxCoeff(), 2 * std::numbers::pi);
}

TEST(FourierFeatures, equal_the_formula_entry_by_entry) {
  const Matrix x = standardised(random_task(37, 5));
  const FourierBasis basis = draw_fourier_basis(x, Seed{4}, TaskId{6});

  const Eigen::MatrixXd features = fourier_features(basis, x);

  ASSERT_EQ(features.cols(), 256 + 5 + 1);
  for (Index i = 0; i < 37; ++i) {
    for (Index k = 0; k < 256; ++k) {
      double angle = basis.phase(k);
      for (Index j = 0; j < 5; ++j) angle += x(i, j) * basis.frequency(j, k);
      EXPECT_NEAR(features(i, k), std::sqrt(2.0 / 256) * std::cos(angle), 1e-12);
    }
    for (Index j = 0; j < 5; ++j) EXPECT_DOUBLE_EQ(features(i, 256 + j), 0.3 * x(i, j));
    EXPECT_EQ(features(i, 261), 0.3);
  }
}

FourierRidge fit(const Matrix& x, const Vector& target, const std::vector<Index>& fitted) {
  return fourier_ridge(draw_fourier_basis(x, Seed{4}, TaskId{6}), x, target, fitted, fourier_ridges);
}

Vector signs(const Labels& y) { return 2.0 * to_vector(y).array() - 1.0; }

TEST(FourierRidge, of_all_rows_is_the_leave_one_out_prediction) {
  const Split train = random_task(90, 4);
  const Matrix x = standardised(train);
  const Eigen::MatrixXd features = fourier_features(draw_fourier_basis(x, Seed{4}, TaskId{6}), x);

  const FourierRidge fitted = fit(x, signs(train.y), all_rows(90));

  const LeaveOneOut expected = leave_one_out_ridge(features, signs(train.y), fourier_ridges);
  EXPECT_EQ(fitted.prediction, expected.prediction);
  EXPECT_EQ(fitted.ridge, expected.ridge);
}

TEST(FourierRidge, tells_flipped_labels_of_a_curved_boundary_from_true_ones) {
  Split train = random_task(600, 2);
  const Matrix x = standardised(train);
  for (Index i = 0; i < 600; ++i) {
    const bool inside = x.row(i).squaredNorm() < 1.4;
    train.y(i) = inside != (i % 10 == 0) ? 1 : 0;
  }

  const Vector t = signs(train.y), margin = t.cwiseProduct(fit(x, t, all_rows(600)).prediction);

  double found = 0;
  for (Index i = 0; i < 600; i += 10) found += margin(i) < 0 ? 1 : 0;
  EXPECT_GT(found, 0.8 * 60);
}

TEST(FourierRidge, a_single_row_and_one_class_are_finite) {
  EXPECT_NEAR(fit(Matrix::Zero(1, 3), Vector::Ones(1), all_rows(1)).prediction(0), 0.0, 1e-9);
  EXPECT_TRUE(fit(Matrix::Random(30, 3), Vector::Constant(30, -1.0), all_rows(30)).prediction.allFinite());
}

} // namespace
} // namespace metasieve
