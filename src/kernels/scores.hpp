#pragma once

#include "base/precision.hpp"
#include "kernels/network.hpp"

namespace metasieve::kernels {

/// The network's output for rows, without what a pullback needs, asked again and again in memory that is
/// kept.
class Scorer {
public:
  /// `policy` must outlive this, and stay as it is.
  Scorer(const Policy& policy, Precision precision);

  /// features [n, f] -> u [n]. In blocks of rows, so that activations do not grow with n.
  [[nodiscard]] Vector operator()(const MatrixF& features);
  /// The same of features in double precision, which only float64 reads as they are.
  [[nodiscard]] Vector operator()(const Matrix& features);

private:
  Precision precision_;
  PackedPolicy<> packed_;
  Network<> network_;
};

/// features [n, f] -> u [n].
[[nodiscard]] Vector scores(const Policy& policy, const MatrixF& features, Precision precision);

} // namespace metasieve::kernels
