#include "policy/scores.hpp"

#include "policy/fast_network.hpp"

#include <algorithm>

namespace metasieve {

namespace {

Vector reference(const Policy& policy, const MatrixF& features) {
  constexpr Index block_rows = 4096;
  Vector u(features.rows());
  for (Index begin = 0; begin < u.size(); begin += block_rows) {
    const Index count = std::min(block_rows, u.size() - begin);
    u.segment(begin, count) = forward(policy, features.middleRows(begin, count).cast<double>()).u;
  }
  return u;
}

} // namespace

Vector scores(const Policy& policy, const MatrixF& features, Precision precision) {
  if (precision == Precision::float64) return reference(policy, features);
  constexpr Index block_rows = 480; // their activations fill some 250 kB
  PackedPolicy<> packed;
  packed.pack(policy);
  FastNetwork<> network;
  Vector u(features.rows());
  for (Index begin = 0; begin < u.size(); begin += block_rows) {
    const Index count = std::min(block_rows, u.size() - begin);
    network.load(features.data() + begin * features.cols(), count, features.cols());
    u.segment(begin, count) =
        Eigen::Map<const Eigen::VectorXf>(network.forward(packed), count).cast<double>();
  }
  return u;
}

} // namespace metasieve
