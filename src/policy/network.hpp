#pragma once

#include "base/random.hpp"
#include "features/feature_set.hpp"

#include <vector>

namespace metasieve {

/// The shared selector: an MLP features -> hidden... -> 1 with ReLU, and how its output becomes weights.
struct Policy {
  FeatureSet features = FeatureSet::full;
  std::vector<Index> hidden{64, 32};
  double keep = 0.7;        ///< mean keep weight, in (0, 1)
  double temperature = 0.2; ///< of the soft threshold, > 0
  bool use_group = true;    ///< whether the inner model it was trained for sees the group
  std::int64_t trained_iterations = 0;
  /// [p]: layer 0 weight [in, out] row-major, layer 0 bias [out], layer 1 ...
  Vector theta;
};

/// One affine layer inside theta.
struct LayerView {
  Index inputs, outputs;
  Index weight_offset; ///< [inputs, outputs] row-major
  Index bias_offset;   ///< [outputs]
};

/// The layers of a policy of this shape, in order; the last one's end is the length of theta.
[[nodiscard]] std::vector<LayerView> layers(FeatureSet features, const std::vector<Index>& hidden);
[[nodiscard]] inline std::vector<LayerView> layers(const Policy& policy) {
  return layers(policy.features, policy.hidden);
}
/// Length of theta.
[[nodiscard]] Index parameter_count(const Policy& policy);

/// He initialisation (He et al. 2015): weights N(0, 2 / inputs), zero biases. Fills `policy.theta`.
[[nodiscard]] Policy initialise(Policy shape, Seed seed);

struct PolicyTrace {
  std::vector<Matrix>
      activations; ///< inputs of each layer: features [n, f], then the hidden layers after ReLU
  Vector u;        ///< [n], the network's output
};

/// features [n, f] -> u [n].
[[nodiscard]] PolicyTrace forward(const Policy& policy, const Matrix& features);
/// d_u [n] -> d_theta [p].
[[nodiscard]] Vector pullback(const Policy& policy, const PolicyTrace& trace, const Vector& d_u);

} // namespace metasieve
