#pragma once

#include "fairness/outer_loss.hpp"

#include <vector>

namespace metasieve {

/// One decision threshold per group, and what they do to the rows they were chosen on.
struct GroupThresholds {
  std::vector<double> threshold; ///< [K] of group z: yhat = 1 where score > threshold[z]
  double accuracy = 0;           ///< NaN without rows
  double gap = 0;                ///< 0 where no gap is defined
};

/// Post-processing (Hardt, Price and Srebro 2016, arXiv:1610.02413): the thresholds of highest accuracy on
/// these rows among those with gap <= tolerance. score [n], finite; y, group [n]; groups: K. The gap is that
/// of evaluate_predictor: Gap::dp dp_gap, Gap::eo eo_gap, Gap::both the larger of them, Gap::none 0; a group
/// without rows for a rate is left out of its comparison. A tolerance of 0 is always met (all 0 and all 1
/// have no gap); a negative one counts as 0. Of equals, the smaller gap, then the thresholds nearest to 0.
/// Whoever decides by them must know the group, even if the score was made without it.
///
/// Unlike the paper, a group has one fixed threshold, never a random choice between two: decisions can be
/// repeated and no row's is a coin toss, but only points on the groups' ROC curves are reached, not those
/// below them. For equalised odds that costs accuracy: ROC curves cross in few points, so at tolerance 0
/// often only constant decisions remain; demographic parity is reached to within the steps of the grid.
///
/// The gap is at most the tolerance where each compared rate of all groups is in one window of this width. In
/// each window of a grid the groups choose independently. Cuts lie between distinct scores, of each group at
/// most 400, evenly spread over its rows (the cut at 0 is always among them). A window begins at the rate of
/// a cut; of all their rates 4096 at most are tried for dp, 1024 for each of the two rates of eo, 101 for
/// each of the three of both. So the result is exact over the cuts for dp up to ten groups and for eo with
/// two, and with more, in trials with up to 20, within 0.01 points of accuracy. O(n log n), and 2^20 K a pass
/// over the windows at most, of which nearly all are ruled out at once: 20,000 rows of six groups take less
/// than 0.1 s. One group gets its most accurate threshold, a group without rows that of the largest; no rows
/// at all, 0.
[[nodiscard]] GroupThresholds choose_thresholds(const Vector& score, const Labels& y, const Labels& group,
                                                Index groups, Gap gap, double tolerance);

/// score - threshold of the row's group: yhat = 1 where it is > 0, as in evaluate_predictor. score, group
/// [m] -> [m].
[[nodiscard]] Vector apply(const GroupThresholds& thresholds, const Vector& score, const Labels& group);

} // namespace metasieve
