#include "kernels/fourier_ridge.hpp"

#include "features/random_fourier.hpp"
#include "inner/design.hpp"
#include "support/random_tasks.hpp"

#include <Eigen/Cholesky>
#include <gtest/gtest.h>

#include <algorithm>
#include <numbers>
#include <numeric>

namespace metasieve {
namespace {

using test::duplicated_task;
using test::random_task;

struct Problem {
  Matrix x;
  Vector target;
  FourierBasis basis;

  explicit Problem(const Split& train)
      : x(design_matrix(train, fit_standardizer(train, false)).leftCols(train.columns())),
        target(2.0 * to_vector(train.y).array() - 1.0), basis(draw_fourier_basis(x, Seed{4}, TaskId{6})) {}
};

double spread(const Vector& values) { return std::sqrt((values.array() - values.mean()).square().mean()); }

TEST(ScaledCosine, is_accurate_for_some_hundred_turns) {
  double worst = 0;
  constexpr Index lanes = simd::lanes<simd::Register<float>>;
  for (Index i = 0; i < 200000; i += lanes) {
    alignas(64) float turns[lanes], cosine[lanes];
    for (Index k = 0; k < lanes; ++k) turns[k] = (static_cast<float>(i + k) - 100000.0F) * 0.00100001F;

    simd::store(cosine, kernels::scaled_cosine(simd::load<simd::Register<float>>(turns)));

    for (Index k = 0; k < lanes; ++k)
      worst = std::max(worst, std::abs(static_cast<double>(cosine[k]) -
                                       std::sqrt(2.0 / 256) * std::cos(2.0 * std::numbers::pi * turns[k])));
  }

  EXPECT_LT(worst, 3e-8);
}

TEST(FourierTiles, are_the_features_by_rows_and_the_same_bits_by_columns) {
  for (const Index rows : {1, 5, 77, 200}) {
    const Problem problem(random_task(rows, 7));
    const Eigen::MatrixXd expected = fourier_features(problem.basis, problem.x);
    kernels::FourierTiles tiles(problem.basis, problem.x, problem.target);
    const Index q = tiles.size();
    ASSERT_EQ(q, expected.cols());
    MatrixF by_rows(rows, q), by_columns(rows, q);

    for (Index begin = 0; begin < rows; begin += kernels::FourierTiles::block_rows) {
      const Index end = std::min(rows, begin + kernels::FourierTiles::block_rows);
      const float* const block = tiles.by_rows(all_rows(rows), begin, end);
      for (Index i = begin; i < end; ++i) {
        const float* const row = block + (i - begin) * tiles.width();
        by_rows.row(i) = Eigen::Map<const Eigen::RowVectorXf>(row, q);
        EXPECT_EQ(row[q], static_cast<float>(problem.target(i)));
      }
    }
    for (Index begin = 0; begin < rows; begin += simd::panel_width<>) {
      const float* const block = tiles.by_columns(begin);
      for (Index i = begin; i < std::min(rows, begin + simd::panel_width<>); ++i)
        for (Index k = 0; k < q; ++k) by_columns(i, k) = block[k * simd::panel_width<> + i - begin];
    }

    EXPECT_EQ(by_rows, by_columns);
    EXPECT_LT((by_rows.cast<double>() - expected).cwiseAbs().maxCoeff(), 1e-6);
  }
}

TEST(FourierRidge, equals_the_double_form_at_any_number_of_rows_and_columns) {
  for (const Index columns : {1, 5, 20})
    for (const Index rows : {321, 400, 1500}) {
      const Problem problem(random_task(rows, columns));
      const LeaveOneOut slow =
          leave_one_out_ridge(fourier_features(problem.basis, problem.x), problem.target, fourier_ridges);

      const FourierRidge fast =
          kernels::fourier_ridge(problem.basis, problem.x, problem.target, all_rows(rows), fourier_ridges);

      EXPECT_EQ(fast.ridge, slow.ridge) << rows << " " << columns;
      EXPECT_LT((fast.prediction - slow.prediction).cwiseAbs().maxCoeff(), 1e-4 * spread(slow.prediction))
          << rows << " " << columns;
    }
}

TEST(FourierRidge, equals_the_double_form_for_each_ridge) {
  const Problem problem(random_task(600, 6));
  const Eigen::MatrixXd features = fourier_features(problem.basis, problem.x);
  for (const double ridge : fourier_ridges) {
    const std::array<double, 1> one{ridge};
    const Vector slow = leave_one_out_ridge(features, problem.target, one).prediction;

    const Vector fast =
        kernels::fourier_ridge(problem.basis, problem.x, problem.target, all_rows(600), one).prediction;

    EXPECT_LT((fast - slow).cwiseAbs().maxCoeff(), 1e-4 * spread(slow)) << ridge;
  }
}

TEST(FourierRidge, rows_that_are_not_fitted_are_predicted_by_the_fit_to_the_others) {
  const Problem problem(random_task(350, 5));
  const Eigen::MatrixXd features = fourier_features(problem.basis, problem.x);
  std::vector<Index> fitted, others;
  for (Index i = 0; i < 350; ++i) (i % 3 == 1 ? others : fitted).push_back(i);
  const Eigen::MatrixXd inside = features(fitted, Eigen::all);
  const Vector target = problem.target(fitted);
  const LeaveOneOut slow = leave_one_out_ridge(inside, target, fourier_ridges);
  Eigen::MatrixXd gram = inside.transpose() * inside;
  gram.diagonal().array() += slow.ridge;
  Vector expected(350);
  expected(fitted) = slow.prediction;
  expected(others) = features(others, Eigen::all) * gram.llt().solve(inside.transpose() * target);

  const FourierRidge fast =
      kernels::fourier_ridge(problem.basis, problem.x, problem.target, fitted, fourier_ridges);

  EXPECT_EQ(fast.ridge, slow.ridge);
  EXPECT_LT((fast.prediction - expected).cwiseAbs().maxCoeff(), 1e-4 * spread(expected));
}

TEST(FourierRidge, equal_rows_have_equal_bits_wherever_they_stand) {
  const Split train = duplicated_task(333, 2, 5);
  const Problem problem(train);

  const Vector prediction =
      kernels::fourier_ridge(problem.basis, problem.x, problem.target, all_rows(333), fourier_ridges)
          .prediction;

  Index equal = 0;
  for (Index i = 0; i < 333; ++i)
    for (Index k = 0; k < i; ++k)
      if (train.x.row(i) == train.x.row(k) && train.y(i) == train.y(k)) {
        EXPECT_EQ(prediction(i), prediction(k));
        ++equal;
      }
  EXPECT_GT(equal, 100);
}

TEST(FourierRidge, no_column_varies) {
  for (const Index rows : {1, 2, 40, 400}) {
    const Matrix x = Matrix::Zero(rows, 3);
    Vector target = Vector::Ones(rows);
    target(0) = -1.0;
    const FourierBasis basis = draw_fourier_basis(x, Seed{4}, TaskId{6});
    const LeaveOneOut slow = leave_one_out_ridge(fourier_features(basis, x), target, fourier_ridges);

    const FourierRidge fast = kernels::fourier_ridge(basis, x, target, all_rows(rows), fourier_ridges);

    EXPECT_LT((fast.prediction - slow.prediction).cwiseAbs().maxCoeff(), 1e-4) << rows;
  }
}

} // namespace
} // namespace metasieve
