#include "kernels/network.hpp"
#include "support/numerics.hpp"

#include <cmath>
#include <numeric>

namespace metasieve {
namespace {

using namespace test;

Policy policy_of(FeatureSet features, std::vector<Index> hidden) {
  Policy shape;
  shape.features = features;
  shape.hidden = std::move(hidden);
  Policy policy = initialise(shape, Seed{3});
  policy.theta += 0.1 * normals(policy.theta.size(), 4); // biases too
  return policy;
}

Eigen::VectorXf padded_to_packets(const Vector& values) {
  Eigen::VectorXf out = Eigen::VectorXf::Zero(simd::padded(values.size(), 16));
  out.head(values.size()) = values.cast<float>();
  return out;
}

template <class P>
class FastNetworkOf : public ::testing::Test {};

using Packets = ::testing::Types<simd::Register<float>
#ifdef EIGEN_VECTORIZE_AVX512
                                 ,
                                 simd::Float8
#endif
#ifdef EIGEN_VECTORIZE_AVX
                                 ,
                                 simd::Float4
#endif
#ifdef EIGEN_VECTORIZE
                                 ,
                                 float
#endif
                                 >;
TYPED_TEST_SUITE(FastNetworkOf, Packets);

TYPED_TEST(FastNetworkOf, agrees_with_the_double_form_for_every_shape_and_number_of_rows) {
  kernels::PackedPolicy<TypeParam> packed;
  kernels::Network<TypeParam> network;
  for (const FeatureSet set : feature_sets)
    for (const std::vector<Index>& hidden :
         std::vector<std::vector<Index>>{{64, 32}, {8, 4}, {7, 5}, {1}, {33}, {130, 20, 3}})
      for (const Index n : {1, 2, 11, 12, 13, 47, 48, 49, 131}) {
        const Policy policy = policy_of(set, hidden);
        const MatrixF features = normals(n, feature_count(set), 5).cast<float>();
        const Vector d_u = normals(n, 6);
        const PolicyTrace trace = forward(policy, features.cast<double>());
        const Vector expected = pullback(policy, trace, d_u);
        Vector d_theta(policy.theta.size());

        packed.pack(policy);
        network.assign(features, {});
        const Vector u =
            Eigen::Map<const Eigen::VectorXf>(network.forward(packed), n).template cast<double>();
        network.pullback(packed, padded_to_packets(d_u).data(), d_theta);

        EXPECT_LT((u - trace.u).cwiseAbs().maxCoeff(), 2e-6 * (1.0 + trace.u.cwiseAbs().maxCoeff()));
        EXPECT_LT((d_theta - expected).norm(), 1e-5 * (1e-3 + expected.norm())) << n << " " << hidden.size();
      }
}

TYPED_TEST(FastNetworkOf, a_rows_output_does_not_depend_on_the_rows_beside_it) {
  const Policy policy = policy_of(FeatureSet::context, {64, 32});
  const MatrixF features = normals(100, 27, 5).cast<float>();
  kernels::PackedPolicy<TypeParam> packed;
  packed.pack(policy);
  kernels::Network<TypeParam> network;
  network.assign(features, {});
  const Eigen::VectorXf all = Eigen::Map<const Eigen::VectorXf>(network.forward(packed), 100);

  for (const std::vector<Index>& rows : std::vector<std::vector<Index>>{
           {99}, {0, 13, 50}, {3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47}}) {
    network.assign(features, rows);
    const float* const u = network.forward(packed);

    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(u[i], all(rows[i]));
  }
}

TEST(Network, does_not_depend_on_what_its_memory_held) {
  const Policy small = policy_of(FeatureSet::basic, {7, 5}), large = policy_of(FeatureSet::full, {64, 32});
  const MatrixF few = normals(30, 10, 5).cast<float>(), many = 1e6 * normals(300, 16, 6).cast<float>();
  const Eigen::VectorXf d_u = padded_to_packets(normals(300, 7));
  const auto result = [&](kernels::Network<>& network) {
    kernels::PackedPolicy<> packed;
    packed.pack(small);
    Vector d_theta(small.theta.size());
    network.assign(few, {});
    static_cast<void>(network.forward(packed));
    network.pullback(packed, d_u.data(), d_theta);
    return d_theta;
  };
  kernels::Network<> fresh, used;
  kernels::PackedPolicy<> packed;
  packed.pack(large);
  Vector unused(large.theta.size());
  used.assign(many, {});
  static_cast<void>(used.forward(packed));
  used.pullback(packed, d_u.data(), unused);

  EXPECT_EQ(result(used), result(fresh));
}

TEST(Network, a_row_that_is_not_finite_gives_an_output_that_is_not) {
  const Policy policy = policy_of(FeatureSet::full, {64, 32});
  MatrixF features = normals(20, 16, 5).cast<float>();
  features(13, 2) = std::nanf("");
  kernels::PackedPolicy<> packed;
  packed.pack(policy);
  kernels::Network<> network;
  network.assign(features, {});

  const float* const u = network.forward(packed);

  for (Index i = 0; i < 20; ++i) EXPECT_EQ(std::isfinite(u[i]), i != 13) << i;
}

} // namespace
} // namespace metasieve
