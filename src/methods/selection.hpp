#pragma once

#include "features/meta_features.hpp"
#include "methods/adapt.hpp"
#include "methods/hidden_positives.hpp"
#include "policy/network.hpp"

#include <functional>
#include <vector>

namespace metasieve {

/// What a trained policy does on a data set before it selects: by default what is recommended.
struct SelectionOptions {
  Index rounds = 6;       ///< refits of probe and features on the kept rows, >= 0
  double agreement = 0.3; ///< rounds are made where detector_agreement is at most this; 1: always
  double ridge = 1e-3;    ///< of the probe, as when the task was prepared
  AdaptOptions adapt{};   ///< meta-steps on halves of the training rows
  bool blend = true; ///< the mean of the trained and the adapted policy's weights; else the adapted alone
};

struct RoundsSelection {
  Vector score;     ///< [n], the policy's output u on `features`; higher is more trusted
  Vector weights;   ///< [n], 1 for the floor(policy.keep n) rows of highest score, 0 for the others
  MatrixF features; ///< [n, f], of the last round, which `score` was made from
  Index rounds = 0; ///< refits that were made: fewer than asked once a selection repeats itself
};

/// Correlation over the training rows of two signs of a flipped label: the margin of a linear model that has
/// not seen the row, and that of a nonlinear one (oof_margin and rff_margin of `set`, which task.features
/// are). Flips in clusters turn the linear model, and so the two contradict each other. In [-1, 1]; 1 where
/// it is undefined: no such features, or one of the two constant. A relation that is nonlinear altogether is
/// taken for clusters. Below 0.3, rounds pay: it is 0.005 to 0.03 on the data of Roh et al. (2021); 0.27 and
/// more on 120 generated tasks, one of them below 0.3; 0.78 and more on COMPAS, Adult and German.
[[nodiscard]] double detector_agreement(const PreparedTask& task, FeatureSet set);

/// The policy's hard selection, then options.rounds times: the probe and all features are learnt from the
/// kept rows (meta_features of the kept rows), and the policy selects again among all rows, so that a row
/// rejected early can return. No rounds: the hard selection. A refit that diverges ends it with the selection
/// so far. The policy must have the feature set of the task.
///
/// It is for flips in clusters, which mislead a probe of all rows: on the data of Roh et al. (2021), one
/// round took the flips among the kept 70 % from 5.7 to 1.1 %. Where the first selection is good, as on
/// generated tasks, each round drifts towards rows that agree with each other, and costs accuracy. Hence
/// `agreement`. A policy is best adapted (methods/adapt.hpp) to the features of the last round;
/// rounds of a policy adapted before lose what it learnt.
[[nodiscard]] RoundsSelection select_in_rounds(const PreparedTask& task, const Policy& policy,
                                               const SelectionOptions& options);

/// Whether the weights of the trained policy and of the adapted one are averaged: options.blend asks for it,
/// there are steps, and no clusters of flips mislead the features (detector_agreement is above
/// options.agreement).
[[nodiscard]] bool blends(const PreparedTask& task, const Policy& policy, const SelectionOptions& options);

/// What the policy makes of each training row, [n].
struct Selection {
  Vector score;           ///< higher is more trusted; the hard selection keeps the rows of highest score
  Vector weights;         ///< soft weights, in (0, 1), of mean policy.keep
  HiddenPositives hidden; ///< the estimate, where it has been made
};

/// The recommended selection, for meta_hard and meta_soft. Where blends(): w = (1 - a) s + a s', with the
/// keep weights s of the policy as trained and s' of the policy adapted to the task, and score = log w -
/// log(1 - w). The trained policy corrects for label bias that the task cannot show, the adapted one finds
/// the task's own noise. The more positives seem hidden, c = min(1, share / 0.25) of HiddenPositives, the
/// less weight the adapted policy has, a = 0.6 - 0.3 c, and the more fairness its steps ask for: the weight
/// of the gap is multiplied by 1 + c. Elsewhere: score and keep weights of the adapted policy on the features
/// of the last round; without steps and rounds policy_score and soft_weights. Reads training rows and noisy
/// labels alone. `after_step` is called after each step of the adaptation.
[[nodiscard]] Selection policy_selection(const PreparedTask& task, const Policy& policy,
                                         const SelectionOptions& options,
                                         const std::function<void()>& after_step = {});

/// The selection at each of these fairness weights of the adaptation, in place of the one of `options`.
[[nodiscard]] std::vector<Selection> policy_selections(const PreparedTask& task, const Policy& policy,
                                                       const SelectionOptions& options,
                                                       const std::vector<double>& fairness_weights,
                                                       const std::function<void()>& after_step = {});

} // namespace metasieve
