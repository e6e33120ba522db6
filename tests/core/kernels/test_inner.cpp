#include "kernels/inner.hpp"
#include "support/groups.hpp"
#include "support/numerics.hpp"

namespace metasieve {
namespace {

using namespace test;

Split split_of(Index n, Index d) {
  Split split{(normals(n, d, 1).array() * 3.0 + 5.0).matrix().cast<float>(), coin(n, 2), coin(n, 3, 0.3),
              coin(n, 2)};
  if (d > 2) split.x.col(1).setConstant(4.5F);
  return split;
}

/// The rows of `split` (all where none are listed) as both forms hold them.
struct Problem {
  InnerProblem reference;
  kernels::UnrolledSteps<float> fast;

  Problem(const Split& split, const std::vector<Index>& rows, bool use_group) {
    const Standardizer standardizer = fit_standardizer(split, use_group);
    reference.x =
        rows.empty() ? design_matrix(split, standardizer) : design_matrix(split, standardizer, rows);
    reference.y = rows.empty() ? to_vector(split.y) : to_vector(split.y(rows));
    reference.probe = 0.1 * normals(reference.x.cols(), 7);
    fast.assign(split, standardizer, rows);
  }
};

Vector head(const float* values, Index n) {
  return Eigen::Map<const Eigen::VectorXf>(values, n).cast<double>();
}

TEST(FastDesign, agrees_with_the_design_matrix_for_all_rows_and_for_some) {
  for (const Index d : {1, 5, 13, 16, 17, 40})
    for (const Index n : {1, 3, 16, 33, 100})
      for (const bool use_group : {false, true})
        for (const std::vector<Index>& rows : std::vector<std::vector<Index>>{{}, {0}, {0, n / 2, n - 1}}) {
          const Problem problem(split_of(n, d), rows, use_group);
          const Matrix& expected = problem.reference.x;

          for (Index j = 0; j < expected.cols(); ++j)
            EXPECT_LT((head(problem.fast.design().column(j), expected.rows()) - expected.col(j))
                          .cwiseAbs()
                          .maxCoeff(),
                      2e-6)
                << n << " x " << d << ", column " << j;
        }
}

TEST(FastDesign, is_the_design_matrix_itself_in_double) {
  for (const Index groups : {1, 2, 3, 5}) {
    const Split train = with_groups(split_of(37, 9), groups, 4),
                test = with_groups(split_of(53, 9), groups, 5);
    const Standardizer standardizer = fit_standardizer(train, true);
    const Matrix expected = design_matrix(test, standardizer);
    simd::Columns<double> columns;
    columns.resize(53, standardizer.inputs());

    kernels::fill_design(test, standardizer, {}, columns);

    ASSERT_EQ(expected.cols(), 9 + groups);
    for (Index j = 0; j < expected.cols(); ++j)
      EXPECT_EQ(Vector(Eigen::Map<const Vector>(columns.column(j), 53)), Vector(expected.col(j))) << j;
  }
}

class FastUnrolledAs : public ::testing::TestWithParam<Unrolled> {};

TEST_P(FastUnrolledAs, agrees_with_the_double_form_there_and_back) {
  for (const Index n : {2, 17, 64, 257, 1000}) {
    Problem problem(split_of(n, 13), {}, true);
    const Vector u = normals(n, 4), d_beta = normals(problem.reference.x.cols(), 5);
    const Eigen::VectorXf rounded = sigmoid(u.array()).matrix().cast<float>();
    const InnerOptions options{GetParam(), 1e-2};
    const Vector of_reference = rounded.cast<double>();
    const InnerFit expected = fit(problem.reference, of_reference, options);

    const Vector beta = problem.fast.fit(rounded.data(), problem.reference.probe, 1e-2, GetParam());
    const float* const d_weights = problem.fast.pullback(d_beta, GetParam());

    EXPECT_EQ(problem.fast.status(), FitStatus::converged);
    EXPECT_LT(relative_error(beta, expected.beta), 1e-5) << n;
    EXPECT_LT(relative_error(head(d_weights, n),
                             pullback(problem.reference, of_reference, expected, options, d_beta)),
              1e-4)
        << n;
    EXPECT_EQ(head(d_weights + n, problem.fast.design().padded_rows() - n).norm(), 0.0);
  }
}

INSTANTIATE_TEST_SUITE_P(options, FastUnrolledAs,
                         ::testing::Values(Unrolled{5, 0.5, Start::zero, false, false},
                                           Unrolled{1, 0.5, Start::zero, false, true},
                                           Unrolled{7, 0.3, Start::probe, false, false},
                                           Unrolled{4, 0.5, Start::probe, false, true}));

TEST(UnrolledSteps, steps_that_grow_beyond_all_bounds_are_divergence) {
  Problem problem(split_of(50, 4), {}, true);
  const Eigen::VectorXf weights = Eigen::VectorXf::Ones(50);

  static_cast<void>(
      problem.fast.fit(weights.data(), problem.reference.probe, 1e3, {200, 1e3, Start::probe, false, false}));

  EXPECT_EQ(problem.fast.status(), FitStatus::diverged);
}

} // namespace
} // namespace metasieve
