#include "numerics/newton.hpp"
#include "support/numerics.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace metasieve {
namespace {

using namespace test;

struct Problem {
  Matrix x; // intercept last
  Vector y, s, start, ridge;
};

Problem problem_of(Index rows, Index columns, double ridge = 1e-3) {
  const auto seed = static_cast<std::uint64_t>(100 * rows + columns);
  Problem out{normals(rows, columns, seed), coin(rows, seed + 1).cast<double>(),
              normals(rows, seed + 2).cwiseAbs(), 0.3 * normals(columns, seed + 3),
              ridge_diagonal(columns, ridge)};
  out.x.col(columns - 1).setOnes();
  out.s.head(rows / 3).setZero();
  return out;
}

void load(NewtonFit& newton, const Problem& problem) {
  newton.load(problem.x);
  std::ranges::copy(problem.y, newton.labels().begin());
  std::ranges::copy(problem.s, newton.weights().begin());
}

FitStatus fit(NewtonFit& newton, const Problem& problem) {
  load(newton, problem);
  return newton.fit(problem.start, problem.ridge);
}

/// The objective, its gradient and Hessian as their formulas say, row by row.
struct Reference {
  double value = 0;
  Vector gradient, p;
  Eigen::MatrixXd hessian;
};

Reference reference(const Problem& problem, const Vector& beta) {
  const double total = problem.s.sum();
  Reference out{0.5 * beta.dot(problem.ridge.cwiseProduct(beta)), problem.ridge.cwiseProduct(beta),
                Vector(problem.x.rows()), problem.ridge.asDiagonal()};
  for (Index i = 0; i < problem.x.rows(); ++i) {
    const Vector row = problem.x.row(i);
    const double f = row.dot(beta), p = 1.0 / (1.0 + std::exp(-f)), weight = problem.s(i) / total;
    const double margin = problem.y(i) > 0.5 ? f : -f;
    out.p(i) = p;
    out.value += weight * (std::max(0.0, -margin) + std::log1p(std::exp(-std::abs(margin))));
    out.gradient += weight * (p - problem.y(i)) * row;
    out.hessian += weight * p * (1.0 - p) * row * row.transpose();
  }
  return out;
}

/// By Newton's method with halved steps, in the obvious way.
Vector solution(const Problem& problem) {
  Vector beta = problem.start;
  for (int step = 0; step < 30; ++step) {
    const Reference here = reference(problem, beta);
    const Vector direction = here.hessian.llt().solve(here.gradient);
    double size = 1.0;
    while (size > 1e-9 && reference(problem, beta - size * direction).value > here.value) size *= 0.5;
    beta -= size * direction;
  }
  return beta;
}

class NewtonSizes : public ::testing::TestWithParam<std::pair<Index, Index>> {};

TEST_P(NewtonSizes, fit_is_that_of_the_plain_formulas) {
  const auto [rows, columns] = GetParam();
  const Problem problem = problem_of(rows, columns);
  NewtonFit newton;

  ASSERT_EQ(fit(newton, problem), FitStatus::converged);

  const Reference there = reference(problem, newton.beta());
  EXPECT_LT(there.gradient.cwiseAbs().maxCoeff(), 2e-9);
  EXPECT_LT((newton.beta() - solution(problem)).norm(), 1e-8 * there.hessian.inverse().norm());
  EXPECT_LT((newton.predictions() - there.p).cwiseAbs().maxCoeff(), 1e-13);
  EXPECT_LT((newton.logits() - problem.x * newton.beta()).cwiseAbs().maxCoeff(), 1e-12);
}

TEST_P(NewtonSizes, pullback_is_the_implicit_derivative) {
  const auto [rows, columns] = GetParam();
  const Problem problem = problem_of(rows, columns);
  const Vector d_beta = normals(columns, 7);
  NewtonFit newton;
  ASSERT_EQ(fit(newton, problem), FitStatus::converged);
  const Vector beta = newton.beta();

  const Vector adjoint = newton.solve(d_beta), d_weights = newton.pullback(d_beta);

  const Reference there = reference(problem, beta);
  const Vector expected_adjoint = there.hessian.llt().solve(d_beta);
  EXPECT_LT((adjoint - expected_adjoint).norm(), 1e-9 * expected_adjoint.norm());
  Vector expected(rows);
  for (Index i = 0; i < rows; ++i)
    expected(i) = -((there.p(i) - problem.y(i)) * problem.x.row(i).dot(expected_adjoint) +
                    problem.ridge.cwiseProduct(beta).dot(expected_adjoint)) /
                  problem.s.sum();
  EXPECT_LT((d_weights - expected).norm(),
            1e-9 * problem.x.norm() * expected_adjoint.norm() / problem.s.sum());
}

// Rows and columns on both sides of registers, tiles and blocks.
INSTANTIATE_TEST_SUITE_P(sizes, NewtonSizes,
                         ::testing::Values(std::pair<Index, Index>{1, 1}, std::pair<Index, Index>{2, 3},
                                           std::pair<Index, Index>{7, 2}, std::pair<Index, Index>{8, 4},
                                           std::pair<Index, Index>{9, 5}, std::pair<Index, Index>{33, 6},
                                           std::pair<Index, Index>{127, 7}, std::pair<Index, Index>{128, 8},
                                           std::pair<Index, Index>{129, 9}, std::pair<Index, Index>{300, 13},
                                           std::pair<Index, Index>{1000, 16},
                                           std::pair<Index, Index>{300, 41}));

TEST(Newton, memory_of_earlier_problems_leaves_no_trace) {
  const Problem small = problem_of(61, 5), large = problem_of(500, 23);
  NewtonFit fresh, used;
  ASSERT_EQ(fit(used, large), FitStatus::converged);
  ASSERT_EQ(fit(fresh, small), FitStatus::converged);

  ASSERT_EQ(fit(used, small), FitStatus::converged);

  EXPECT_EQ(Vector(used.beta()), Vector(fresh.beta()));
  EXPECT_EQ(Vector(used.pullback(small.start)), Vector(fresh.pullback(small.start)));
}

TEST(Newton, equal_rows_have_equal_predictions_wherever_they_stand) {
  Problem problem = problem_of(150, 6);
  for (const Index i : {3, 64, 127, 128, 149}) problem.x.row(i) = problem.x.row(0);
  NewtonFit newton;

  ASSERT_EQ(fit(newton, problem), FitStatus::converged);

  for (const Index i : {3, 64, 127, 128, 149})
    EXPECT_EQ(newton.predictions()(i), newton.predictions()(0)) << i;
}

TEST(Newton, steps_are_halved_where_the_full_one_is_too_long) {
  // At logit 5 with label 0 the curvature is small, and the full step goes to -143.
  Problem problem{Matrix::Ones(40, 1), Vector::Zero(40), Vector::Ones(40), Vector::Constant(1, 5.0),
                  Vector::Zero(1)};
  problem.y.head(20).setOnes();
  ASSERT_LT(5.0 - reference(problem, problem.start).gradient(0) /
                      reference(problem, problem.start).hessian(0, 0),
            -50.0);
  NewtonFit newton;

  EXPECT_EQ(fit(newton, problem), FitStatus::converged);

  EXPECT_NEAR(newton.beta()(0), 0.0, 1e-8);
  EXPECT_LT(newton.iterations(), 20);
}

TEST(Newton, refits_with_other_weights_and_labels_keep_the_design) {
  Problem problem = problem_of(90, 4);
  NewtonFit newton;
  ASSERT_EQ(fit(newton, problem), FitStatus::converged);
  problem.s = normals(90, 77).cwiseAbs();
  problem.y = coin(90, 78).cast<double>();
  std::ranges::copy(problem.y, newton.labels().begin());
  std::ranges::copy(problem.s, newton.weights().begin());

  ASSERT_EQ(newton.fit(newton.beta(), problem.ridge), FitStatus::converged);

  EXPECT_LT(reference(problem, newton.beta()).gradient.cwiseAbs().maxCoeff(), 2e-9);
}

TEST(Newton, a_fit_that_cannot_be_made_gives_back_its_start) {
  const Problem sound = problem_of(20, 3);
  NewtonFit newton;
  Problem problem = sound;
  problem.x(4, 1) = std::nan("");
  EXPECT_EQ(fit(newton, problem), FitStatus::diverged);
  EXPECT_EQ(Vector(newton.beta()), sound.start);
  problem = sound;
  problem.s.setZero();
  EXPECT_EQ(fit(newton, problem), FitStatus::diverged);
  problem = sound;
  problem.x.col(1) = problem.x.col(0);
  problem.ridge.setZero();
  problem.ridge(0) = -1e-3;
  EXPECT_EQ(fit(newton, problem), FitStatus::diverged) << "the Hessian is not positive definite";
  EXPECT_EQ(Vector(newton.beta()), sound.start);
  EXPECT_EQ(fit(newton, problem_of(0, 2)), FitStatus::diverged);
}

TEST(Newton, logits_far_from_zero_stay_finite) {
  Problem problem = problem_of(50, 3, 1e-3);
  problem.x.col(0) *= 1e5;
  problem.start << 1.0, 0.0, 0.0;
  NewtonFit newton;

  EXPECT_NE(fit(newton, problem), FitStatus::diverged);

  EXPECT_TRUE(newton.predictions().allFinite());
  EXPECT_LT(reference(problem, newton.beta()).value, reference(problem, problem.start).value);
}

} // namespace
} // namespace metasieve
