#pragma once

#include "base/random.hpp"

#include <vector>

namespace metasieve {

/// Five, or the number of rows of the rarer class if that is less: every fold holds a row of each class, and
/// so do the others together, when it is at least 2.
[[nodiscard]] Index fold_count(const Labels& y);

/// The fold of each row, [n] in 0..folds-1: the rows of each class are dealt in random order, so that fold
/// sizes differ by at most one in each class and in all. folds >= 1.
[[nodiscard]] std::vector<Index> stratified_folds(const Labels& y, Index folds, const Stream& stream);

/// The logit of each row under a logistic regression on the other folds, [n]. design [n, p]; `start` [p] is
/// the fit to all rows: it speeds up the others, and is used in the place of those that cannot be made (fewer
/// than two folds, or a fit that diverged).
[[nodiscard]] Vector out_of_fold_logits(const Matrix& design, const Labels& y, const Vector& start,
                                        double ridge, const Stream& stream);

/// The same where labels are learnt from the rows `kept` alone, ascending: these are out of fold among
/// themselves, and the others have the logit of `start`, which was fitted without them.
[[nodiscard]] Vector out_of_fold_logits(const Matrix& design, const Labels& y, const Vector& start,
                                        double ridge, const Stream& stream, const std::vector<Index>& kept);

} // namespace metasieve
