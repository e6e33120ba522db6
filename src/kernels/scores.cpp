#include "kernels/scores.hpp"

#include <algorithm>

namespace metasieve::kernels {

Scorer::Scorer(const Policy& policy, Precision precision) : precision_(precision) { packed_.pack(policy); }

Vector Scorer::operator()(const Matrix& features) {
  if (precision_ == Precision::float64) return metasieve::forward(packed_.policy(), features).u;
  return (*this)(MatrixF(features.cast<float>()));
}

Vector Scorer::operator()(const MatrixF& features) {
  // In float32 the activations of a block fill some 250 kB.
  const Index block_rows = precision_ == Precision::float32 ? 480 : 4096;
  Vector u(features.rows());
  for (Index begin = 0; begin < u.size(); begin += block_rows) {
    const Index count = std::min(block_rows, u.size() - begin);
    if (precision_ == Precision::float64) {
      u.segment(begin, count) =
          metasieve::forward(packed_.policy(), features.middleRows(begin, count).cast<double>()).u;
      continue;
    }
    network_.assign(features.data() + begin * features.cols(), count, features.cols());
    u.segment(begin, count) =
        Eigen::Map<const Eigen::VectorXf>(network_.forward(packed_), count).cast<double>();
  }
  return u;
}

Vector scores(const Policy& policy, const MatrixF& features, Precision precision) {
  return Scorer(policy, precision)(features);
}

} // namespace metasieve::kernels
