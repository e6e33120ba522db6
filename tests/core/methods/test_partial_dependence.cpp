#include "methods/partial_dependence.hpp"
#include "policy/weights.hpp"
#include "support/numerics.hpp"

#include <limits>

namespace metasieve {
namespace {

using namespace test;

/// u = a features_0 + b features_1 for the policy that `linear_policy` makes.
constexpr double a = 1.5, b = -0.5;

/// relu(x) - relu(-x) = x: two hidden units for each of two features make the network linear.
Policy linear_policy() {
  Policy policy;
  policy.features = FeatureSet::basic;
  policy.hidden = {4};
  policy.theta = Vector::Zero(parameter_count(policy));
  const std::vector<LayerView> views = layers(policy);
  for (Index unit = 0; unit < 4; ++unit) {
    const double sign = unit % 2 == 0 ? 1.0 : -1.0;
    policy.theta(views[0].weight_offset + unit / 2 * 4 + unit) = sign;
    policy.theta(views[1].weight_offset + unit) = sign * (unit < 2 ? a : b);
  }
  return policy;
}

TEST(PartialDependence, of_a_linear_policy_is_its_line) {
  const Policy policy = linear_policy();
  const Matrix features = normals(300, 10, 1);
  const Vector u = a * features.col(0) + b * features.col(1);
  const double scale = std::sqrt((u.array() - u.mean()).square().mean());
  const Vector points = Vector{{-1, 0, 0.5, 2}};

  const Matrix score = partial_dependence(policy, features, points.transpose().replicate(10, 1)).score;

  const Vector first = a * (points.array() - features.col(0).mean()) / scale;
  const Vector second = b * (points.array() - features.col(1).mean()) / scale;
  EXPECT_LT((score.row(0).transpose() - first).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT((score.row(1).transpose() - second).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT(score.bottomRows(8).cwiseAbs().maxCoeff(), 1e-12); // features that it does not read
}

TEST(PartialDependence, keep_weights_are_those_at_the_sample_s_threshold) {
  const Policy policy = linear_policy();
  const Matrix features = normals(300, 10, 1);
  const Vector before = keep_weights(a * features.col(0) + b * features.col(1), 0.7, 0.2).weights;
  Matrix grid = Matrix::Zero(10, 2);
  grid.col(1).setConstant(1.0);

  const Matrix keep = partial_dependence(policy, features, grid).keep;

  EXPECT_NEAR(keep(5, 0), 0.7, 1e-9); // not read: nothing changes
  // A row's weight after its feature 1 became 1, from its weight before: v moved by b (1 - x)/sd.
  const Vector u = a * features.col(0) + b * features.col(1);
  const double scale = std::sqrt((u.array() - u.mean()).square().mean());
  double expected = 0;
  for (Index i = 0; i < 300; ++i) {
    const double logit = std::log(before(i) / (1 - before(i)));
    expected += sigmoid(logit + b * (1 - features(i, 1)) / scale / 0.2) / 300;
  }
  EXPECT_NEAR(keep(1, 1), expected, 1e-8);
  EXPECT_LT(keep(0, 0), keep(0, 1));
  EXPECT_GT(keep(1, 0), keep(1, 1));
}

TEST(PartialDependence, a_constant_policy_responds_to_nothing) {
  Policy policy = linear_policy();
  policy.theta.setZero();
  const Matrix features = normals(50, 10, 2);

  const PartialDependence flat = partial_dependence(policy, features, quantile_grid(features, 3));

  EXPECT_EQ(flat.score, Matrix::Zero(10, 3));
  // A mean of 50 times 0.7, whose rounding depends on the width of the processor's registers.
  EXPECT_LT((flat.keep.array() - 0.7).abs().maxCoeff(), 50 * std::numeric_limits<double>::epsilon());
}

TEST(QuantileGrid, by_hand) {
  Matrix features(5, 2);
  features << 4, 1, 2, 0, 0, 0, 3, 1, 1, 1;

  const Matrix grid = quantile_grid(features, 3);

  EXPECT_EQ(grid.row(0), (Eigen::RowVector3d{0, 2, 4}));
  EXPECT_EQ(grid.row(1), (Eigen::RowVector3d{0, 1, 1}));
  EXPECT_EQ(quantile_grid(features.topRows(1), 2).row(0), (Eigen::RowVector2d{4, 4}));
}

} // namespace
} // namespace metasieve
