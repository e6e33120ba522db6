#pragma once

#include "base/linalg.hpp"

namespace metasieve {

/// Labels by massaging (Kamiran and Calders 2009, doi:10.1109/IC4.2009.4909197; 2012,
/// doi:10.1007/s10115-011-0463-8): in groups with too few positives the negatives of highest score become
/// positives, in groups with too many the positives of lowest score become negatives, until each has the
/// positive rate of all rows, to within half a row. For two groups these are the authors' M promotions and M
/// demotions, M = difference of the rates x rows of one group x rows of the other / all rows; that more
/// groups meet at the same rate is the plain extension. Their ranker was naive Bayes; any may be used. score,
/// y, group [n] -> [n]; ties by index; scores that are not numbers rank last. It equalises positive rates,
/// whatever gap is asked for elsewhere. One group keeps its labels.
[[nodiscard]] Labels massaged_labels(const Vector& score, const Labels& y, const Labels& group);

} // namespace metasieve
