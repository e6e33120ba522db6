#pragma once

#include "meta/meta_gradient.hpp"

namespace metasieve {

/// How a trained policy is adapted to one task that has no clean labels.
struct AdaptOptions {
  Index steps = 0;             ///< meta-gradient steps of Adam; 0: the policy as it is
  double learning_rate = 1e-3; ///< of Adam
  InnerOptions inner;
  OuterOptions outer; ///< its gap is measured on noisy labels
  Seed seed{};        ///< of the halves
};

/// The policy after `steps` meta-steps on random halves of the training rows: each step fits on one half,
/// weighted by the policy, and measures accuracy and gap on the other half, noisy labels on both. Reads
/// task.train, task.probe and task.features alone: no test row and no clean label. A step that fails
/// numerically is left out.
[[nodiscard]] Policy adapt(const Policy& policy, const PreparedTask& task, const AdaptOptions& options);

} // namespace metasieve
