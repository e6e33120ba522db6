#include "policy/adam.hpp"
#include "policy/weights.hpp"
#include "support/numerics.hpp"

#include <cmath>

namespace metasieve {
namespace {

using namespace test;

class KeepWeights : public ::testing::TestWithParam<double> {};

TEST_P(KeepWeights, mean_is_the_budget) {
  const Vector u = 3.0 * normals(200, 1).array().cube();

  const Vector s = keep_weights(u, GetParam(), 0.2).weights;

  EXPECT_NEAR(s.mean(), GetParam(), 1e-13);
  EXPECT_GT(s.minCoeff(), 0.0);
  EXPECT_LE(s.maxCoeff(), 1.0);
}

TEST_P(KeepWeights, do_not_depend_on_shift_and_scale_of_the_scores) {
  const Vector u = normals(50, 2);

  const Vector s = keep_weights(u, GetParam(), 0.2).weights;
  const Vector moved = keep_weights(7.0 * u.array() + 3.0, GetParam(), 0.2).weights;

  EXPECT_LT((s - moved).cwiseAbs().maxCoeff(), 1e-12);
}

TEST_P(KeepWeights, pullback_agrees_with_central_differences) {
  const Vector u = normals(40, 3), upstream = normals(40, 4);
  const auto value = [&](const Vector& x) { return keep_weights(x, GetParam(), 0.3).weights.dot(upstream); };

  const Vector d_u = pullback(keep_weights(u, GetParam(), 0.3), upstream);

  EXPECT_LT(relative_error(d_u, central_difference(value, u)), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(budgets, KeepWeights, ::testing::Values(0.3, 0.7, 0.95));

TEST(KeepWeightsDegenerate, constant_scores_keep_all_rows_alike_and_pass_no_gradient) {
  const WeightsTrace trace = keep_weights(Vector::Constant(9, 2.5), 0.7, 0.2);

  EXPECT_EQ(trace.weights, Vector::Constant(9, 0.7));
  EXPECT_EQ(pullback(trace, normals(9, 1)), Vector::Zero(9));
}

TEST(KeepWeightsDegenerate, saturated_weights_pass_no_gradient) {
  const Vector u{{-1.0, -0.9, 0.9, 1.0}};

  const WeightsTrace trace = keep_weights(u, 0.5, 1e-4);

  EXPECT_EQ(trace.weights, (Vector{{0, 0, 1, 1}}));
  EXPECT_EQ(pullback(trace, normals(4, 1)), Vector::Zero(4));
}

TEST(Adam, first_step_moves_each_parameter_by_the_learning_rate) {
  Adam adam(3);
  const Vector theta = Vector::Zero(3), gradient = Vector{{2.0, -5.0, 1e-3}};

  const Vector moved = adam.update(theta, gradient, 0.01);

  // Kingma and Ba: m/(1-b1) / sqrt(v/(1-b2)) is the sign of the gradient at step 1.
  EXPECT_NEAR(moved(0), -0.01, 1e-7);
  EXPECT_NEAR(moved(1), 0.01, 1e-7);
  EXPECT_NEAR(moved(2), -0.01, 1e-6);
}

TEST(Adam, minimises_a_badly_scaled_quadratic) {
  Adam adam(2);
  const Vector scale = Vector{{100.0, 0.01}};
  Vector theta = Vector{{1.0, -1.0}};

  for (int i = 0; i < 3000; ++i) theta = adam.update(theta, scale.cwiseProduct(theta), 0.003);

  EXPECT_LT(theta.norm(), 1e-3);
}

TEST(Clip, scales_only_what_is_too_long) {
  const Vector g = Vector{{3.0, 4.0}};

  EXPECT_EQ(clipped(g, 10.0), g);
  EXPECT_EQ(clipped(g, 0.0), g);
  EXPECT_NEAR(clipped(g, 1.0).norm(), 1.0, 1e-15);
}

} // namespace
} // namespace metasieve
