#include "tasks/generate.hpp"

#include <Eigen/QR>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>

namespace metasieve {
namespace {

/// Share of the variance of column j that the other columns explain.
double explained(const Matrix& x, Index j) {
  std::vector<Index> others;
  for (Index k = 0; k < x.cols(); ++k)
    if (k != j) others.push_back(k);
  const Matrix centred = x.rowwise() - x.colwise().mean();
  const Eigen::MatrixXd inputs = centred(Eigen::all, others);
  const Vector target = centred.col(j);
  const Vector fitted = inputs * inputs.completeOrthogonalDecomposition().solve(target);
  return fitted.squaredNorm() / target.squaredNorm();
}

TEST(MakeClassification, has_exactly_the_positives_asked_for_in_random_order) {
  const Classification problem = make_classification({1001, 250, 8, 1.0}, Seed{1}, TaskId{0});

  EXPECT_EQ(problem.x.rows(), 1001);
  EXPECT_EQ(problem.x.cols(), 8);
  EXPECT_EQ(problem.y.cast<int>().sum(), 250);
  // 125 +- 9.7 positives in either half, were the rows shuffled.
  EXPECT_NEAR(problem.y.head(500).cast<int>().sum(), 125, 39);
}

TEST(MakeClassification, redundant_columns_are_linear_combinations_of_the_informative_ones) {
  for (const Index d : {3, 4, 5, 8, 13, 20}) {
    const Classification problem = make_classification({400, 200, d, 1.0}, Seed{1}, TaskId{5});
    const Matrix centred = problem.x.rowwise() - problem.x.colwise().mean();

    Eigen::ColPivHouseholderQR<Eigen::MatrixXd> factor{Eigen::MatrixXd(centred)};
    const Index rank = factor.setThreshold(1e-9).rank();

    EXPECT_EQ(rank, d - std::max<Index>(1, d / 4)) << d;
  }
}

TEST(MakeClassification, useless_columns_are_noise_and_columns_are_shuffled) {
  constexpr Index problems = 150, d = 5; // two informative, one redundant, two useless
  Vector useless = Vector::Zero(d);

  for (Index id = 0; id < problems; ++id) {
    const Classification problem = make_classification({400, 200, d, 1.0}, Seed{1}, TaskId(id));
    Index found = 0;
    for (Index j = 0; j < d; ++j)
      if (explained(problem.x, j) < 0.5) {
        useless(j) += 1;
        ++found;
      }
    ASSERT_EQ(found, 2) << id;
  }

  for (Index j = 0; j < d; ++j) EXPECT_NEAR(useless(j), 0.4 * problems, 4 * std::sqrt(0.24 * problems)) << j;
}

TEST(MakeClassification, clusters_are_centred_on_distinct_vertices_of_side_two_separability) {
  // At a huge separability the rows of an informative column sit at +-separability, within a few units.
  constexpr Index d = 12, informative = 6;
  const Classification problem = make_classification({400, 160, d, 1000.0}, Seed{1}, TaskId{3});
  std::vector<Index> columns;
  for (Index j = 0; j < d; ++j)
    if ((problem.x.col(j).cwiseAbs().array() - 1000.0).abs().maxCoeff() < 30.0) columns.push_back(j);
  ASSERT_LE(columns.size(), static_cast<std::size_t>(informative));
  ASSERT_GE(columns.size(), 2U);

  std::map<std::vector<bool>, std::array<Index, 2>> rows_at;
  for (Index i = 0; i < problem.x.rows(); ++i) {
    std::vector<bool> signs;
    for (const Index j : columns) signs.push_back(problem.x(i, j) > 0);
    ++rows_at[signs][problem.y(i)];
  }

  ASSERT_EQ(rows_at.size(), 4U);
  for (const auto& [signs, counts] : rows_at) {
    EXPECT_TRUE((counts == std::array<Index, 2>{120, 0}) || (counts == std::array<Index, 2>{0, 80}))
        << counts[0] << ' ' << counts[1];
  }
}

TEST(MakeClassification, in_two_informative_dimensions_one_axis_decides_the_label) {
  // As in scikit-learn, which takes all four vertices in order: never an exclusive or.
  for (Index id = 0; id < 30; ++id) {
    const Classification problem = make_classification({200, 100, 5, 1000.0}, Seed{1}, TaskId(id));
    bool decides = false;
    for (Index j = 0; j < 5; ++j) {
      const auto agrees = ((problem.x.col(j).array() > 0) == (problem.y.array() == 1)).count();
      decides = decides || agrees == 200;
    }

    EXPECT_TRUE(decides) << id;
  }
}

TEST(MakeClassification, clusters_have_maps_of_their_own) {
  // Covariances of the two clusters of one label, found by the sign of the informative axis that tells them
  // apart.
  const Classification problem = make_classification({4000, 2000, 3, 100.0}, Seed{1}, TaskId{2});
  std::vector<Vector> variances;
  std::map<std::vector<bool>, std::vector<Index>> clusters;
  for (Index i = 0; i < problem.x.rows(); ++i) {
    std::vector<bool> signs{problem.y(i) == 1};
    for (Index j = 0; j < 3; ++j) signs.push_back(problem.x(i, j) > 0);
    clusters[signs].push_back(i);
  }

  for (const auto& [signs, rows] : clusters) {
    const Matrix part = problem.x(rows, Eigen::all);
    const Matrix centred = part.rowwise() - part.colwise().mean();
    variances.push_back(centred.array().square().colwise().mean().matrix().transpose());
  }

  ASSERT_EQ(variances.size(), 4U);
  for (std::size_t a = 0; a < 4; ++a)
    for (std::size_t b = 0; b < a; ++b) EXPECT_GT((variances[a] - variances[b]).norm(), 0.15) << a << b;
}

TEST(MakeClassification, every_argument_of_the_stream_changes_the_problem) {
  const ClassificationShape shape{100, 50, 6, 1.0};

  const Matrix x = make_classification(shape, Seed{1}, TaskId{1}).x;

  EXPECT_TRUE(x == make_classification(shape, Seed{1}, TaskId{1}).x);
  EXPECT_FALSE(x == make_classification(shape, Seed{2}, TaskId{1}).x);
  EXPECT_FALSE(x == make_classification(shape, Seed{1}, TaskId{2}).x);
}

} // namespace
} // namespace metasieve
