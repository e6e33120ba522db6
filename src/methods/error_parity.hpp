#pragma once

#include "base/random.hpp"
#include "fairness/outer_loss.hpp"

#include <vector>

namespace metasieve {

/// Decision thresholds of one group, of which each row draws one: yhat = 1 where score > threshold. -infinity
/// accepts all rows, infinity none.
struct RandomThreshold {
  std::vector<double> threshold;
  std::vector<double> probability; ///< of each, adding up to 1
};

/// One for each group, and what they do on average to the rows they were chosen on.
struct ErrorParity {
  std::vector<RandomThreshold> of_group; ///< [K]
  double accuracy = 0;                   ///< NaN without rows
  double gap = 0;                        ///< 0 where no gap is defined
};

/// Relaxed equalised odds after training (Cruz and Hardt 2024, "Unprocessing Seven Years of Algorithmic
/// Fairness", arXiv:2306.07261; tolerance 0: Hardt, Price and Srebro 2016, arXiv:1610.02413). A group can
/// have each point (false positive rate, true positive rate) between the diagonal and the concave hull of its
/// ROC curve, by drawing one of two thresholds, or accepting at random, for each row. Of the points that
/// differ by at most `tolerance` between groups, in both rates, these have the highest accuracy. It is the
/// authors' linear program for the largest difference (their default norm), solved as the search for the
/// lower left corner (a, b) of the box of width `tolerance` that has a point of each group: the best accuracy
/// is concave in (a, b), and within a box each group takes its own best point. So it is exact up to the
/// bisection, for any number of groups.
///
/// score [n], finite; y, group [n]; groups: K. Gap::dp (not in the paper) asks the same of the rate of
/// positive decisions, Gap::eo and Gap::both equalised odds, Gap::none nothing. A rate without rows is free.
/// A negative tolerance counts as 0. One group has its most accurate threshold, a group without rows that of
/// the largest; no rows at all, 0. Bits do not depend on how groups are numbered.
[[nodiscard]] ErrorParity choose_error_parity(const Vector& score, const Labels& y, const Labels& group,
                                              Index groups, Gap gap, double tolerance);

/// score - threshold of the row's group, row i drawing its own with stream.uniform(i): yhat = 1 where it is >
/// 0. Where all or no rows are accepted, 1 + |score| with that sign. score, group [m] -> [m].
[[nodiscard]] Vector apply(const ErrorParity& choice, const Vector& score, const Labels& group,
                           const Stream& stream);

} // namespace metasieve
