#include "kernels/scores.hpp"

#include <algorithm>

namespace metasieve {

Scorer::Scorer(const Policy& policy, Precision precision) : policy_(policy), precision_(precision) {
  if (precision == Precision::float32) packed_.pack(policy);
}

Vector Scorer::operator()(const MatrixF& features) {
  // In float32 the activations of a block fill some 250 kB.
  const Index block_rows = precision_ == Precision::float32 ? 480 : 4096;
  Vector u(features.rows());
  for (Index begin = 0; begin < u.size(); begin += block_rows) {
    const Index count = std::min(block_rows, u.size() - begin);
    if (precision_ == Precision::float64) {
      u.segment(begin, count) = forward(policy_, features.middleRows(begin, count).cast<double>()).u;
      continue;
    }
    network_.load(features.data() + begin * features.cols(), count, features.cols());
    u.segment(begin, count) =
        Eigen::Map<const Eigen::VectorXf>(network_.forward(packed_), count).cast<double>();
  }
  return u;
}

Vector scores(const Policy& policy, const MatrixF& features, Precision precision) {
  return Scorer(policy, precision)(features);
}

} // namespace metasieve
