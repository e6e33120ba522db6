#pragma once

#include "fairness/outer_loss.hpp"

#include <array>

namespace metasieve {

/// One decision threshold per group, and what they do to the rows they were chosen on.
struct GroupThresholds {
  std::array<double, 2> threshold{}; ///< of group z: yhat = 1 where score > threshold[z]
  double accuracy = 0;               ///< NaN without rows
  double gap = 0;                    ///< 0 where no gap is defined
};

/// Post-processing (Hardt, Price and Srebro 2016, arXiv:1610.02413): the pair of thresholds of highest
/// accuracy on these rows among those with gap <= tolerance. score [n], finite; y, group [n]. The gap is that
/// of evaluate_predictor: Gap::dp dp_gap, Gap::eo eo_gap, Gap::both the larger of them, Gap::none 0; a
/// difference of which a group has no rows is left out. A tolerance >= 0 is always met (all 0 and all 1 have
/// no gap); a negative one gives the smallest gap. Of equals, the smaller gap, then the thresholds nearest
/// to 0. Whoever decides by them must know the group, even if the score was made without it.
///
/// Unlike the paper, a group has one fixed threshold, never a random choice between two: decisions can be
/// repeated and no row's is a coin toss, but only points on the groups' ROC curves are reached, not those
/// below them. For equalised odds that costs accuracy: two ROC curves cross in few points, so at tolerance 0
/// often only constant decisions remain; demographic parity is reached to within the steps of the grid.
///
/// Exact over the cuts between distinct scores, of each group at most 400, evenly spread over its rows (the
/// cut at 0 is always among them). O(n log n + 400^2). A group without rows gets the threshold of the other;
/// no rows at all, 0.
[[nodiscard]] GroupThresholds choose_thresholds(const Vector& score, const Labels& y, const Labels& group,
                                                Gap gap, double tolerance);

/// score - threshold of the row's group: yhat = 1 where it is > 0, as in evaluate_predictor. score, group
/// [m] -> [m].
[[nodiscard]] Vector apply(const GroupThresholds& thresholds, const Vector& score, const Labels& group);

} // namespace metasieve
