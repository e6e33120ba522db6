#include "kernels/weights.hpp"
#include "policy/weights.hpp"
#include "support/numerics.hpp"

namespace metasieve {
namespace {

using namespace test;

Eigen::VectorXf padded_to_packets(const Vector& values) {
  Eigen::VectorXf out =
      Eigen::VectorXf::Constant(simd::padded(values.size(), 16), 1e9F); // is never looked at
  out.head(values.size()) = values.cast<float>();
  return out;
}

Vector head(const float* values, Index n) {
  return Eigen::Map<const Eigen::VectorXf>(values, n).cast<double>();
}

class FastKeepWeights : public ::testing::TestWithParam<double> {};

TEST_P(FastKeepWeights, and_their_pullback_agree_with_the_double_form) {
  kernels::Weighting fast;
  for (const Index n : {2, 15, 16, 17, 600, 3751}) {
    const Vector u = 3.0 * normals(n, 1).array() + 20.0;
    Vector upstream = normals(n, 2);
    Eigen::VectorXf d_weights = padded_to_packets(upstream);
    d_weights.tail(d_weights.size() - n).setZero();
    const WeightsTrace trace = keep_weights(u, GetParam(), 0.2);

    const Vector s = head(fast.forward(padded_to_packets(u).data(), n, GetParam(), 0.2), n);
    const Vector d_u = head(fast.pullback(d_weights.data()), n);

    EXPECT_LT((s - trace.weights).cwiseAbs().maxCoeff(), 3e-5) << n; // u is rounded: 20 / 2^24 / 3 / T
    EXPECT_NEAR(s.mean(), GetParam(), 1e-6);
    const Vector expected = pullback(trace, upstream);
    EXPECT_LT((d_u - expected).norm(), 1e-4 * (expected.norm() + 1e-3 * upstream.norm())) << n;
  }
}

INSTANTIATE_TEST_SUITE_P(budgets, FastKeepWeights, ::testing::Values(0.3, 0.7, 0.95));

TEST(Weighting, constant_scores_keep_all_rows_alike_and_pass_no_gradient) {
  kernels::Weighting fast;
  for (const double value : {0.0, 2.5, -1e4})
    for (const Index n : {1, 9, 40}) {
      const Eigen::VectorXf u = padded_to_packets(Vector::Constant(n, value)),
                            upstream = padded_to_packets(normals(n, 1));

      EXPECT_EQ(head(fast.forward(u.data(), n, 0.7, 0.2), n), Vector::Constant(n, 0.7F));
      EXPECT_EQ(head(fast.pullback(upstream.data()), n), Vector::Zero(n));
    }
}

TEST(Weighting, saturated_weights_pass_no_gradient) {
  const Eigen::VectorXf u = padded_to_packets(Vector{{-1.0, -0.9, 0.9, 1.0}}),
                        upstream = padded_to_packets(normals(4, 1));
  kernels::Weighting fast;

  EXPECT_EQ(head(fast.forward(u.data(), 4, 0.5, 1e-4), 4), (Vector{{0, 0, 1, 1}}));
  EXPECT_EQ(head(fast.pullback(upstream.data()), 4), Vector::Zero(4));
}

} // namespace
} // namespace metasieve
