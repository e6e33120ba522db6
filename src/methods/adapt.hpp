#pragma once

#include "meta/meta_gradient.hpp"

#include <functional>

namespace metasieve {

/// How a trained policy is adapted to one task that has no clean labels. With 60 steps the defaults suit data
/// sets of 700 to 21,000 training rows. Beyond a weight of about 0.2 the gap of the noisy labels closes and
/// that of the clean ones opens again, where base rates differ most; the logistic accuracy loss would be led
/// by flipped labels, the zero-one loss is symmetric in them.
struct AdaptOptions {
  Index steps = 60;            ///< meta-gradient steps of Adam; 0: the policy as it is
  double learning_rate = 2e-3; ///< of Adam
  InnerOptions inner;
  OuterOptions outer{AccuracyLoss::zero_one, Gap::eo, 0.1}; ///< its gap is measured on noisy labels
  Seed seed{};                                              ///< of the halves
  Index support = 4000;                                     ///< rows of a half at most, for speed; 0: all
};

/// The policy after `steps` meta-steps on random halves of the training rows: each step fits on one half,
/// weighted by the policy, and measures accuracy and gap on the other half, noisy labels on both; and the
/// other way round; and follows the mean gradient. Reads task.train, task.probe and task.features alone: no
/// test row and no clean label. A step that fails numerically on either half is left out. The halves take a
/// thread each, outside a parallel loop; the result has the same bits with one. `after_step` is called after
/// each step.
[[nodiscard]] Policy adapt(const Policy& policy, const PreparedTask& task, const AdaptOptions& options,
                           const std::function<void()>& after_step = {});

} // namespace metasieve
