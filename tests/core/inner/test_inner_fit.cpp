#include "inner/inner_fit.hpp"
#include "support/numerics.hpp"

namespace metasieve {
namespace {

using namespace test;

struct Setting {
  InnerProblem problem;
  Vector weights, upstream;
};

Setting setting(double spread = 1.0) {
  Setting s;
  s.problem.x = normals(40, 4, 1);
  s.problem.x.col(3).setOnes();
  s.problem.y = coin(40, 2).cast<double>();
  s.problem.probe = 0.3 * normals(4, 3);
  s.weights = 0.7 + 0.3 * spread * normals(40, 4).array().tanh();
  s.upstream = normals(4, 5);
  return s;
}

double relative_pullback_error(const Setting& s, const InnerOptions& options) {
  const auto value = [&](const Vector& weights) {
    return fit(s.problem, weights, options).beta.dot(s.upstream);
  };
  const InnerFit model = fit(s.problem, s.weights, options);
  EXPECT_EQ(model.status, FitStatus::converged);
  return relative_error(pullback(s.problem, s.weights, model, options, s.upstream),
                        central_difference(value, s.weights));
}

TEST(InnerFit, implicit_pullback_agrees_with_central_differences) {
  EXPECT_LT(relative_pullback_error(setting(), {Implicit{}, 1e-2}), 1e-6);
}

using UnrolledCase = std::tuple<Start, bool, int>;
class UnrolledFit : public ::testing::TestWithParam<UnrolledCase> {};

TEST_P(UnrolledFit, pullback_agrees_with_central_differences) {
  const auto [start, precondition, steps] = GetParam();
  EXPECT_LT(relative_pullback_error(setting(), {Unrolled{steps, 0.7, start, precondition, false}, 1e-2}),
            1e-6);
}

INSTANTIATE_TEST_SUITE_P(all, UnrolledFit,
                         ::testing::Combine(::testing::Values(Start::zero, Start::probe), ::testing::Bool(),
                                            ::testing::Values(1, 5, 20)));

TEST(FirstOrder, is_exact_for_one_step_and_drops_the_hessian_beyond) {
  const Setting s = setting();
  const InnerOptions one{Unrolled{1, 0.7, Start::zero, false, true}, 1e-2};
  const InnerOptions many{Unrolled{8, 0.7, Start::zero, false, true}, 1e-2};

  EXPECT_LT(relative_pullback_error(s, one), 1e-6);
  EXPECT_GT(relative_pullback_error(s, many), 1e-2);
}

TEST(FirstOrder, equals_the_sum_of_one_step_pullbacks) {
  const Setting s = setting();
  const InnerOptions options{Unrolled{6, 0.7, Start::zero, false, true}, 1e-2};
  const InnerFit model = fit(s.problem, s.weights, options);

  // Each step alone, started where the unrolling was: the chain with the Hessian replaced by the identity.
  Vector expected = Vector::Zero(40);
  for (const Vector& iterate : model.iterates) {
    InnerProblem from_iterate = s.problem;
    from_iterate.probe = iterate;
    const InnerOptions one{Unrolled{1, 0.7, Start::probe, false, false}, 1e-2};
    expected += central_difference(
        [&](const Vector& w) { return fit(from_iterate, w, one).beta.dot(s.upstream); }, s.weights);
  }

  EXPECT_LT(relative_error(pullback(s.problem, s.weights, model, options, s.upstream), expected), 1e-6);
}

TEST(InnerFit, implicit_equals_a_long_unrolling) {
  const Setting s = setting();
  const InnerOptions implicit{Implicit{}, 1e-2};
  const InnerOptions unrolled{Unrolled{400, 2.0, Start::zero, true, false}, 1e-2};

  const InnerFit exact = fit(s.problem, s.weights, implicit), descended = fit(s.problem, s.weights, unrolled);

  EXPECT_LT((exact.beta - descended.beta).norm(), 1e-8);
  EXPECT_LT(relative_error(pullback(s.problem, s.weights, descended, unrolled, s.upstream),
                           pullback(s.problem, s.weights, exact, implicit, s.upstream)),
            1e-6);
}

TEST(InnerFit, too_long_steps_are_reported_as_divergence) {
  Setting s = setting();
  s.problem.x *= 1e6;

  const InnerFit model = fit(s.problem, s.weights, {Unrolled{400, 1e6, Start::zero, false, false}, 1e3});

  EXPECT_EQ(model.status, FitStatus::diverged);
}

} // namespace
} // namespace metasieve
