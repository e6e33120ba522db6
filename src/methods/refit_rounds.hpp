#pragma once

#include "features/prepared_task.hpp"
#include "policy/network.hpp"

namespace metasieve {

struct RoundsOptions {
  Index rounds = 0;       ///< refits after the first selection, >= 0
  double ridge = 1e-3;    ///< of the probe, as when the task was prepared
  Seed seed{};            ///< of the random parts of the features, as when the task was prepared
  double agreement = 1.0; ///< rounds are made where detector_agreement is at most this; 1: always
};

struct RoundsSelection {
  Vector score;     ///< [n], the policy's output u on `features`; higher is more trusted
  Vector weights;   ///< [n], 1 for the floor(policy.keep n) rows of highest score, 0 for the others
  MatrixF features; ///< [n, f], of the last round, which `score` was made from
  Index rounds = 0; ///< refits that were made: fewer than asked once a selection repeats itself
};

/// Below this detector_agreement, rounds pay: 0.005 to 0.03 on the data of Roh et al. (2021); 0.27 and more
/// on 120 generated tasks, one of them below 0.3; 0.78 and more on COMPAS, Adult and German.
inline constexpr double contradiction = 0.3;

/// Correlation over the training rows of two signs of a flipped label: the margin of a linear model that has
/// not seen the row, and that of a nonlinear one (oof_margin and rff_margin of `set`, which task.features
/// are). Flips in clusters turn the linear model, and so the two contradict each other. In [-1, 1]; 1 where
/// it is undefined: no such features, or one of the two constant. A relation that is nonlinear altogether is
/// taken for clusters.
[[nodiscard]] double detector_agreement(const PreparedTask& task, FeatureSet set);

/// The policy's hard selection, then `rounds` times: the probe and all features are learnt from the kept rows
/// (meta_features of the kept rows), and the policy selects again among all rows, so that a row rejected
/// early can return. rounds = 0: the hard selection. A refit that diverges ends it with the selection so far.
/// The policy must have the feature set of the task.
///
/// It is for flips in clusters, which mislead a probe of all rows: on the data of Roh et al. (2021), one
/// round took the flips among the kept 70 % from 5.7 to 1.1 %. Where the first selection is good, as on
/// generated tasks, each round drifts towards rows that agree with each other, and costs accuracy. Hence 0 by
/// default, and `agreement`. A policy is best adapted (methods/adapt.hpp) to the features of the last round;
/// rounds of a policy adapted before lose what it learnt.
[[nodiscard]] RoundsSelection select_in_rounds(const PreparedTask& task, const Policy& policy,
                                               const RoundsOptions& options);

} // namespace metasieve
