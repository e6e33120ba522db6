#include "policy/network.hpp"
#include "support/numerics.hpp"

#include <cmath>

namespace metasieve {
namespace {

using namespace test;

Policy small_policy() {
  Policy shape;
  shape.features = FeatureSet::basic;
  shape.hidden = {7, 5};
  Policy policy = initialise(shape, Seed{3});
  policy.theta += 0.1 * normals(policy.theta.size(), 4); // biases too
  return policy;
}

TEST(Network, basic_has_2817_parameters_laid_out_weight_then_bias) {
  const Policy policy = initialise({FeatureSet::basic, {64, 32}, 0.7, 0.2, true, 0, {}}, Seed{1});

  const auto views = layers(policy);

  ASSERT_EQ(views.size(), 3U);
  EXPECT_EQ(policy.theta.size(), 2817);
  EXPECT_EQ(views[0].bias_offset, 640);
  EXPECT_EQ(views[1].weight_offset, 704);
  EXPECT_EQ(views[2].bias_offset, 2816);
}

TEST(Network, he_initialisation_has_variance_two_over_inputs_and_zero_biases) {
  const Policy policy = initialise({FeatureSet::full, {64, 32}, 0.7, 0.2, true, 0, {}}, Seed{1});

  const auto view = layers(policy)[1];
  const Vector weights = policy.theta.segment(view.weight_offset, view.inputs * view.outputs);

  EXPECT_NEAR(weights.squaredNorm() / 2048 * 64 / 2, 1.0, 5 * std::sqrt(2.0 / 2048));
  EXPECT_EQ(policy.theta.segment(view.bias_offset, view.outputs).norm(), 0.0);
  EXPECT_NE(policy.theta, initialise(policy, Seed{2}).theta);
}

TEST(Network, forward_agrees_with_scalar_loops) {
  const Policy policy = small_policy();
  const Matrix features = normals(4, 10, 5);

  const Vector u = forward(policy, features).u;

  for (Index i = 0; i < features.rows(); ++i) {
    Vector a = features.row(i);
    for (const LayerView& layer : layers(policy)) {
      Vector z(layer.outputs);
      for (Index j = 0; j < layer.outputs; ++j) {
        z(j) = policy.theta(layer.bias_offset + j);
        for (Index k = 0; k < layer.inputs; ++k)
          z(j) += a(k) * policy.theta(layer.weight_offset + k * layer.outputs + j);
      }
      a = layer.outputs == 1 ? z : z.cwiseMax(0.0);
    }
    EXPECT_NEAR(u(i), a(0), 1e-12);
  }
}

TEST(Network, pullback_agrees_with_central_differences) {
  const Policy policy = small_policy();
  const Matrix features = normals(30, 10, 5);
  const Vector d_u = normals(30, 6);
  const auto value = [&](const Vector& theta) {
    Policy moved = policy;
    moved.theta = theta;
    return forward(moved, features).u.dot(d_u);
  };

  const Vector d_theta = pullback(policy, forward(policy, features), d_u);

  // A small step: the network is piecewise linear, and a kink inside the step would spoil the difference.
  EXPECT_LT(relative_error(d_theta, central_difference(value, policy.theta, 1e-6)), 1e-6);
}

} // namespace
} // namespace metasieve
