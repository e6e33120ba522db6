#pragma once

#include "fairness/outer_loss.hpp"
#include "features/meta_features.hpp"

namespace metasieve {

/// The shares of rows to remove, [n] in [0, 1], of least sum with gap'w <= -reduction and loss'w <= 0: the
/// linear program of influence_weights, solved to the last digits. With a multiplier of the second constraint
/// it is a fractional knapsack, the rows by their cost for what they gain, so each multiplier takes a sort;
/// the best multiplier is bisected, and the two solutions next to it are mixed so that the constraint holds.
/// gap, loss [n]: changes by removing a row. reduction >= 0; more than half of what the constraints allow is
/// taken as this half.
[[nodiscard]] Vector least_removal(const Vector& gap, const Vector& loss, double reduction);

/// Weights of the training rows, [n] in [0, 1], by "Achieving Fairness at No Utility Cost via Data Reweighing
/// with Influence" (Li and Liu 2022, ICML, PMLR 162): 1 - w, where w removes as few rows as possible such
/// that the influence functions predict a gap of 0 and no larger loss. The paper has a validation set for
/// both; here the rows are cut into two halves, and each is weighted for the other. The gap is that of the
/// outer loss (outer_loss.hpp), for any number of groups; with one, all weights are 1. The authors relax
/// their constraints by factors tuned for each data set; here the gap is to fall by half of what is possible
/// at most.
[[nodiscard]] Vector influence_weights(const PreparedTask& task, Gap gap, double ridge);

} // namespace metasieve
